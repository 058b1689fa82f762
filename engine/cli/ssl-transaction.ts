/**
 * Changes of certificates, `ca-file` and `crl-file` are prepared in a transaction, one at a time of each kind, which all
 * sessions see; only `commit` puts it in force. Objects that are new and still empty are known to this thread only.
 */
import type { KeyObject } from 'node:crypto';
import type { DerFile } from '../config/tls-model.ts';
import type { CliEnv } from './command.ts';
import { data, type Message, notice } from './severity.ts';

/** What is to become a certificate. */
export interface Draft {
  readonly name: string;
  readonly leaf: Uint8Array | null;
  readonly chain: readonly Uint8Array[];
  readonly key: KeyObject | null;
  readonly dh: Uint8Array | null;
  readonly ocsp: Uint8Array | null;
  readonly issuer: Uint8Array | null;
  readonly sctl: Uint8Array | null;
  readonly ocspUpdate: boolean;
}

export class Desk<T extends { readonly name: string }> {
  transaction: T | null = null;
  /** Names of what `new` has made. */
  readonly empty = new Set<string>();

  /** Why the transaction is not that of `name`; null = it is, or there is none. */
  conflict(name: string, doing: string): string | null {
    const { transaction } = this;
    if (transaction === null || transaction.name === name) return null;
    return `The ongoing transaction is about '${transaction.name}' but you are trying to ${doing} '${name}'`;
  }

  /** Puts what is prepared into its place; tells whether it is new. */
  prepare(transaction: T): boolean {
    const isNew = this.transaction === null;
    this.transaction = transaction;
    return isNew;
  }

  abort(name: string | undefined, what: string, noun: string): string | Message {
    if (!name) return `'abort ssl ${what}' expects a filename`;
    if (this.transaction === null) return 'No ongoing transaction!';
    const conflict = this.conflict(name, 'abort a transaction for');
    if (conflict !== null) return conflict;
    this.transaction = null;
    return notice(`Transaction aborted for ${noun} '${name}'!`);
  }
}

interface Desks {
  readonly certificates: Desk<Draft>;
  readonly authorities: Desk<DerFile>;
  readonly revocations: Desk<DerFile>;
}

const DESKS = new WeakMap<object, Desks>();

/** Those of this process. */
export function desksOf({ tls }: CliEnv): Desks {
  let desks = DESKS.get(tls);
  if (desks === undefined) {
    desks = { certificates: new Desk(), authorities: new Desk(), revocations: new Desk() };
    DESKS.set(tls, desks);
  }
  return desks;
}

/** `*name` = the transaction, `\*name` = a name that begins with a star. */
export function readName(word: string): { readonly name: string; readonly prepared: boolean } {
  if (word.startsWith('*')) return { name: word.slice(1), prepared: true };
  return { name: word.startsWith('\\') ? word.slice(1) : word, prepared: false };
}

/** The names there are: that of the transaction, then all others in order. */
export function listing(transaction: string | null, names: readonly string[]): string {
  const open = transaction === null ? [] : ['# transaction', `*${transaction}`];
  return [...open, '# filename', ...names].join('\n');
}

/** What `commit` answers: a dot for each place where it is used. */
export function committed(name: string, uses: number): string | Message {
  return data(`Committing ${name}${'.'.repeat(uses)}\nSuccess!`);
}

export const NO_ROOM = 'There is no room for the change.';
