/**
 * The handshake of the peers protocol (HAProxy's doc/peers.txt): who connects says hello in three lines, who accepts
 * answers with a status in one.
 *
 *   HAProxyS 2.1\n  <name of the one it speaks to>\n  <own name> <process id> <relative process id>\n
 *   200\n
 */

export const STATUS = {
  OK: 200,
  TRY_AGAIN: 300,
  PROTOCOL_ERROR: 501,
  BAD_VERSION: 502,
  /** The name it speaks to is not ours. */
  NOT_ME: 503,
  /** It is no peer of ours. */
  UNKNOWN_PEER: 504,
} as const;

/** What a status means, for logs and `show peers` (which shows the short word). */
export const STATUSES: Readonly<Record<number, { readonly word: string; readonly text: string }>> = {
  200: { word: 'ESTA', text: 'handshake succeeded' },
  300: { word: 'TRYA', text: 'try again later' },
  501: { word: 'PROT', text: 'protocol error' },
  502: { word: 'VERS', text: 'bad version' },
  503: { word: 'LNAM', text: 'it is not the peer that we think it is' },
  504: { word: 'RNAM', text: 'it does not know us' },
};

const PROTOCOL = 'HAProxyS';
const MAJOR = 2;
const MINOR = 1;

/** Lines are no longer than this. Bytes, line feed included. */
export const LINE_BYTES_MAX = 512;

export function hello(remote: string, local: string, pid: number): Uint8Array {
  return Buffer.from(`${PROTOCOL} ${MAJOR}.${MINOR}\n${remote}\n${local} ${pid} 1\n`);
}

/** Checks what a hello says line by line: each gives the status to refuse with, or 200 = go on. */
export class HelloReader {
  /** Who says it, once `done`. */
  name = '';
  /** Of version 2.0 it knows no times of entries. */
  minor = MINOR;
  done = false;
  #line = 0;
  readonly #local: string;

  constructor(local: string) {
    this.#local = local;
  }

  read(line: string): number {
    switch (this.#line++) {
      case 0: {
        const [protocol, version, ...rest] = line.split(' ');
        if (protocol !== PROTOCOL || rest.length > 0) return STATUS.PROTOCOL_ERROR;
        const match = /^(\d{1,3})\.(\d{1,3})$/.exec(version ?? '');
        if (match === null || Number(match[1]) !== MAJOR) return STATUS.BAD_VERSION;
        this.minor = Number(match[2]);
        return STATUS.OK;
      }
      case 1:
        return line === this.#local ? STATUS.OK : STATUS.NOT_ME;
      default: {
        const match = /^(\S+) \d{1,10} \d{1,10}$/.exec(line);
        if (match === null) return STATUS.PROTOCOL_ERROR;
        this.name = match[1]!;
        this.done = true;
        return STATUS.OK;
      }
    }
  }
}

/** The status that a line tells, or null when it is none. */
export function readStatus(line: string): number | null {
  return /^\d{3}$/.test(line) ? Number(line) : null;
}
