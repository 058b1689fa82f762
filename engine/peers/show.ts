/** `show peers`: sections, peers and tables, as HAProxy shows them. Where it has addresses in memory, places are counted. */
import { addressText } from '../io/address.ts';
import { dateText } from '../log/dates.ts';
import { bitsOf } from './definition.ts';
import { DICTIONARY_MAX } from './dictionary.ts';
import { STATUSES } from './handshake.ts';
import type { LearningState } from './learning.ts';
import type { Peer } from './peer.ts';
import type { Section } from './section.ts';
import type { Share } from './share.ts';

/** Bits of `flags`, as HAProxy's: of the section, and of a peer. */
const SECTION_FLAGS: Readonly<Record<LearningState, number>> = { local: 0, remote: 1, done: 3 };
const ASKING = 4;
const PEER_FLAGS = { teaching: 0x1, asked: 0x100, notUpToDate: 0x200, alive: 0x2000_0000 };

const DICTIONARY_COLUMNS = 4;

interface ShowOptions {
  /** Milliseconds since the epoch, and of the shared clock. */
  readonly wall: number;
  readonly now: number;
  /** With the texts that both sides know by numbers. */
  readonly dictionaries: boolean;
}

export function showSection(section: Section, o: ShowOptions): string {
  const { learning } = section;
  const flags = SECTION_FLAGS[learning.state] | (learning.teacher === null ? 0 : ASKING);
  const timeout = learning.state === 'done' ? '<PAST>' : span(learning.by - o.now);
  const head = `id=${section.name} disabled=0 flags=0x${hex(flags)} resync_timeout=${timeout} task_calls=0`;
  const at = `0x${hex(section.index + 1)}`;
  const peers = section.peers.map((peer, i) => showPeer(section, peer, `${at}${hex(i + 1).padStart(4, '0')}`, o));
  return [`${at}: [${dateText(o.wall)}] ${head}`, ...peers.flat()].join('\n');
}

function showPeer(section: Section, peer: Peer, at: string, o: ShowOptions): string[] {
  const { counters: c, link } = peer;
  const where = `${peer.local ? 'local' : 'remote'},${link === null ? 'inactive' : 'active'}`;
  const address = peer.address === null ? '-' : addressText(peer.address);
  const handshake = peer.handshakeAt < 0 ? '<NEVER>' : span(o.now - peer.handshakeAt);
  const reconnect = peer.reconnectAt === Infinity ? '<NEVER>' : span(peer.reconnectAt - o.now);
  const counters = [
    `confirm=0 tx_hbt=${c.heartbeatsSaid} rx_hbt=${c.heartbeatsHeard} no_hbt=${c.silences}`,
    `new_conn=${c.connections} proto_err=${c.protocolErrors} coll=${c.collisions}`,
  ].join(' ');
  const lines = [
    `  ${at}: id=${peer.name}(${where}) addr=${address} last_status=${statusWord(peer)} last_hdshk=${handshake}`,
    `        reconnect=${reconnect} heartbeat=${link === null ? '<NEVER>' : span(link.heartbeatAt - o.now)} ${counters}`,
    `        flags=0x${hex(flagsOf(section, peer))}${link === null ? '' : ` appctx:${at} st0=7 st1=0 task_calls=0 state=EST`}`,
  ];
  const [from, to] = [link?.conn?.peer() ?? null, link?.conn?.local() ?? null];
  if (from !== null && to !== null) lines.push(`        xprt=RAW src=${addressText(from)} addr=${addressText(to)}`);
  const { heard = null, said = null } = link?.exchange ?? {};
  if (heard !== null) lines.push(`        remote_table:${at}${ids(heard)}`);
  if (said !== null) lines.push(`        last_local_table:${at}${ids(said)}`);
  lines.push('        shared tables:');
  for (const share of peer.shares.toReversed()) lines.push(...showShare(peer, share, at, o));
  return lines;
}

function showShare(peer: Peer, share: Share, at: string, o: ShowOptions): string[] {
  const { last, told } = share.table.changes;
  const data = hex(share.remote === null ? 0 : bitsOf(share.remote.columns));
  return [
    `          ${at} local_id=${share.id} remote_id=${share.remote?.id ?? 0} flags=0x0 remote_data=0x${data}`,
    `              last_acked=${share.gotAcked} last_pushed=${share.pushed} last_get=${share.got} teaching_origin=0 update=${share.acked}`,
    `              table:${at} id=${share.table.name} update=${last} localupdate=${last} commitupdate=${told} refcnt=1`,
    ...(o.dictionaries ? showDictionaries(peer) : ['        Dictionary cache not dumped (use "show peers dict")']),
  ];
}

/** Numbers are shown from 0 on. */
function showDictionaries({ link }: Peer): string[] {
  const exchange = link?.exchange;
  const sent = [...(exchange?.sentTexts.entries() ?? [])].map(([number, text]) => cell(number - 1, text));
  const heard = Array.from({ length: DICTIONARY_MAX }, (_, i) => cell(i, exchange?.heardTexts.get(i + 1) ?? '-'));
  return ['        TX dictionary cache:', ...inColumns(sent), '        RX dictionary cache:', ...inColumns(heard)];
}

function cell(number: number, text: string): string {
  return `${String(number).padStart(5)} -> ${text}`;
}

function inColumns(cells: readonly string[]): string[] {
  const lines: string[] = [];
  for (let i = 0; i < cells.length; i += DICTIONARY_COLUMNS) {
    lines.push(`        ${cells.slice(i, i + DICTIONARY_COLUMNS).join('')}`);
  }
  return lines;
}

function ids({ table, id, remote }: Share): string {
  return ` id=${table.name} local_id=${id} remote_id=${remote?.id ?? 0}`;
}

function flagsOf({ learning }: Section, { link, notUpToDate }: Peer): number {
  let flags = link?.state === 'up' ? PEER_FLAGS.alive : 0;
  if (link?.exchange?.teaching) flags |= PEER_FLAGS.teaching;
  if (link !== null && link === learning.teacher) flags |= PEER_FLAGS.asked;
  if (notUpToDate) flags |= PEER_FLAGS.notUpToDate;
  return flags;
}

function statusWord({ status, link }: Peer): string {
  if (link !== null && link.exchange === null) return 'CONN';
  return status === 0 ? 'NONE' : (STATUSES[status]?.word ?? 'CONN');
}

function hex(n: number): string {
  return n.toString(16);
}

/** A time in its two greatest units, as HAProxy writes it: `2m5s`. */
function span(ms: number): string {
  if (ms < 0) return '<PAST>';
  const s = Math.floor(ms / 1000);
  const [minutes, hours, days] = [Math.floor(s / 60), Math.floor(s / 3600), Math.floor(s / 86_400)];
  if (days > 0) return `${days}d${hours % 24}h`;
  if (hours > 0) return `${hours}h${minutes % 60}m`;
  return minutes > 0 ? `${minutes}m${s % 60}s` : `${s}s`;
}
