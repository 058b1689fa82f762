/**
 * What changed from one configuration to another, for people: what a reload did, or would do.
 *
 *     backend web: server s3 added
 *     frontend all, backend web: timeout client 30s -> 10s
 *
 * Every thing (the global section, a proxy, a listener, a server) is made a list of settings, each a word and a text, and the
 * lists are compared. Numbers of things in the model are replaced by names first, as they move when a thing is added.
 */
import { RULE_SETS } from '../rules/rule-sets.ts';
import {
  APART,
  GROUPS,
  isThing,
  isTold,
  NONE,
  ruleOf,
  SECRETS,
  type Side,
  spaced,
  takeOut,
  textOf,
  valueOf,
  WORDS,
} from './diff-text.ts';
import type { LogForward } from './log-model.ts';
import { findProxy } from './match.ts';
import { type Bind, isBackend, isFrontend, isThere, type Model } from './model.ts';
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
  for (const proxy of after.proxies.filter(isThere)) {
    const old = findProxy(before, proxy);
    if (old === undefined || kept.has(old)) found.push(section(titleOf(proxy), 'added'));
    else found.push(...proxyChanges({ model: before, proxy: old }, { model: after, proxy }));
    if (old !== undefined) kept.add(old);
  }
  for (const proxy of before.proxies.filter(isThere))
    if (!kept.has(proxy)) found.push(section(titleOf(proxy), 'removed'));
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
  ['map', model => patternFiles(model, true)],
  ['acl file', model => patternFiles(model, false)],
];

const patternFiles = ({ patternRefs }: Model, pairs: boolean) =>
  patternRefs
    .filter(ref => ref.name !== '' && ref.pairs === pairs)
    .map(({ name, bytes }) => ({ name, content: bytes }));

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
    if (before instanceof Uint8Array && after instanceof Uint8Array) {
      if (Buffer.compare(before, after) !== 0) this.add(what, 'changed');
      return;
    }
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

  /**
   * Rules have no names: how many are new, how many are gone, in how many a file says something else, or that only their
   * order changed.
   */
  rules(what: string, before: readonly unknown[], after: readonly unknown[]): void {
    const left = before.map(rule => ruleOf(rule, this.#before));
    const now = after.map(rule => ruleOf(rule, this.#after));
    if (left.length === now.length && left.every(({ whole }, i) => whole === now[i]!.whole)) return;
    const other = now.filter(rule => !takeOut(left, rule, 'whole'));
    const added = other.filter(rule => !takeOut(left, rule, 'withoutContent'));
    const rules = (n: number) => `${what} ${n === 1 ? 'rule' : `rules (${n})`}`;
    const refilled = other.length - added.length;
    if (refilled > 0) this.add(`content of ${rules(refilled)}`, 'changed');
    if (added.length > 0) this.add(rules(added.length), 'added');
    if (left.length > 0) this.add(rules(left.length), 'removed');
    if (other.length + left.length === 0) this.add(`order of ${what} rules`, 'changed');
  }
}
