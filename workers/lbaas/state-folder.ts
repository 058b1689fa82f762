/** A folder with a folder per id, and small files in it: all that is known of the processes is in such. */
import fs from 'node:fs';
import path from 'node:path';

export class StateFolder {
  readonly path: string;

  /** Made when it is not there. */
  constructor(folder: string) {
    this.path = folder;
    fs.mkdirSync(folder, { recursive: true, mode: 0o755 });
  }

  ids(): string[] {
    return fs.readdirSync(this.path);
  }

  has(id: string): boolean {
    return fs.existsSync(this.file(id, ''));
  }

  make(id: string): void {
    fs.mkdirSync(this.file(id, ''), { recursive: true });
  }

  file(id: string, name: string): string {
    return path.join(this.path, id, name);
  }

  read(id: string, name: string): string | null {
    try {
      return fs.readFileSync(this.file(id, name), 'utf8');
    } catch {
      return null;
    }
  }

  /** Whole or not at all. */
  write(id: string, name: string, text: string): void {
    const file = this.file(id, name);
    fs.writeFileSync(`${file}.new`, text);
    fs.renameSync(`${file}.new`, file);
  }

  /** The file is a link to another, wherever it pointed before. */
  link(id: string, name: string, to: string): void {
    const file = this.file(id, name);
    fs.rmSync(`${file}.new`, { force: true });
    fs.symlinkSync(to, `${file}.new`);
    fs.renameSync(`${file}.new`, file);
  }

  remove(id: string, name = ''): void {
    fs.rmSync(this.file(id, name), { recursive: true, force: true });
  }
}
