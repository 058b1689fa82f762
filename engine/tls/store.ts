/**
 * The files of a thread: certificates, authorities, revocation lists, by name. What they are made into is made when it is
 * first needed, and again when a file was replaced.
 */
import type { Certificate, CrtListLine, DerFile, TlsFiles } from '../config/tls-model.ts';
import type { ChangeLog } from '../shm/change-log.ts';
import { Handle } from './handle.ts';
import { certificateOf, revocationsOf } from './objects.ts';
import { CRL_CHECK, openssl } from './openssl.ts';
import { newSessionMemory, SessionCache } from './session-cache.ts';
import { singleKey, TicketKeys, type TicketRing } from './tickets.ts';

const STORES = new WeakMap<TlsFiles, TlsStore>();

/** The one store of a configuration in this thread. */
export function tlsStore(files: TlsFiles): TlsStore {
  let store = STORES.get(files);
  if (store === undefined) {
    store = new TlsStore(files);
    STORES.set(files, store);
  }
  return store;
}

export class TlsStore {
  /** What tickets are made with where no file says otherwise; null = OpenSSL's own keys. */
  readonly #ticketKey: TicketRing | null;
  /** `tune.ssl.keylog`. */
  readonly keylog: boolean;
  /** Those that all threads share; null = this thread has its own. */
  readonly #sharedSessions: SharedArrayBuffer | null;
  #sessions: SessionCache | null = null;
  readonly #certificates = new Map<string, Certificate>();
  readonly #authorities = new Map<string, DerFile>();
  readonly #revocations = new Map<string, DerFile>();
  readonly #ticketKeys = new Map<string, { file: DerFile; readonly ring: TicketKeys }>();
  readonly #verifiers = new Map<string, Handle>();
  readonly #lists = new Map<string, readonly CrtListLine[]>();
  /** Where other threads' changes are; null = nothing changes. */
  #log: ChangeLog | null = null;
  #generation = 0;
  /** Grows when authorities or revocation lists are replaced, which contexts have in them. */
  verifiersGeneration = 0;

  constructor(files: TlsFiles) {
    this.#ticketKey = files.ticketKey.length === 0 ? null : singleKey(files.ticketKey);
    this.keylog = files.keylog;
    this.#sharedSessions = files.sessions;
    for (const file of files.certificates) this.#certificates.set(file.name, file);
    for (const file of files.authorities) this.#authorities.set(file.name, file);
    for (const file of files.revocations) this.#revocations.set(file.name, file);
    for (const file of files.ticketKeys) this.replaceTicketKeys(file);
    for (const { name, lines } of files.lists) this.#lists.set(name, lines);
  }

  /** From now on it is looked there for changes before the generation is told. */
  follow(log: ChangeLog): void {
    this.#log = log;
  }

  /** Grows with every replacement: contexts of another generation are made again. */
  get generation(): number {
    if (this.#log?.behind) this.#log.catchUp();
    return this.#generation;
  }

  /** Where sessions are kept, with room for `blocks` where they are this thread's own; null = nowhere. */
  sessions(blocks: number): SessionCache | null {
    if (blocks > 0) this.#sessions ??= new SessionCache(this.#sharedSessions ?? newSessionMemory(blocks));
    return this.#sessions;
  }

  /** Throws when there is none of that name. */
  certificate(name: string): Certificate {
    const found = this.#certificates.get(name);
    if (found === undefined) throw new Error(`tls: there is no certificate '${name}'`);
    return found;
  }

  /** The DER certificates of a `ca-file`. */
  authorities(name: string): readonly Uint8Array[] {
    return this.#authorities.get(name)?.entries ?? [];
  }

  replaceCertificate(certificate: Certificate): void {
    this.#certificates.set(certificate.name, certificate);
    this.#generation++;
  }

  /** Nobody uses it any more. */
  removeCertificate(name: string): void {
    this.#certificates.delete(name);
  }

  find(name: string): Certificate | null {
    return this.#certificates.get(name) ?? null;
  }

  /** The lines of a list as they are now. */
  list(name: string): readonly CrtListLine[] | null {
    return this.#lists.get(name) ?? null;
  }

  replaceList(name: string, lines: readonly CrtListLine[]): void {
    this.#lists.set(name, lines);
    this.#generation++;
  }

  /** What there is, in the order in which it came. */
  get all() {
    return {
      certificates: [...this.#certificates.values()],
      authorities: [...this.#authorities.values()],
      revocations: [...this.#revocations.values()],
      ticketKeys: [...this.#ticketKeys.values()].map(({ file }) => file),
      lists: [...this.#lists.keys()],
    };
  }

  /** Keys of a `tls-ticket-keys` file; null = those that all others have. */
  tickets(file: string | null): TicketRing | null {
    return file === null ? this.#ticketKey : (this.#ticketKeys.get(file)?.ring ?? null);
  }

  /** Contexts go on with the new keys. */
  replaceTicketKeys(file: DerFile): void {
    const known = this.#ticketKeys.get(file.name);
    if (known === undefined) this.#ticketKeys.set(file.name, { file, ring: new TicketKeys(file.entries) });
    else {
      known.file = file;
      known.ring.replace(file.entries);
    }
  }

  replaceAuthorities(file: DerFile): void {
    this.#authorities.set(file.name, file);
    this.#forgetVerifiers();
  }

  removeAuthorities(name: string): void {
    this.#authorities.delete(name);
  }

  removeRevocations(name: string): void {
    this.#revocations.delete(name);
  }

  replaceRevocations(file: DerFile): void {
    this.#revocations.set(file.name, file);
    this.#forgetVerifiers();
  }

  /** An X509_STORE of authorities and revocation lists, shared by all contexts that name the same files. */
  verifier(caFiles: readonly string[], crlFile: string | null): Handle {
    const key = [...caFiles, crlFile ?? ''].join('\0');
    const known = this.#verifiers.get(key);
    if (known !== undefined) return known;
    const made = new Handle('store', openssl.X509_STORE_new(), openssl.X509_STORE_free);
    for (const der of caFiles.flatMap(file => this.authorities(file))) {
      const x509 = certificateOf(der);
      openssl.X509_STORE_add_cert(made.pointer, x509);
      openssl.X509_free(x509);
    }
    if (crlFile !== null) this.#addRevocations(made, crlFile);
    this.#verifiers.set(key, made);
    return made;
  }

  #addRevocations(store: Handle, crlFile: string): void {
    for (const der of this.#revocations.get(crlFile)?.entries ?? []) {
      const crl = revocationsOf(der);
      openssl.X509_STORE_add_crl(store.pointer, crl);
      openssl.X509_CRL_free(crl);
    }
    openssl.X509_STORE_set_flags(store.pointer, CRL_CHECK);
  }

  #forgetVerifiers(): void {
    for (const verifier of this.#verifiers.values()) verifier.free();
    this.#verifiers.clear();
    this.verifiersGeneration++;
    this.#generation++;
  }

  /** What is in use goes on. */
  free(): void {
    this.#forgetVerifiers();
  }
}
