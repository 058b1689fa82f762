/** A connection over another one: what the one below answers for both. */
import type { Address, Conn } from '../io/contract.ts';
import type { SocketOption } from '../io/native.ts';

export abstract class Over {
  /** The connection of the io. */
  under!: Conn;

  get id(): number {
    return this.under.id;
  }

  peer(): Address | null {
    return this.under.peer();
  }

  local(): Address | null {
    return this.under.local();
  }

  tcpInfo(): Uint8Array | null {
    return this.under.tcpInfo();
  }

  savedSyn(): Uint8Array | null {
    return this.under.savedSyn();
  }

  setOption(option: SocketOption, value: number): void {
    this.under.setOption(option, value);
  }
}
