/**
 * Certificates, authorities, revocation lists and crt-lists that are replaced at run time: every thread has its own store,
 * and follows the changes (shm/change-log.ts) before it chooses a certificate the next time.
 */
import { deserialize, serialize } from 'node:v8';
import type { Certificate, CrtListLine, DerFile } from '../config/tls-model.ts';
import type { Change, ChangeLog, Follower } from '../shm/change-log.ts';
import type { TlsStore } from './store.ts';

/** What can change: the numbers of records. The key is the name, the value the serialized object; none = it is gone. */
const CERTIFICATE = 32;
const AUTHORITIES = 33;
const REVOCATIONS = 34;
const LIST = 35;
const TICKET_KEYS = 36;

/** What each becomes in the store of a thread. */
const APPLY: Readonly<Record<number, (store: TlsStore, name: string, object: unknown) => void>> = {
  [CERTIFICATE]: (store, name, object) =>
    object === null ? store.removeCertificate(name) : store.replaceCertificate(object as Certificate),
  [AUTHORITIES]: (store, name, object) =>
    object === null ? store.removeAuthorities(name) : store.replaceAuthorities(object as DerFile),
  [REVOCATIONS]: (store, name, object) =>
    object === null ? store.removeRevocations(name) : store.replaceRevocations(object as DerFile),
  [LIST]: (store, name, object) => store.replaceList(name, object as readonly CrtListLine[]),
  [TICKET_KEYS]: (store, _name, object) => store.replaceTicketKeys(object as DerFile),
};

export class TlsChanges implements Follower {
  readonly kinds = Object.keys(APPLY).map(Number);
  readonly store: TlsStore;
  readonly #log: ChangeLog;
  /** What is not as the configuration has it, by kind and name: the record's value. */
  readonly #changed = new Map<string, { readonly kind: number; readonly name: string; readonly value: Uint8Array }>();

  constructor(store: TlsStore, log: ChangeLog) {
    this.store = store;
    this.#log = log;
    log.follow(this);
    store.follow(log);
  }

  // --- changing: in force in all threads when it returns true; false = there is no room for it ---

  putCertificate(certificate: Certificate): boolean {
    return this.#change(CERTIFICATE, certificate.name, certificate);
  }

  putAuthorities(file: DerFile): boolean {
    return this.#change(AUTHORITIES, file.name, file);
  }

  putRevocations(file: DerFile): boolean {
    return this.#change(REVOCATIONS, file.name, file);
  }

  putList(name: string, lines: readonly CrtListLine[]): boolean {
    return this.#change(LIST, name, lines);
  }

  putTicketKeys(file: DerFile): boolean {
    return this.#change(TICKET_KEYS, file.name, file);
  }

  removeCertificate(name: string): boolean {
    return this.#change(CERTIFICATE, name, null);
  }

  removeAuthorities(name: string): boolean {
    return this.#change(AUTHORITIES, name, null);
  }

  removeRevocations(name: string): boolean {
    return this.#change(REVOCATIONS, name, null);
  }

  #change(kind: number, name: string, object: object | null): boolean {
    const value = object === null ? new Uint8Array(0) : serialize(object);
    return this.#log.change(() => this.#log.append(kind, 0, 0, 0, Buffer.from(name), value));
  }

  // --- following ---

  apply({ kind, bytes, start, mid, end }: Change): void {
    const name = Buffer.from(bytes.subarray(start, mid)).toString();
    const value = bytes.slice(mid, end);
    this.#changed.set(`${kind} ${name}`, { kind, name, value });
    APPLY[kind]!(this.store, name, value.length === 0 ? null : deserialize(Buffer.from(value)));
  }

  snapshot(log: ChangeLog): void {
    for (const { kind, name, value } of this.#changed.values()) log.append(kind, 0, 0, 0, Buffer.from(name), value);
  }
}
