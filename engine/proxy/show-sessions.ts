/** `show sess`: the streams of one worker as text, a page at a time. */

import { hashed, hashedAddress } from '../config/anonymous.ts';
import { textOf } from '../http/chars.ts';
import { addressText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { streamOf } from './kill.ts';
import type { Context } from './nouns.ts';
import { STEP, STEPS } from './steps.ts';
import type { Stream } from './stream.ts';

/** Which streams; null = all. Proxies and servers by their index in the model. */
export interface SessionFilter {
  readonly id: number | null;
  readonly frontend: number | null;
  readonly backend: number | null;
  /** With `backend`. */
  readonly server: number | null;
  readonly olderMs: number;
  /** Only those that should be gone: past their time-out, or with nothing left to do. */
  readonly suspicious: boolean;
}

/** How they are shown. */
export interface SessionLook {
  /** In many lines. */
  readonly full: boolean;
  /** With the URI of the request, in one line too. */
  readonly uri: boolean;
  /** Names and addresses as hashes with this key; 0 = as they are. */
  readonly anonKey: number;
}

export interface SessionPage {
  readonly rows: readonly string[];
  /** Ask again with this as `after`; null = that was all. */
  readonly next: number | null;
}

/** Streams of one page: what one answer may hold. */
const PAGE_ROWS = 512;

/** Bits of a stream's id within its worker; the worker's number stands above them. */
const WORKER_SHIFT = 2 ** 40;

/** The id that operators see: unique over all workers. */
function streamName(worker: number, id: number): string {
  return `0x${((worker + 1) * WORKER_SHIFT + id).toString(16)}`;
}

/** Which worker's which stream; null when it is no such name. */
export function parseStreamName(text: string): { worker: number; id: number } | null {
  if (!/^0x[0-9a-f]{1,13}$/i.test(text)) return null;
  const number = Number(text);
  return { worker: Math.floor(number / WORKER_SHIFT) - 1, id: number % WORKER_SHIFT };
}

/** Streams whose sessions are younger than number `after` (0 = from the start), oldest first. */
export function listSessions(context: Context, filter: SessionFilter, look: SessionLook, after: number): SessionPage {
  const rows: string[] = [];
  for (const session of context.sessions) {
    if (session.number <= after) continue;
    const stream = streamOf(session);
    if (stream !== null && matches(stream, filter)) {
      rows.push(look.full ? fullText(stream, look.anonKey) : shortText(stream, look));
    }
    if (rows.length === PAGE_ROWS) return { rows, next: session.number };
  }
  return { rows, next: null };
}

function matches(stream: Stream, f: SessionFilter): boolean {
  return (
    (f.id === null || stream.id === f.id) &&
    (f.frontend === null || stream.frontend.index === f.frontend) &&
    (f.backend === null || stream.backend?.index === f.backend) &&
    (f.server === null || stream.server?.config.index === f.server) &&
    stream.now - stream.firstByteAt >= f.olderMs &&
    (!f.suspicious || isSuspicious(stream))
  );
}

function isSuspicious({ timer, now, requestDone, responseDone }: Stream): boolean {
  return timer.deadline < now || (requestDone && responseDone);
}

const PROTOCOLS = { 4: 'tcpv4', 6: 'tcpv6', 1: 'unix_stream' } as const;

/**
 * One line: age, and when the stream's own time-out fires, in seconds; bytes that wait to leave (`i`) and that have passed
 * (`tot`) in each direction; the step of the stream.
 */
function shortText(stream: Stream, { uri, anonKey }: SessionLook): string {
  const { frontend, backend, server, context, session } = stream;
  const pending = stream.serverSide?.conn?.pending ?? 0;
  const name = (noun: string | undefined, none: string) => hashed(noun ?? '', anonKey) || none;
  return [
    `${streamName(context.worker, stream.id)}: proto=${protocol(session.conn.local())}`,
    `src=${text(session.source(), anonKey)} fe=${name(frontend.proxy.name, '')} be=${name(backend?.proxy.name, '<NONE>')}`,
    `srv=${name(server?.config.name, '<none>')} tid=${context.worker + 1} age=${seconds(stream.now - stream.firstByteAt)}`,
    `step=${STEPS[stream.step]!.name} rq[i=${pending},tot=${stream.bytesIn}]`,
    `rp[i=${stream.client.pending},tot=${stream.bytesOut}] exp=${expires(stream)} rc=${stream.attempts}`,
    ...(uri && hasRequest(stream) ? [`uri=${hashed(uriOf(stream), anonKey)}`] : []),
  ].join(' ');
}

function fullText(stream: Stream, anonKey: number): string {
  const { frontend, backend, server, context, session, requestHead } = stream;
  const { listener } = session;
  const name = (noun: string) => hashed(noun, anonKey);
  const begun = Math.round(stream.now - stream.firstByteAt);
  const lines = [
    `${streamName(context.worker, stream.id)}: id=${stream.id} proto=${protocol(session.conn.local())} source=${text(session.source(), anonKey)}`,
    `  thread=${context.worker + 1} age=${begun}ms step=${STEPS[stream.step]!.name} exp=${expires(stream)} conn_retries=${stream.attempts}`,
    `  frontend=${name(frontend.proxy.name)} (id=${frontend.proxy.id} mode=${frontend.proxy.mode}), listener=${name(listener.bind.name)} (id=${listener.bind.id}) addr=${text(session.destination(), anonKey)}`,
    backend === null
      ? '  backend=<NONE> (id=-1 mode=-)'
      : `  backend=${name(backend.proxy.name)} (id=${backend.proxy.id} mode=${backend.proxy.mode})`,
    server === null
      ? '  server=<NONE> (id=-1)'
      : `  server=${name(server.config.name)} (id=${server.config.id}) addr=${text(stream.serverSide?.conn?.peer() ?? server.live.address, anonKey)}`,
  ];
  if (hasRequest(stream)) {
    const method = textOf(requestHead.bytes, requestHead.methodStart, requestHead.methodEnd);
    lines.push(`  txn method=${method} uri=${hashed(uriOf(stream), anonKey)} status=${stream.status || -1}`);
  }
  lines.push(
    `  req: ${stream.requestDone ? 'complete' : 'open'} pending=${stream.serverSide?.conn?.pending ?? 0} total=${stream.bytesIn}`,
    `  res: ${stream.responseDone ? 'complete' : 'open'} pending=${stream.client.pending} total=${stream.bytesOut}`,
  );
  return lines.join('\n');
}

function protocol(local: Address | null): string {
  return local === null ? '?' : PROTOCOLS[local.family];
}

/** Whether its request is known, and its bytes are still there. */
function hasRequest(stream: Stream): boolean {
  return stream.http && stream.requestKnown && stream.step !== STEP.tunnel;
}

function uriOf({ requestHead }: Stream): string {
  return textOf(requestHead.uriBytes, requestHead.uriStart, requestHead.uriEnd);
}

function text(address: Address | null, anonKey: number): string {
  return address === null || address.bytes.length === 0 ? 'unix' : hashedAddress(addressText(address), anonKey);
}

function seconds(ms: number): string {
  return `${Math.floor(ms / 1000)}s`;
}

function expires(stream: Stream): string {
  const { timer } = stream;
  return timer.armed ? seconds(Math.max(0, timer.deadline - stream.now)) : '';
}
