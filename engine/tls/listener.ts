/**
 * TLS of one `bind` line in one thread: which certificate a client is shown. The client's hello is read before OpenSSL
 * sees it, so that its connection is made from the right context at once.
 *
 *   name in the hello ──► exact names ──► wildcards ──► default (the first, or `default-crt`); none with `strict-sni`
 *                            └── an ECDSA certificate for clients that can, else RSA ──┘
 */
import type { BindCertificate, BindSettings, BindTls, Certificate, GlobalTls } from '../config/tls-model.ts';
import { type ServerSide, serverContext, type TlsContext } from './context.ts';
import { Forge } from './forge.ts';
import type { Hello } from './hello.ts';
import type { TlsStore } from './store.ts';

/** A certificate with its settings; its context is made when it is first shown. */
interface Choice {
  readonly certificate: Certificate;
  readonly settings: BindSettings;
  context: TlsContext | null;
}

/** Names as they are looked up: whole, and without their first label where that is `*`. */
interface Names {
  readonly exact: Map<string, Choice[]>;
  readonly wild: Map<string, Choice[]>;
  /** Names that wildcards do not stand for, and whose. */
  readonly not: Map<string, Choice[]>;
  readonly defaults: Choice[];
}

export class TlsListener {
  readonly bind: BindTls;
  readonly #store: TlsStore;
  readonly #side: ServerSide;
  readonly #forge: Forge | null;
  readonly #madeMax: number;
  /** Contexts of certificates that were made, by name and kind of key. */
  readonly #made = new Map<string, TlsContext>();
  #names: Names;
  #generation: number;
  #verifiersGeneration: number;

  /** `identity` tells its sessions from those of others. */
  constructor(store: TlsStore, bind: BindTls, global: GlobalTls, identity: string) {
    this.bind = bind;
    this.#store = store;
    this.#side = serverSide(store, bind, global, identity);
    this.#forge = bind.signer === null ? null : new Forge(bind.signer);
    this.#madeMax = global.madeMax;
    this.#generation = store.generation;
    this.#verifiersGeneration = store.verifiersGeneration;
    this.#names = this.#read();
  }

  /** The context for a client; null = nobody is to be shown. */
  choose(hello: Hello): TlsContext | null {
    const { generation } = this.#store;
    if (this.#generation !== generation) this.#renew(generation);
    const name = hello.serverName.toLowerCase();
    const found = name === '' ? null : this.#find(name, hello);
    const made = found === null && name !== '' ? this.#make(name, hello) : null;
    if (made !== null) return made;
    if (found === null && this.bind.strictSni) return null;
    const choice = found ?? best(this.#names.defaults, hello);
    if (choice === null) return null;
    choice.context ??= serverContext(this.#store, choice.settings, this.#side, choice.certificate);
    return choice.context;
  }

  /** A certificate made for the name, or made before; null where none is made. */
  #make(name: string, hello: Hello): TlsContext | null {
    const like = this.#forge === null ? null : best(this.#names.defaults, hello);
    if (like === null) return null;
    const key = `${name} ${like.certificate.keyType}`;
    let context = this.#made.get(key);
    if (context === undefined) {
      const certificate = this.#forge!.make(name, like.certificate);
      if (certificate === null) return null;
      context = serverContext(this.#store, like.settings, this.#side, certificate);
      if (this.#made.size >= this.#madeMax) this.#forget(this.#made.keys().next().value!);
    }
    // The last one is the one used last.
    this.#made.delete(key);
    this.#made.set(key, context);
    return context;
  }

  #forgetMade(): void {
    for (const key of [...this.#made.keys()]) this.#forget(key);
  }

  /** Connections made from it go on. */
  #forget(key: string): void {
    this.#made.get(key)?.free();
    this.#made.delete(key);
  }

  #find(name: string, hello: Hello): Choice | null {
    const { exact, wild, not } = this.#names;
    const own = exact.get(name) ?? [];
    const dot = name.indexOf('.');
    const excepted = not.get(name) ?? [];
    const others = dot < 0 ? [] : (wild.get(name.slice(dot)) ?? []).filter(choice => !excepted.includes(choice));
    return best(others.length === 0 ? own : [...own, ...others], hello);
  }

  #read(): Names {
    const names: Names = { exact: new Map(), wild: new Map(), not: new Map(), defaults: [] };
    const certificates = certificatesOf(this.bind, this.#store);
    certificates.forEach((entry, i) => {
      const choice: Choice = {
        certificate: this.#store.certificate(entry.certificate),
        settings: entry.settings ?? this.bind,
        context: null,
      };
      for (const name of filtersOf(entry, choice.certificate)) addName(names, name, choice);
      // A pair of files, `site.rsa` and `site.ecdsa`, is the default together, unless it stands in a list.
      const first = certificates[0]!;
      const pair = first.from === null && stem(entry) === stem(first) && stem(entry) !== entry.certificate;
      if (i === 0 || entry.isDefault || pair) names.defaults.push(choice);
    });
    return names;
  }

  /** Certificates were replaced. Connections that were made with the old ones go on. */
  #renew(generation: number): void {
    const { verifiersGeneration } = this.#store;
    const before = this.#names;
    this.#forgetMade();
    this.#names = this.#read();
    if (this.#verifiersGeneration === verifiersGeneration) keepContexts(before, this.#names);
    freeContexts(before);
    this.#generation = generation;
    this.#verifiersGeneration = verifiersGeneration;
  }

  free(): void {
    this.#forgetMade();
    freeContexts(this.#names);
  }
}

function choicesOf({ exact, wild, defaults }: Names): Set<Choice> {
  return new Set([...exact.values(), ...wild.values(), defaults].flat());
}

/** Contexts of certificates that are the same go on. */
function keepContexts(before: Names, now: Names): void {
  const known = new Map<Certificate, Choice[]>();
  for (const choice of choicesOf(before)) {
    if (choice.context !== null) known.set(choice.certificate, [...(known.get(choice.certificate) ?? []), choice]);
  }
  for (const choice of choicesOf(now)) {
    const same = known.get(choice.certificate)?.find(old => old.settings === choice.settings && old.context !== null);
    if (same === undefined) continue;
    choice.context = same.context;
    same.context = null;
  }
}

function freeContexts(names: Names): void {
  for (const choice of choicesOf(names)) {
    choice.context?.free();
    choice.context = null;
  }
}

/** The certificates of a bind line as they are now: lines of its lists come and go. */
export function certificatesOf(bind: BindTls, store: TlsStore): readonly BindCertificate[] {
  if (bind.lists.length === 0) return bind.certificates;
  const left = bind.certificates.filter(({ from }) => {
    return from === null || store.list(from.list)?.some(line => line.added === null && line.number === from.line);
  });
  const added = bind.lists.flatMap(name =>
    (store.list(name) ?? []).flatMap(({ number, certificates, filters, added }) => {
      if (added === null) return [];
      const settings = Object.keys(added).length === 0 ? null : { ...bind, ...added };
      const rest = { filters, settings, isDefault: filters.includes('*'), from: { list: name, line: number } };
      return certificates.map(certificate => ({ certificate, ...rest }));
    }),
  );
  return [...left, ...added];
}

export function serverSide(store: TlsStore, bind: BindTls, global: GlobalTls, identity: string): ServerSide {
  const { dhParams, dhBits, lifetimeSeconds, maxRecordBytes, keyUpdatesMax } = global;
  const sessions = store.sessions(global.cacheSize);
  return {
    identity,
    tickets: store.tickets(bind.ticketKeys),
    dhParams,
    dhBits,
    sessions,
    lifetimeSeconds,
    maxRecordBytes,
    keyUpdatesMax,
  };
}

/** Negative filters alone only take names away. */
export function filtersOf({ filters }: BindCertificate, { names }: Certificate): readonly string[] {
  return filters.some(filter => !filter.startsWith('!')) ? filters : [...names, ...filters];
}

function addName({ exact, wild, not }: Names, name: string, choice: Choice): void {
  if (name === '*') return;
  if (name.startsWith('!')) push(not, name.slice(1), choice);
  else if (name.startsWith('*.')) push(wild, name.slice(1), choice);
  else push(exact, name, choice);
}

function push(map: Map<string, Choice[]>, name: string, choice: Choice): void {
  const list = map.get(name);
  if (list === undefined) map.set(name, [choice]);
  else list.push(choice);
}

function stem({ certificate }: BindCertificate): string {
  return certificate.replace(/\.(rsa|ecdsa|dsa)$/, '');
}

/** The first of the kind that the client likes best; of a kind it cannot check when there is no other. */
function best(choices: readonly Choice[], { ecdsa, rsa }: Hello): Choice | null {
  const of = (type: Certificate['keyType']) => choices.find(({ certificate }) => certificate.keyType === type);
  return (ecdsa && of('ecdsa')) || (rsa && of('rsa')) || of('other') || of('ecdsa') || of('rsa') || null;
}
