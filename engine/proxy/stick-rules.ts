/**
 * `stick` rules (manual 4.2): a key of the request is looked up in a stick table and leads to the server it was with
 * before; keys of request and response are stored with the server when it has been reached.
 *
 *   assign     match, while no server is ruled or persisted on; keys to store are remembered
 *   response   keys of the response; all keys are stored with the server (TCP: when it is connected)
 */
import type { Proxy } from '../config/proxy-model.ts';
import { addressText } from '../io/address.ts';
import { compileExpression } from '../sample/compile.ts';
import { type Condition, compileCondition, YES } from '../sample/condition.ts';
import type { Env, Fetch, Standpoint } from '../sample/context.ts';
import { Sample } from '../sample/sample.ts';
import { setKey } from '../stick/key.ts';
import type { Table } from '../stick/table.ts';
import { nameNumber, nameText, readValue, setValue } from '../stick/values.ts';
import type { Backend, Context, Server } from './nouns.ts';
import { HERE } from './rules.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

interface StickRule {
  readonly table: Table;
  readonly key: Fetch;
  readonly condition: Condition | null;
  readonly match: boolean;
  readonly store: boolean;
}

export interface StickRules {
  readonly request: readonly StickRule[];
  readonly response: readonly StickRule[];
}

export function compileStickRules(context: Context, proxy: Proxy, env: Env, acls: readonly Condition[]): StickRules {
  const compiled = (response: boolean): StickRule[] =>
    proxy.stickRules
      .filter(rule => rule.response === response)
      .map(({ table, expression, condition, match, store }) => ({
        ...{ match, store, table: context.tables.list[table]!, key: compileExpression(expression, env) },
        condition: condition === null ? null : compileCondition(condition, acls),
      }));
  return { request: compiled(false), response: compiled(true) };
}

const sample = new Sample();

/** Puts the key that a rule finds into KEY; false = its condition does not hold, or there is no key. */
function findKey({ condition, key, table }: StickRule, at: Standpoint): boolean {
  if (condition !== null && condition(at) !== YES) return false;
  sample.begin(false);
  return key(at, sample) && setKey(table.spec, sample);
}

/** The server that the stream's keys stick to, unless it has one; keys to be stored are remembered. */
export function stuckServer(stream: Stream, known: Server | null): Server | null {
  const { rules } = stream.backend!;
  let server = known;
  if (rules.stick.request.length === 0) return server;
  const { stickStores } = stream;
  stickStores.clear();
  for (const rule of rules.stick.request) {
    const { table, match, store } = rule;
    // A key to be stored in the table ends its `stick on` and `stick store-request` rules, their matches too, as with HAProxy.
    if (store && stickStores.has(table)) continue;
    const matches = match && server === null;
    if ((!store && !matches) || !findKey(rule, HERE.at(stream))) continue;
    if (store) stickStores.add(table);
    if (matches) server = matched(stream, table);
  }
  return server;
}

// Numbers of the types in data-types.ts.
const SERVER_ID = 0;
const SERVER_KEY = 19;

/** The usable server that the key in KEY sticks to. */
function matched(stream: Stream, table: Table): Server | null {
  const { now } = stream;
  const entry = table.find(now);
  if (entry < 0) return null;
  const server = serverIn(stream.backend!, table, entry, now);
  table.changed(entry, now);
  table.release(entry);
  if (server === null) return null;
  const usable = !isDown(server) || stream.backend!.proxy.options.persist || stream.forcesPersistence;
  return usable ? server : null;
}

/** By its name or address, else by its number. */
function serverIn({ servers }: Backend, table: Table, entry: number, now: number): Server | null {
  const key = table.field(SERVER_KEY);
  const text = key === null ? null : nameText(table, readValue(table, entry, key, 0, now));
  if (text !== null) {
    for (const server of servers) if (!server.config.removed && serverKey(table, server) === text) return server;
  }
  const id = table.field(SERVER_ID);
  const number = id === null ? 0 : readValue(table, entry, id, 0, now);
  if (number === 0) return null;
  return servers.find(server => server.config.id === number && !server.config.removed) ?? null;
}

/** What identifies a server in a table: `srvkey`. */
function serverKey({ spec }: Table, server: Server): string {
  return spec.serverKey === 'name' ? server.config.name : addressText(server.live.address);
}

/** The stream has reached its server: the keys of the request and those of the response stick to it. */
export function storeServer(stream: Stream): void {
  const { backend, server, stickStores } = stream;
  const { response } = backend!.rules.stick;
  if (stickStores.count === 0 && response.length === 0) return;
  for (const rule of response) {
    if (!stickStores.has(rule.table) && findKey(rule, HERE.at(stream, true))) stickStores.add(rule.table);
  }
  if (server !== null && !server.config.nonStick) {
    for (let i = 0; i < stickStores.count; i++) store(stickStores.take(i), server, stream.now);
  }
  stickStores.clear();
}

/** Stores the server with the key in KEY. */
function store(table: Table, server: Server, now: number): void {
  const entry = table.findOrAdd(now);
  if (entry < 0) return;
  const id = table.field(SERVER_ID);
  const key = table.field(SERVER_KEY);
  if (id !== null) setValue(table, entry, id, 0, now, server.config.id);
  if (key !== null) setValue(table, entry, key, 0, now, nameNumber(table, serverKey(table, server)));
  table.changed(entry, now);
  table.release(entry);
}
