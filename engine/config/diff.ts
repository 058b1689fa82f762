/**
 * What changed from one configuration to another, for people: what a reload did, or would do.
 *
 *     backend web: server s3 added
 *     backend web: timeout server 30s -> 10s
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

/** All changes, in the order of the configuration; what is gone comes last. */
export function diff(before: Model, after: Model): Change[] {
  const changes = new Changes('global', { model: before, proxy: null }, { model: after, proxy: null });
  changes.settings('', before.global, after.global);
  changes.named('stats socket', before.global.statsSockets, after.global.statsSockets);
  changes.named('userlist', before.userlists.map(withText), after.userlists.map(withText));
  changes.named('ring', before.rings.map(withText), after.rings.map(withText));
  changes.named('log-forward', before.logForwards.map(forwardOf), after.logForwards.map(forwardOf));
  const kept = new Set<Proxy>();
  const found: Change[] = [];
  for (const proxy of after.proxies) {
    const old = findProxy(before, proxy);
    if (old === undefined || kept.has(old)) found.push(whole(proxy, 'added'));
    else found.push(...proxyChanges({ model: before, proxy: old }, { model: after, proxy }));
    if (old !== undefined) kept.add(old);
  }
  for (const proxy of before.proxies) if (!kept.has(proxy)) found.push(whole(proxy, 'removed'));
  return [...changes.list, ...found];
}

const titleOf = ({ kind, name }: Proxy): string => `${kind} ${name}`;
const withText = <T extends { readonly name: string }>(thing: T) => ({ ...thing, text: thing.name });

/** Its listeners are told as one setting. */
const forwardOf = ({ binds, dgramBinds, ...section }: LogForward) => {
  const addresses = (list: readonly Bind[]) => list.map(({ text }) => text).join(', ');
  return { ...withText(section), bind: addresses(binds), dgramBind: addresses(dgramBinds) };
};

function whole(proxy: Proxy, kind: 'added' | 'removed'): Change {
  return { where: titleOf(proxy), what: 'section', kind, from: null, to: null };
}

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

  /** The settings of one thing that differ; `prefix` names the thing. */
  settings(prefix: string, before: object, after: object): void {
    const old = settingsOf(before, this.#before);
    const now = settingsOf(after, this.#after);
    for (const what of new Set([...old.keys(), ...now.keys()])) {
      const from = old.get(what) ?? 'none';
      const to = now.get(what) ?? 'none';
      if (from === to) continue;
      const long = from.length > VALUE_CHARS_MAX || to.length > VALUE_CHARS_MAX;
      if (long) this.add(prefix + what, 'changed');
      else this.add(prefix + what, 'changed', from, to);
    }
  }

  /** Servers go by name, listeners by address. */
  named(
    what: 'server' | 'bind' | 'stats socket' | 'userlist' | 'ring' | 'log-forward',
    before: readonly Named[],
    after: readonly Named[],
  ): void {
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
  ...['text', 'saved', 'portRelative', 'portOffset', 'hostname'],
];
/** Parts whose own parts are told one by one, and the word before each. */
const GROUPS: Readonly<Record<string, string>> = {
  timeouts: 'timeout ',
  options: 'option ',
  tune: 'tune.',
  check: 'check ',
  agent: 'agent ',
  balance: 'balance ',
};
/** Fields whose name is not the keyword's in other letters. */
const WORDS: Readonly<Record<string, string>> = {
  defaultBackend: 'default_backend',
  ulimitN: 'ulimit-n',
  closeSpreadMs: 'close-spread-time',
  maxReloads: 'mworker-max-reloads',
};

function settingsOf(thing: object, side: Side, before = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(thing)) {
    if (APART.includes(name) || follows(name, thing)) continue;
    const group = before === '' ? GROUPS[name] : undefined;
    if (group !== undefined && value !== null) {
      for (const [word, text] of settingsOf(value as object, side, group)) found.set(word, text);
    } else found.set(`${before}${WORDS[name] ?? spaced(name)}`, textOf(name, value, side));
  }
  return found;
}

/** Intervals that only follow `inter`. */
function follows(name: string, thing: object): boolean {
  if (name !== 'fastinterMs' && name !== 'downinterMs') return false;
  const { interMs, [name]: value } = thing as Readonly<Record<string, unknown>>;
  return value === interMs;
}

/** `clientFinMs` is `client-fin`. */
function spaced(name: string): string {
  return name.replace(/(?:Ms|Bytes)$/, '').replace(/[A-Z]/g, capital => `-${capital.toLowerCase()}`);
}

function textOf(name: string, value: unknown, side: Side): string {
  if (value === null || (value === 0 && name.endsWith('Ms'))) return 'none';
  if (typeof value === 'boolean') return value ? 'on' : 'off';
  if (name.endsWith('Ms') && typeof value === 'number') return timeText(value);
  if (name === 'defaultBackend') return proxyName(side.model, value as number);
  if (isAddress(value)) return value.family === 1 ? addressText(value) : `${hostText(value)}:${value.port}`;
  return typeof value === 'string' ? value : plain(value, side);
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

function proxyName(model: Model, index: number): string {
  return model.proxies[index]?.name ?? 'none';
}

/** One text for one meaning: without places, with names for numbers. */
function plain(value: unknown, { model, proxy }: Side): string {
  return (
    JSON.stringify(value, (name, part: unknown) => {
      if (name === 'file' || name === 'line' || name === 'id') return typeof part === 'object' ? part : undefined;
      if (typeof part === 'number' && (name === 'backend' || name === 'proxy')) return proxyName(model, part);
      if (typeof part === 'number' && name === 'server') return proxy?.servers[part]?.name ?? part;
      if (typeof part === 'number' && name === 'acl' && proxy !== null) return proxy.acls[part];
      return part instanceof Uint8Array ? [...part] : part;
    }) ?? 'none'
  );
}
