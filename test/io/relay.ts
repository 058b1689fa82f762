/** A relay in the smallest form: what a client sends goes to `target` and back, with back-pressure, half-closes and resets. */
import os from 'node:os';
import type { Address, Chunk, Conn, Handler, Io } from '../../engine/io/contract.ts';
import { HIGH_WATER_BYTES } from '../../engine/limits.ts';

const { ECONNRESET, EPIPE } = os.constants.errno;
const PLAIN = { source: null, tfo: false };

class Side implements Handler {
  peer: Conn | null = null;

  onOpen(): void {}

  onData(conn: Conn, chunk: Chunk): void {
    const { peer } = this;
    if (peer === null) return;
    peer.forward(chunk, chunk.start, chunk.end);
    if (peer.pending > HIGH_WATER_BYTES) conn.pause();
  }

  onEnd(): void {
    this.peer?.shutdown();
  }

  onDrain(): void {
    this.peer?.resume();
  }

  onClose(_conn: Conn, errno: number): void {
    const { peer } = this;
    this.peer = null;
    if (peer === null) return;
    if (errno === ECONNRESET || errno === EPIPE) peer.abort(true);
    else peer.close();
  }
}

/** Relays what arrives on the listening socket `fd`. */
export function relay(io: Io, fd: number, target: Address): void {
  io.listen(fd, 64, conn => {
    const front = new Side();
    const back = new Side();
    conn.handler = front;
    back.peer = conn;
    front.peer = io.connect(target, PLAIN, back);
  });
}
