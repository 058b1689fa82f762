/** Datagrams over `node:dgram`: to one peer and back, or from anybody. For the control thread: nothing of the data path is one. */
import dgram from 'node:dgram';
import { hostText } from './address.ts';
import type { Address } from './contract.ts';

export interface DatagramHandler {
  /** A datagram of the peer; the bytes are the handler's. */
  onDatagram(bytes: Uint8Array): void;
  /** Something that was sent did not get there (the peer has no such port, there is no way to it). */
  onLost(): void;
}

export interface Datagrams {
  send(bytes: Uint8Array): void;
  /** Nothing comes afterwards. */
  close(): void;
}

/** What is sent before the socket is ready waits for it: so many datagrams at most, the others are lost. */
const WAITING_MAX = 256;

/**
 * Opens a socket, on a port that the system chooses, that takes datagrams of `peer` (IPv4 or IPv6) only. The handler is
 * never called back from inside a call.
 */
export function openDatagrams(peer: Address, handler: DatagramHandler): Datagrams {
  const socket = dgram.createSocket(peer.family === 6 ? 'udp6' : 'udp4');
  const waiting: Uint8Array[] = [];
  let ready = false;
  let closed = false;
  const lost = (): void => {
    if (!closed) handler.onLost();
  };
  const send = (bytes: Uint8Array): void => {
    socket.send(bytes, error => {
      if (error) lost();
    });
  };
  socket.on('error', lost);
  socket.on('message', bytes => {
    if (!closed) handler.onDatagram(bytes);
  });
  socket.connect(peer.port, hostText(peer), (error?: Error) => {
    ready = !error;
    if (closed) return;
    for (const bytes of waiting.splice(0)) {
      if (ready) send(bytes);
      else lost();
    }
  });
  return {
    send(bytes) {
      if (closed) return;
      if (ready) send(bytes);
      else if (waiting.length < WAITING_MAX) waiting.push(bytes);
    },
    close() {
      if (closed) return;
      closed = true;
      socket.close();
    },
  };
}

/**
 * Receives what anybody sends to the bound socket `fd` (openDatagramSocket), which belongs to this from now on. The bytes
 * are the taker's; `from` is the sender's IP address as text.
 */
export function receiveDatagrams(
  fd: number,
  family: Address['family'],
  take: (bytes: Uint8Array, from: string) => void,
): { close(): void } {
  const socket = dgram.createSocket(family === 6 ? 'udp6' : 'udp4');
  let closed = false;
  // One that could not be received is lost, as datagrams are.
  socket.on('error', () => {});
  socket.on('message', (bytes, { address }) => {
    if (!closed) take(bytes, address);
  });
  socket.bind({ fd });
  return {
    close() {
      if (!closed) socket.close();
      closed = true;
    },
  };
}
