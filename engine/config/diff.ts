/**
 * What changed from one configuration to another, for people: what a reload did, or would do.
 *
 *     backend web: server s3 added
 *     frontend all, backend web: timeout client 30s -> 10s
 *
 * Every thing (the global section, a proxy, a listener, a server) is made a list of settings, each a word and a text, and the
 * lists are compared. Numbers of things in the model are replaced by names first, as they move when a thing is added.
 */
import { addressText, hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { RULE_SETS } from '../rules/rule-sets.ts';
import type { LogForward } from './log-model.ts';
import { findProxy } from './match.ts';
import { type Bind, isBackend, isFrontend, type Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';

export interface Change {
  /** `global`, `backend web`. */
  readonly where: string;
  /** `server s3`, `timeout server`. */
  readonly what: string;
  readonly kind: 'added' | 'removed' | 'changed';
  /** What it was and what it is; null where that is too long to be told. */
  readonly from: string | null;
  readonly to: string | null;
}

/** The line that tells of a change. */
export function changeText({ where, what, kind, from, to }: Change): string {
  if (kind !== 'changed') return `${where}: ${what} ${kind}`;
  return from === null || to === null ? `${where}: ${what} changed` : `${where}: ${what} ${from} -> ${to}`;
}

/** The lines that tell of changes: what changed alike in several places, as a `defaults` section has it, is told once. */
export function changeLines(changes: readonly Change[]): string[] {
  const alike = Map.groupBy(changes, change => changeText({ ...change, where: '' }));
  return [...alike].map(([text, all]) => `${all.map(({ where }) => where).join(', ')}${text}`);
}

/** All changes, in the order of the configuration; what is gone comes last. */
export function diff(before: Model, after: Model): Change[] {
  const changes = new Changes('global', { model: before, proxy: null }, { model: after, proxy: null });
  changes.settings('', before.global, after.global);
  changes.named('stats socket', before.global.statsSockets, after.global.statsSockets);
  const sections = SECTIONS.flatMap(([word, of]) => sectionChanges(word, of, before, after));
  const kept = new Set<Proxy>();
  const found: Change[] = [];
  for (const proxy of after.proxies) {
    const old = findProxy(before, proxy);
    if (old === undefined || kept.has(old)) found.push(section(titleOf(proxy), 'added'));
    else found.push(...proxyChanges({ model: before, proxy: old }, { model: after, proxy }));
    if (old !== undefined) kept.add(old);
  }
  for (const proxy of before.proxies) if (!kept.has(proxy)) found.push(section(titleOf(proxy), 'removed'));
  return [...changes.list, ...sections, ...found];
}

/** What has a name and is no proxy. Of files the content is compared, and never told. */
const SECTIONS: readonly (readonly [string, (model: Model) => readonly { readonly name: string }[]])[] = [
  ['userlist', model => model.userlists],
  ['http-errors', model => model.httpErrors],
  ['resolvers', model => model.resolvers],
  ['log-profile', model => model.logProfiles],
  ['ring', model => model.rings],
  ['log-forward', model => model.logForwards.map(forwardOf)],
  ['peers', model => model.peers],
  ['stick-table', model => model.tables],
  ['certificate', model => model.tls.certificates.map(contentOf)],
  ['ca-file', model => model.tls.authorities.map(contentOf)],
  ['crl-file', model => model.tls.revocations.map(contentOf)],
  ['crt-list', model => model.tls.lists.map(contentOf)],
];

const contentOf = <T extends { readonly name: string }>(content: T) => ({ name: content.name, content });

function sectionChanges(
  word: string,
  of: (model: Model) => readonly { readonly name: string }[],
  before: Model,
  after: Model,
): Change[] {
  const left = new Map(of(before).map(one => [one.name, one]));
  const found = of(after).flatMap(one => {
    const where = `${word} ${one.name}`;
    const old = left.get(one.name);
    left.delete(one.name);
    if (old === undefined) return [section(where, 'added')];
    const changes = new Changes(where, { model: before, proxy: null }, { model: after, proxy: null });
    changes.settings('', old, one);
    return changes.list;
  });
  return [...found, ...[...left.keys()].map(name => section(`${word} ${name}`, 'removed'))];
}

function section(where: string, kind: 'added' | 'removed'): Change {
  return { where, what: 'section', kind, from: null, to: null };
}

const titleOf = ({ kind, name }: Proxy): string => `${kind} ${name}`;

/** Its listeners are told as one setting. */
const forwardOf = ({ binds, dgramBinds, ...section }: LogForward) => {
  const addresses = (list: readonly Bind[]) => list.map(({ text }) => text).join(', ');
  return { ...section, bind: addresses(binds), dgramBind: addresses(dgramBinds) };
};

/** A configuration, and the proxy in it that is looked at. */
interface Side {
  readonly model: Model;
  readonly proxy: Proxy | null;
}

function proxyChanges(before: Side & { proxy: Proxy }, after: Side & { proxy: Proxy }): readonly Change[] {
  const [old, proxy] = [before.proxy, after.proxy];
  const changes = new Changes(titleOf(proxy), before, after);
  if (old.name !== proxy.name) changes.add('name', 'changed', old.name, proxy.name);
  changes.settings('', old, proxy);
  for (const { name, keyword } of RULE_SETS) changes.rules(keyword, old.rules[name], proxy.rules[name]);
  changes.rules('use_backend', old.useBackend, proxy.useBackend);
  changes.rules('use-server', old.useServer, proxy.useServer);
  if (isFrontend(proxy)) changes.named('bind', old.binds, proxy.binds);
  if (isBackend(proxy)) changes.named('server', old.servers, proxy.servers);
  return changes.list;
}

/** A longer value is not told. */
const VALUE_CHARS_MAX = 60;

interface Named {
  readonly name: string;
  readonly text: string;
}

/** The changes of one section. */
class Changes {
  readonly list: Change[] = [];
  readonly #where: string;
  readonly #before: Side;
  readonly #after: Side;

  constructor(where: string, before: Side, after: Side) {
    this.#where = where;
    this.#before = before;
    this.#after = after;
  }

  add(what: string, kind: Change['kind'], from: string | null = null, to: string | null = null): void {
    this.list.push({ where: this.#where, what, kind, from, to });
  }

  /** The settings of one thing that differ; `prefix` names the thing, `owner` is what it is a part of, before and after. */
  settings(prefix: string, before: object, after: object, owner: readonly [object, object] | null = null): void {
    for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
      if (APART.includes(name) && !(name === 'name' && owner !== null)) continue;
      const [from, to] = [valueOf(before, name, owner?.[0]), valueOf(after, name, owner?.[1])];
      const group = owner === null ? GROUPS[name] : undefined;
      if (group === undefined) this.#setting(prefix + (WORDS[name] ?? spaced(name)), name, from, to);
      else if (isThing(from) && isThing(to)) this.settings(`${prefix}${group}`, from, to, [before, after]);
      else this.#setting(`${prefix}${group.replace(/[ .]$/, '')}`, name, from, to);
    }
  }

  /** Only what is short and no secret is told; of the rest, that it came, went or changed. */
  #setting(what: string, name: string, before: unknown, after: unknown): void {
    const [from, to] = [textOf(name, before, this.#before), textOf(name, after, this.#after)];
    if (from === to) return;
    const secret = SECRETS.includes(name);
    const told = !secret && [before, after].every(isTold) && Math.max(from.length, to.length) <= VALUE_CHARS_MAX;
    if (told) this.add(what, 'changed', from, to);
    else this.add(what, from === NONE ? 'added' : to === NONE ? 'removed' : 'changed');
  }

  /** Servers go by name, listeners by address. */
  named(what: 'server' | 'bind' | 'stats socket', before: readonly Named[], after: readonly Named[]): void {
    const keyOf = (one: Named) => (what === 'server' ? one.name : one.text);
    const left = new Map(before.map(one => [keyOf(one), one]));
    for (const one of after) {
      const key = keyOf(one);
      const old = left.get(key);
      left.delete(key);
      if (old === undefined) this.add(`${what} ${key}`, 'added');
      else this.settings(`${what} ${key}: `, old, one);
    }
    for (const key of left.keys()) this.add(`${what} ${key}`, 'removed');
  }

  /** Rules have no names: how many are new, how many are gone, or that only their order changed. */
  rules(what: string, before: readonly unknown[], after: readonly unknown[]): void {
    const left = before.map(rule => plain(rule, this.#before));
    const now = after.map(rule => plain(rule, this.#after));
    if (left.join('\n') === now.join('\n')) return;
    let added = 0;
    for (const rule of now) {
      const at = left.indexOf(rule);
      if (at < 0) added++;
      else left.splice(at, 1);
    }
    const rules = (n: number) => `${what} ${n === 1 ? 'rule' : `rules (${n})`}`;
    if (added > 0) this.add(rules(added), 'added');
    if (left.length > 0) this.add(rules(left.length), 'removed');
    if (added + left.length === 0) this.add(`order of ${what} rules`, 'changed');
  }
}

// --- settings ---

/** Parts that are compared by themselves, or say nothing: places, and numbers that are given automatically. */
const APART = [
  ...[
    'file',
    'line',
    'index',
    'id',
    'kind',
    'name',
    'binds',
    'servers',
    'serverSlots',
    'rules',
    'acls',
    'statsSockets',
    'useBackend',
    'useServer',
  ],
  ...['text', 'saved', 'portRelative', 'portOffset', 'hostname', 'tables'],
];
/** Parts whose own parts are told one by one, and the word before each. */
const GROUPS: Readonly<Record<string, string>> = {
  timeouts: 'timeout ',
  options: 'option ',
  tune: 'tune.',
  check: 'check ',
  agent: 'agent ',
  balance: 'balance ',
  cookie: 'cookie ',
  tls: 'ssl ',
  hold: 'hold ',
};
/** Fields whose name is not the keyword's in other letters. */
const WORDS: Readonly<Record<string, string>> = {
  defaultBackend: 'default_backend',
  ulimitN: 'ulimit-n',
  closeSpreadMs: 'close-spread-time',
  maxReloads: 'mworker-max-reloads',
  forwardFor: 'forwardfor',
  errorPages: 'errorfile',
  logs: 'log',
  data: 'store',
};
const NONE = 'none';
/** Numbers that mean something else. */
const NUMBERS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  nbthread: { 0: 'automatic' },
  maxconn: { 0: NONE },
  minconn: { 0: NONE },
  redispatch: { 0: 'off', [-1]: 'on' },
  sendProxy: { 0: 'off', 1: 'v1', 2: 'v2' },
};
const SECRETS = ['dynamicCookieKey'];

/** A setting of `thing`; what only follows another one is `undefined`. `owner`: what `thing` is a part of. */
function valueOf(thing: object, name: string, owner: object | undefined): unknown {
  const { interMs, [name]: value } = thing as Readonly<Record<string, unknown>>;
  if ((name === 'fastinterMs' || name === 'downinterMs') && value === interMs) return undefined;
  const above = name === 'address' && owner !== undefined ? (owner as Readonly<Record<string, unknown>>)[name] : null;
  return isAddress(above) && isAddress(value) && placeText(value) === placeText(above) ? undefined : value;
}

function isThing(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What can be shown as it is: no structures. */
function isTold(value: unknown): boolean {
  return Array.isArray(value) ? value.every(one => typeof one !== 'object') : !isThing(value) || isAddress(value);
}

/** `clientFinMs` is `client-fin`. */
function spaced(name: string): string {
  return name.replace(/(?:Ms|Bytes)$/, '').replace(/[A-Z]/g, capital => `-${capital.toLowerCase()}`);
}

function textOf(name: string, value: unknown, side: Side): string {
  if (value === null || value === undefined || (value === 0 && name.endsWith('Ms'))) return NONE;
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (name.endsWith('Ms') && typeof value === 'number') return timeText(value);
  if (typeof value === 'number') return NUMBERS[name]?.[value] ?? placed(name, value, side) ?? String(value);
  if (isAddress(value)) return placeText(value);
  if (Array.isArray(value) && isTold(value)) return value.length === 0 ? NONE : value.join(',');
  return typeof value === 'string' ? value : plain(value, side);
}

function placeText(address: Address): string {
  return address.family === 1 ? addressText(address) : `${hostText(address)}:${address.port}`;
}

function timeText(ms: number): string {
  if (ms === Infinity) return 'infinite';
  const [size, unit] = (
    [
      [86_400_000, 'd'],
      [3_600_000, 'h'],
      [60_000, 'm'],
      [1_000, 's'],
    ] as const
  ).find(([size]) => ms % size === 0) ?? [1, 'ms'];
  return `${ms / size}${unit}`;
}

function isAddress(value: unknown): value is Address {
  return typeof value === 'object' && value !== null && 'family' in value && 'bytes' in value && 'port' in value;
}

/** Fields that hold the number of something in the model, which has a name. */
const PLACES: Readonly<Record<string, (side: Side, number: number) => string | undefined>> = {
  defaultBackend: ({ model }, n) => model.proxies[n]?.name,
  backend: ({ model }, n) => model.proxies[n]?.name,
  proxy: ({ model }, n) => model.proxies[n]?.name,
  server: ({ proxy }, n) => proxy?.servers[n]?.name,
  table: ({ model }, n) => model.tables[n]?.name,
  writeTo: ({ model }, n) => model.tables[n]?.name,
  peers: ({ model }, n) => model.peers[n]?.name,
  resolvers: ({ model }, n) => model.resolvers[n]?.name,
};

/** The name of what a number stands for; null = it stands for itself. */
function placed(field: string, number: number, side: Side): string | null {
  return Object.hasOwn(PLACES, field) ? (PLACES[field]!(side, number) ?? NONE) : null;
}

/** One text for one meaning: without places, with names for numbers. */
function plain(value: unknown, side: Side): string {
  return (
    JSON.stringify(value, (name, part: unknown) => {
      if (name === 'file' || name === 'line' || name === 'id') return typeof part === 'object' ? part : undefined;
      if (typeof part === 'number' && name === 'acl' && side.proxy !== null) return side.proxy.acls[part];
      if (typeof part === 'number') return placed(name, part, side) ?? part;
      return part instanceof Uint8Array ? [...part] : part;
    }) ?? NONE
  );
}
