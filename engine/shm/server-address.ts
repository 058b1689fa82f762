/**
 * Where a server is, and where it is checked: as configured, until the runtime API says otherwise. Then the address
 * stands in the server's words:
 *
 *   [seq, family, port, relative, 4 words of bytes]     seq is odd while it is being written
 *
 * Family 0 = as configured, 1 = nowhere: the server's name does not resolve.
 *
 * Only the control thread writes it. A reader keeps its own copy and looks at one word to see whether it still holds.
 */
import type { Server } from '../config/server-model.ts';
import { hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import type { Memory } from './memory.ts';
import { SERVER } from './words.ts';

const SEQ = 0;
const FAMILY = 1;
const PORT = 2;
const RELATIVE = 3;
const BYTES = 4;
const BYTE_WORDS = 4;

/** How often a reader tries while the writer is at it. */
const TRIES_MAX = 1000;

/** `family` null = as configured. In a check's words a `port` of 0 is as configured, too. */
export interface WrittenAddress {
  readonly family: 4 | 6 | 1 | null;
  readonly bytes: Uint8Array;
  readonly port: number;
  /** The port is an offset to the one that the client connected to. */
  readonly relative: boolean;
}

export const AS_CONFIGURED: WrittenAddress = { family: null, bytes: new Uint8Array(0), port: 0, relative: false };

export function writeAddress(words: Int32Array, at: number, a: WrittenAddress): void {
  const bytes = new Uint8Array(BYTE_WORDS * 4);
  bytes.set(a.bytes);
  const seq = Atomics.load(words, at + SEQ);
  Atomics.store(words, at + SEQ, seq + 1);
  Atomics.store(words, at + FAMILY, a.family ?? 0);
  Atomics.store(words, at + PORT, a.port);
  Atomics.store(words, at + RELATIVE, a.relative ? 1 : 0);
  new Int32Array(bytes.buffer).forEach((word, i) => {
    Atomics.store(words, at + BYTES + i, word);
  });
  Atomics.store(words, at + SEQ, seq + 2);
}

export function readAddress(words: Int32Array, at: number): WrittenAddress {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const seq = Atomics.load(words, at + SEQ);
    if (seq === 0) return AS_CONFIGURED;
    if (seq & 1) continue;
    const family = Atomics.load(words, at + FAMILY);
    const port = Atomics.load(words, at + PORT);
    const relative = Atomics.load(words, at + RELATIVE) !== 0;
    const copy = Int32Array.from({ length: BYTE_WORDS }, (_, i) => Atomics.load(words, at + BYTES + i));
    if (Atomics.load(words, at + SEQ) !== seq) continue;
    const bytes = new Uint8Array(copy.buffer, 0, family === 6 ? 16 : family === 4 ? 4 : 0);
    return { family: family === 4 || family === 6 || family === 1 ? family : null, bytes, port, relative };
  }
  // Its writer died in the middle: what it wanted to change did not happen.
  return AS_CONFIGURED;
}

/** A server's address as it is now. */
export class LiveAddress {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly server: Server;
  #seq = 0;
  #address: Address;
  #relative: boolean;
  #anywhere: boolean;

  constructor(memory: Memory, number: number, server: Server) {
    this.#words = memory.words;
    this.#at = memory.server(number) + SERVER.at.addr;
    this.server = server;
    this.#address = server.address;
    this.#relative = server.portRelative;
    this.#anywhere = isAny(server.address);
  }

  /** Changes with every change of the address. */
  get version(): number {
    return Atomics.load(this.#words, this.#at + SEQ);
  }

  /** With `relative`, its port is not one to connect to: see `offset`. */
  get address(): Address {
    this.#look();
    return this.#address;
  }

  /** The port is that of the client's destination, plus `offset`. */
  get relative(): boolean {
    this.#look();
    return this.#relative;
  }

  /** There are only zeros: it stands for wherever the client wants to go. */
  get anywhere(): boolean {
    this.#look();
    return this.#anywhere;
  }

  get offset(): number {
    this.#look();
    return this.#address === this.server.address ? this.server.portOffset : this.#address.port;
  }

  /** The port as it is written: the offset where it is relative. */
  get port(): number {
    return this.relative ? this.offset : this.address.port;
  }

  #look(): void {
    const version = this.version;
    if (version === this.#seq || version & 1) return;
    const { family, bytes, port, relative } = readAddress(this.#words, this.#at);
    this.#address = family === null ? this.server.address : { family, bytes, port };
    this.#relative = family === null ? this.server.portRelative : relative;
    this.#anywhere = isAny(this.#address);
    this.#seq = version;
  }
}

function isAny({ family, bytes }: Address): boolean {
  return family !== 1 && bytes.every(byte => byte === 0);
}

/**
 * Where the server is checked now, or its agent asked. What the configuration does not say of it, and the runtime API did
 * not, is the server's own. The server must have a check of this kind.
 */
export function checkAddress(memory: Memory, number: number, server: Server, kind: 'check' | 'agent'): Address {
  const configured = server[kind]!.address;
  const own = new LiveAddress(memory, number, server).address;
  const written = readAddress(memory.words, memory.server(number) + SERVER.at[`${kind}_addr`]);
  if (written.family === null && written.port === 0 && own === server.address) return configured;
  const ownHost = hostText(configured) === hostText(server.address);
  const host = written.family !== null ? written : ownHost ? own : configured;
  const port = written.port || (configured.port === server.address.port ? own.port : configured.port);
  return { family: host.family!, bytes: host.bytes, port };
}
