/**
 * Datagrams of equal length in one call: the kernel cuts what it is given into segments (UDP_SEGMENT, Linux 4.18). The length is
 * an option of the socket, which this remembers, so that it is set only when it changes.
 */
import { type SocketOption, sendDatagram, setOption } from './native.ts';

const MAC = process.platform === 'darwin';
const UDP_SEGMENT: SocketOption = [17, MAC ? -1 : 103];

export class DatagramSender {
  readonly #fd: number;
  /** What the socket has; 0 = none; -1 = not known, as somebody else may have set it before. Bytes. */
  #segment = -1;
  readonly #value = new Int32Array(1);
  readonly #option = new Uint8Array(this.#value.buffer);

  /** @param fd a socket, or minus errno: then nothing can be sent */
  constructor(fd: number) {
    this.#fd = fd;
  }

  /**
   * Sends `bytes[0, length)` to `name` (a sockaddr), as datagrams of `segment` bytes, the last one perhaps shorter. Gives what
   * sendto(2) gives, or minus errno; -ENOPROTOOPT, -EINVAL and -EIO where the system, or the way there, does not cut.
   */
  send(bytes: Uint8Array, length: number, name: Uint8Array, segment: number): number {
    if (this.#fd < 0) return this.#fd;
    const one = length <= segment && (this.#segment === 0 || length <= this.#segment);
    if (!one && segment !== this.#segment) {
      const result = this.#cut(segment);
      if (result < 0 && length > segment) return result;
    }
    return sendDatagram(this.#fd, bytes, name, length);
  }

  #cut(segment: number): number {
    this.#value[0] = segment;
    const result = setOption(this.#fd, UDP_SEGMENT, this.#option);
    this.#segment = result < 0 ? 0 : segment;
    return result;
  }
}
