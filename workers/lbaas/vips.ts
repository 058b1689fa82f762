/** Which addresses were put up for whom: in the file `vips` of each, as a line of JSON, before they are. */
import type { Place, Vip } from './places.ts';
import type { StateFolder } from './state-folder.ts';

export class Vips {
  readonly #folder: StateFolder;
  readonly #place: Place;

  constructor(folder: StateFolder, place: Place) {
    this.#folder = folder;
    this.#place = place;
  }

  /** Puts them up, and those down that are not among them any more. */
  async up(id: string, vips: readonly Vip[]): Promise<void> {
    const gone = this.#known(id).filter(old => !vips.some(vip => vip.address === old.address));
    if (gone.length > 0) await this.#place.down(id, gone);
    this.#folder.write(id, 'vips', JSON.stringify(vips));
    await this.#place.up(id, vips);
  }

  async announce(id: string): Promise<void> {
    await this.#place.announce(id, this.#known(id));
  }

  async down(id: string): Promise<void> {
    await this.#place.down(id, this.#known(id));
  }

  #known(id: string): Vip[] {
    return JSON.parse(this.#folder.read(id, 'vips') ?? '[]') as Vip[];
  }
}
