/** Which connection has which port of a `source` with a range, so that it is given back when the socket is closed. */
import os from 'node:os';
import type { ConnectOptions, SourcePorts } from './contract.ts';

/** The errno of a connection that no port was free for. */
export const NO_PORT = os.constants.errno.ERANGE;

export class LentPorts {
  /** By the id of the connection. */
  readonly #lent = new Map<number, { readonly ports: SourcePorts; readonly port: number }>();

  /** Options with the port that the connection is to have; null = none is free. */
  lend(id: number, options: ConnectOptions): ConnectOptions | null {
    const { ports, source } = options;
    if (!ports || source === null) return options;
    const port = ports.take();
    if (port === 0) return null;
    this.#lent.set(id, { ports, port });
    return { ...options, source: { ...source, port } };
  }

  giveBack(id: number): void {
    if (this.#lent.size === 0) return;
    const lent = this.#lent.get(id);
    if (lent === undefined) return;
    this.#lent.delete(id);
    lent.ports.give(lent.port);
  }
}
