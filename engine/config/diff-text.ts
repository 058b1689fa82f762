/** What settings and rules are called, and the texts of their values, for those who compare configurations (diff.ts). */
import { addressText, hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { isPatternRef } from '../sample/pattern-ref.ts';
import type { Model } from './model.ts';
import type { Proxy } from './proxy-model.ts';

/** A configuration, and the proxy in it that is looked at. */
export interface Side {
  readonly model: Model;
  readonly proxy: Proxy | null;
}

/** Parts that are compared by themselves, or say nothing: places, and numbers that are given automatically. */
export const APART = [
  ...[
    'file',
    'line',
    'index',
    'id',
    'kind',
    'name',
    'binds',
    'servers',
    'settings',
    'defaultServers',
    'serverSlots',
    'rules',
    'acls',
    'statsSockets',
    'useBackend',
    'useServer',
  ],
  ...['text', 'saved', 'portRelative', 'portOffset', 'portsAt', 'hostname', 'tables'],
];
/** Parts whose own parts are told one by one, and the word before each. */
export const GROUPS: Readonly<Record<string, string>> = {
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
export const WORDS: Readonly<Record<string, string>> = {
  defaultBackend: 'default_backend',
  ulimitN: 'ulimit-n',
  closeSpreadMs: 'close-spread-time',
  maxReloads: 'mworker-max-reloads',
  forwardFor: 'forwardfor',
  errorPages: 'errorfile',
  logs: 'log',
  data: 'store',
};
export const NONE = 'none';
/** Numbers that mean something else. */
const NUMBERS: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  nbthread: { 0: 'automatic' },
  maxconn: { 0: NONE },
  minconn: { 0: NONE },
  redispatch: { 0: 'off', [-1]: 'on' },
  sendProxy: { 0: 'off', 1: 'v1', 2: 'v2' },
};
export const SECRETS = ['dynamicCookieKey'];

/** A setting of `thing`; what only follows another one is `undefined`. `owner`: what `thing` is a part of. */
export function valueOf(thing: object, name: string, owner: object | undefined): unknown {
  const { interMs, [name]: value } = thing as Readonly<Record<string, unknown>>;
  if ((name === 'fastinterMs' || name === 'downinterMs') && value === interMs) return undefined;
  const above = name === 'address' && owner !== undefined ? (owner as Readonly<Record<string, unknown>>)[name] : null;
  return isAddress(above) && isAddress(value) && placeText(value) === placeText(above) ? undefined : value;
}

export function isThing(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** What can be shown as it is: no structures. */
export function isTold(value: unknown): boolean {
  return Array.isArray(value) ? value.every(one => typeof one !== 'object') : !isThing(value) || isAddress(value);
}

/** `clientFinMs` is `client-fin`. */
export function spaced(name: string): string {
  return name.replace(/(?:Ms|Bytes)$/, '').replace(/[A-Z]/g, capital => `-${capital.toLowerCase()}`);
}

export function textOf(name: string, value: unknown, side: Side): string {
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

/** A rule as a text, and one without what the files say that it names. */
interface RuleText {
  readonly whole: string;
  readonly withoutContent: string;
}

export const ruleOf = (rule: unknown, side: Side): RuleText => ({
  whole: plain(rule, side),
  withoutContent: plain(rule, side, false),
});

/** Takes the first that is the same out of a list; false = there is none. */
export function takeOut(rules: RuleText[], rule: RuleText, as: keyof RuleText): boolean {
  const at = rules.findIndex(one => one[as] === rule[as]);
  if (at >= 0) rules.splice(at, 1);
  return at >= 0;
}

/**
 * One text for one meaning: without places, with names for numbers. Pattern files are told by themselves. `content`: with
 * that of other files.
 */
function plain(value: unknown, side: Side, content = true): string {
  return (
    JSON.stringify(value, function (this: Readonly<Record<string, unknown>>, name, part: unknown) {
      if (isPatternRef(part)) return part.name === '' ? part.patterns : part.name;
      if (name === 'file' || name === 'line' || name === 'id') return typeof part === 'object' ? part : undefined;
      if (typeof part === 'number' && name === 'acl' && side.proxy !== null) return side.proxy.acls[part];
      if (typeof part === 'number') return placed(name, part, side) ?? part;
      // A Buffer is something else by now.
      const bytes = this[name];
      return bytes instanceof Uint8Array ? content && [...bytes] : part;
    }) ?? NONE
  );
}
