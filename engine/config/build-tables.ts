/** Stick tables and `peers` sections: what can only be said once everything is read, and how drafts become the model. */
import { castable } from '../sample/cast.ts';
import { typeOfExpression } from '../sample/expression.ts';
import { dataType } from '../stick/data-types.ts';
import { keyType } from '../stick/key.ts';
import { formatAddress } from './address.ts';
import { reachOf } from './build-server.ts';
import type { TlsBuilder } from './build-tls.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { BindDraft, PeersDraft, ProxyDraft, Resources, ServerDraft, TableDraft, TableUse } from './draft.ts';
import type { Bind, Place } from './model.ts';
import { newBind } from './new-drafts.ts';
import type { Drafts } from './sections.ts';
import type { Peer, Peers, StickTable } from './stick-model.ts';
import { didYouMean } from './suggest.ts';

/** All tables of a configuration, in the order of their indexes, by the names that the configuration calls them. */
export function tablesOf({ proxies, peers }: Drafts): Map<string, TableDraft> {
  const tables = new Map<string, TableDraft>();
  for (const { table, name } of proxies) if (table !== null) tables.set(name, table);
  for (const section of peers) {
    for (const table of section.tables) tables.set(`${section.name}/${table.name}`, table);
  }
  return tables;
}

/** Reports what is wrong; makes the tables store what rules need. */
export function checkTables(drafts: Drafts, diagnostics: Diagnostics): void {
  const tables = tablesOf(drafts);
  const owners = new Map<string, Place>();
  for (const { table, name, ...place } of drafts.proxies) {
    if (table === null) continue;
    const other = owners.get(name);
    if (other !== undefined) {
      const message = `stick-table name '${name}' conflicts with table declared at ${other.file}:${other.line}`;
      diagnostics.report('alert', { file: place.file, line: place.line }, message);
    }
    owners.set(name, table);
  }
  for (const table of tables.values()) checkTable(table, tables, drafts.peers, diagnostics);
  for (const proxy of drafts.proxies) {
    checkTableUses(proxy, drafts, diagnostics, tables);
    for (const { table } of proxy.stickRules) needServer(tables.get(table || proxy.name));
  }
  for (const section of drafts.peers) checkPeers(section, drafts, diagnostics);
}

/** What the rules of a proxy do with tables. */
export function checkTableUses(
  proxy: ProxyDraft,
  drafts: Drafts,
  diagnostics: Diagnostics,
  tables = tablesOf(drafts),
): void {
  for (const use of proxy.tableUses) {
    const name = use.name || proxy.name;
    const problem = problemOf(use, tables.get(name), drafts);
    if (problem === null) continue;
    const hint = tables.has(name) ? null : didYouMean(name, tables.keys());
    diagnostics.mark('alert', use, `Proxy '${proxy.name}': ${problem}`, hint);
  }
}

/** What a table must store for a line to work on it. */
const NEEDED: Readonly<Record<string, string>> = {
  'filter bwlim-in': 'bytes_in_rate',
  'filter bwlim-out': 'bytes_out_rate',
};

/** What is wrong with what a rule does with a table; null = nothing. */
function problemOf({ name, keyword, key }: TableUse, table: TableDraft | undefined, { global }: Drafts): string | null {
  const counter = /^track-sc(\d+)$/.exec(keyword)?.[1];
  const { stickCounters } = global.tune;
  if (counter !== undefined && Number(counter) >= stickCounters) {
    return `'${keyword}': there are ${stickCounters} counters (see 'tune.stick-counters')`;
  }
  if (table === undefined) {
    return name === ''
      ? `'${keyword}' has no table to work on: there is no 'stick-table' in it`
      : `unable to find table '${name}' referenced by '${keyword}'`;
  }
  const needed = NEEDED[keyword];
  if (needed !== undefined && !table.data.some(data => data.type === needed)) {
    return `'${keyword}' needs '${needed}', which stick-table '${table.name}' does not store`;
  }
  const fits = castable(typeOfExpression(key), keyType(table));
  return fits ? null : `stick-table '${table.name}' uses a type incompatible with the '${keyword}' rule`;
}

/** Rules that stick users to servers store both its number and its name. */
function needServer(table: TableDraft | undefined): void {
  for (const type of ['server_id', 'server_key']) {
    if (table === undefined || table.data.some(data => data.type === type)) continue;
    table.data.push({ type, count: 1, periodMs: 0 });
  }
}

function checkTable(
  table: TableDraft,
  tables: ReadonlyMap<string, TableDraft>,
  peers: readonly PeersDraft[],
  diagnostics: Diagnostics,
): void {
  if (table.peers !== null && !peers.some(section => section.name === table.peers!.name)) {
    const { name } = table.peers;
    diagnostics.mark(
      'alert',
      table.peers,
      `unable to find peers section '${name}'`,
      didYouMean(
        name,
        peers.map(p => p.name),
      ),
    );
  }
  if (table.writeTo === null) return;
  const target = tables.get(table.writeTo.name);
  const problem =
    target === undefined
      ? `unable to find table '${table.writeTo.name}'`
      : target === table
        ? 'a table cannot write to itself'
        : target.key !== table.key || target.keyBytes !== table.keyBytes
          ? `table '${table.writeTo.name}' has keys of another type or length`
          : target.writeTo !== null
            ? `table '${table.writeTo.name}' has a 'write-to' of its own`
            : null;
  if (problem !== null) {
    diagnostics.mark('alert', table.writeTo, `'write-to': ${problem}`, didYouMean(table.writeTo.name, tables.keys()));
  }
}

function checkPeers(section: PeersDraft, { peers }: Drafts, diagnostics: Diagnostics): void {
  const other = peers.find(({ name }) => name === section.name)!;
  if (other !== section) {
    diagnostics.report(
      'alert',
      section,
      `peers section '${section.name}' has the same name as another peers section declared at ${other.file}:${other.line}`,
    );
  }
  const old = section.peers.find(peer => peer.endpoint === null && section.binds.length === 0);
  if (old !== undefined) {
    diagnostics.report('alert', old, `'peer ${old.name}' has no address`, "write one, or a 'bind' line in the section");
  }
}

/** The tables and sections of the model, whose references are good. */
export function buildTables(
  drafts: Drafts,
  localPeer: string,
  bindsOf: (binds: BindDraft[]) => Bind[],
  tls: TlsBuilder,
  diagnostics: Diagnostics,
  resources: Resources,
): { tables: StickTable[]; peers: Peers[] } {
  const named = [...tablesOf(drafts)];
  const names = named.map(([name]) => name);
  const tables = named.map(([name, draft], index): StickTable => {
    const section = drafts.peers.findIndex(({ tables }) => tables.includes(draft));
    return {
      ...draft,
      ...{ index, name, peerName: section < 0 ? name : `/${draft.name}` },
      writeTo: draft.writeTo === null ? -1 : names.indexOf(draft.writeTo.name),
      peers:
        section >= 0 || draft.peers === null
          ? section
          : drafts.peers.findIndex(({ name }) => name === draft.peers!.name),
      data: draft.data.toSorted((a, b) => dataType(a.type)!.number - dataType(b.type)!.number),
    };
  });
  const peers = drafts.peers.map((draft, index): Peers => {
    const { defaultServer: _s, defaultBind: _b, ...rest } = draft;
    const built = draft.peers.map(peer => peerOf(peer, tls, diagnostics, resources));
    const local = built.findIndex(({ name }) => name === localPeer);
    if (local < 0 && !draft.disabled) {
      const message = `Removing incomplete section 'peers ${draft.name}' (no peer named '${localPeer}')`;
      diagnostics.report('warning', draft, message);
    }
    return {
      ...rest,
      ...{ index, local, peers: built },
      binds: bindsOf(draft.binds.length > 0 ? draft.binds : localBind(draft, built[local])),
      tables: tables.filter(table => table.peers === index).map(table => table.index),
    };
  });
  return { tables, peers };
}

function peerOf(draft: ServerDraft, builder: TlsBuilder, diagnostics: Diagnostics, resources: Resources): Peer {
  const { file, line, name, text, shard, endpoint } = draft;
  const rest = { file, line, name, text, shard, ...reachOf(draft, builder, `'peer ${name}'`) };
  if (endpoint === null) return { ...rest, address: null };
  const found = endpoint.hostname === null ? endpoint.address : resources.resolve(endpoint.hostname, endpoint.family);
  if (found === null) {
    diagnostics.report('alert', draft, `'peer ${draft.name}': could not resolve address '${endpoint.hostname}'`);
  }
  return { ...rest, address: found === null || found.family === 1 ? found : { ...found, port: endpoint.port } };
}

/** Where the address of the local `peer` line is listened on. */
function localBind({ defaultBind }: PeersDraft, peer: Peer | undefined): BindDraft[] {
  if (peer === undefined || peer.address === null) return [];
  const { file, line, address, mptcp } = peer;
  return [{ ...newBind(), ...defaultBind, file, line, text: formatAddress(address), address, mptcp } as BindDraft];
}
