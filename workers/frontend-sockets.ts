/** The sockets of whole frontends: whether they listen, and who lets go of them first. */
import { isFrontend, type Model } from '../engine/config/model.ts';
import type { Proxy } from '../engine/config/proxy-model.ts';
import { ringAll } from '../engine/shm/doorbell.ts';
import { type Memory, topology } from '../engine/shm/memory.ts';
import { FE_OPEN, PROXY } from '../engine/shm/words.ts';
import { after } from '../engine/time.ts';
import { type Listeners, setListeners } from './listeners.ts';

/** Time for the workers to let go of sockets that are to rest. Milliseconds. */
const PAUSE_MS = 50;

export class FrontendSockets {
  readonly #model: Model;
  readonly #memory: Memory;
  readonly #listeners: Listeners;
  readonly #first: Int32Array;

  constructor(model: Model, memory: Memory, listeners: Listeners) {
    this.#model = model;
    this.#memory = memory;
    this.#listeners = listeners;
    this.#first = topology(model).firstListener;
  }

  set(proxy: number, state: Parameters<typeof setListeners>[3]): void {
    setListeners(this.#listeners, this.#first[proxy]!, this.#first[proxy + 1]!, state);
  }

  /** Sockets that an earlier generation let rest for a frontend which is not here, or not resting here, listen again. */
  open(): void {
    for (const { index } of this.#model.proxies) if (this.#stateOf(index) === FE_OPEN) this.set(index, 'open');
  }

  /** Brings all frontends of one state into another; gives them. The workers first let go of sockets, or last take them up. */
  turn(from: number, to: number): Proxy[] {
    const turned = this.#model.proxies.filter(proxy => isFrontend(proxy) && this.#stateOf(proxy.index) === from);
    for (const { index } of turned) {
      if (to === FE_OPEN) this.set(index, 'open');
      Atomics.store(this.#memory.words, this.#memory.proxy(index) + PROXY.at.fe_stopped, to);
      if (to !== FE_OPEN) after(PAUSE_MS, () => this.set(index, 'pause'));
    }
    ringAll(this.#memory);
    return turned;
  }

  #stateOf(proxy: number): number {
    return Atomics.load(this.#memory.words, this.#memory.proxy(proxy) + PROXY.at.fe_stopped);
  }
}
