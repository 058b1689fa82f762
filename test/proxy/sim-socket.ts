/** A connection of the simulated network, as Node's sockets are: what a client or server of the tests has in its hands. */
import { Duplex } from 'node:stream';
import { getSystemErrorName } from 'node:util';
import type { Chunk, Conn, Handler } from '../../engine/io/contract.ts';
import { SimConn } from '../../engine/io/sim-conn.ts';
import { HIGH_WATER_BYTES } from '../../engine/limits.ts';
import type { Socket } from './network.ts';

type Callback = (error?: Error | null) => void;

export class SimSocket extends Duplex implements Socket, Handler {
  readonly #happened: () => void;
  #conn: Conn | null = null;
  #sent = 0;
  #reset = false;
  /** The network has let go of the connection. */
  #over = false;
  /** Waits for room. */
  #room: Callback | null = null;
  /** Waits for the end. */
  #destroyed: (() => void) | null = null;

  constructor(allowHalfOpen: boolean, happened: () => void) {
    super({ allowHalfOpen });
    this.#happened = happened;
  }

  over(conn: Conn): void {
    conn.handler = this;
    this.#conn = conn;
  }

  get bytesWritten(): number {
    return this.#sent + this.writableLength;
  }

  resetAndDestroy(): this {
    this.#reset = true;
    return this.destroy();
  }

  setNoDelay(_on: boolean): this {
    return this;
  }

  // What the stream asks for.

  override _write(bytes: Buffer, _encoding: string, written: Callback): void {
    const conn = this.#conn!;
    conn.send(bytes, 0, bytes.length);
    this.#flush();
    const done: Callback = error => {
      this.#sent += bytes.length;
      written(error);
    };
    if (conn.pending > HIGH_WATER_BYTES) this.#room = done;
    else done();
  }

  override _final(finished: Callback): void {
    this.#conn!.shutdown();
    finished();
  }

  override _read(): void {
    this.#conn?.resume();
  }

  override _destroy(error: Error | null, destroyed: Callback): void {
    const conn = this.#conn!;
    if (this.#over) {
      destroyed(error);
      return;
    }
    this.#destroyed = () => destroyed(error);
    if (this.writableFinished && this.readableEnded && !this.#reset) conn.close();
    else conn.abort(this.#reset);
  }

  /** A kernel sends what is written at once: it leaves although the socket may be destroyed next. */
  #flush(): void {
    if (this.#conn instanceof SimConn) this.#conn.transmit();
  }

  // What the connection tells.

  onOpen(): void {
    this.#happened();
    this.emit('connect');
  }

  onData(conn: Conn, chunk: Chunk): void {
    this.#happened();
    if (!this.push(Buffer.from(chunk.bytes.subarray(chunk.start, chunk.end)))) conn.pause();
  }

  onEnd(): void {
    this.#happened();
    this.push(null);
  }

  onDrain(): void {
    this.#happened();
    const room = this.#room;
    this.#room = null;
    room?.();
  }

  onClose(_conn: Conn, errno: number): void {
    this.#happened();
    this.#over = true;
    if (this.#destroyed !== null) this.#destroyed();
    else if (errno > 0) this.destroy(failure(errno));
  }
}

function failure(errno: number): NodeJS.ErrnoException {
  const code = getSystemErrorName(-errno);
  return Object.assign(new Error(`sim: ${code}`), { code });
}
