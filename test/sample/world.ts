/** A worker without sockets: a parsed request (and response) in a stream, for evaluating expressions in this thread. */
import type { Resources } from '../../engine/config/draft.ts';
import type { Model } from '../../engine/config/model.ts';
import { Head } from '../../engine/http/head.ts';
import { parseRequest, parseResponse } from '../../engine/http/parse.ts';
import type { Address } from '../../engine/io/contract.ts';
import { NO_EVENTS } from '../../engine/proxy/events.ts';
import type { Context } from '../../engine/proxy/nouns.ts';
import { proxyRules } from '../../engine/proxy/rules.ts';
import type { Session } from '../../engine/proxy/session.ts';
import type { Stream } from '../../engine/proxy/stream.ts';
import {
  cast,
  compileExpression,
  type Env,
  type Expression,
  PatternBooks,
  parseExpression,
  Sample,
  type SampleContext,
  STR,
} from '../../engine/sample/index.ts';
import { ProcVars } from '../../engine/sample/proc-vars.ts';
import { StreamVars } from '../../engine/sample/vars.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { SESS_RATE } from '../../engine/shm/counters.ts';
import { Memory, type RowKind, shapeOf, topology } from '../../engine/shm/memory.ts';
import { createStickMemory, Tables } from '../../engine/stick/tables.ts';
import { load } from '../config/load-text.ts';

const LIMITS = { maxHeadBytes: 16_384, maxHeaders: 100, relaxed: false };

const CONFIG = `
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
userlist users
  group staff users joe
  group other
  user joe insecure-password secret
listen web
  bind 127.0.0.1:80
  server s1 127.0.0.1:81
  server s2 127.0.0.1:82
`;

export interface Traffic {
  readonly request?: string;
  readonly response?: string;
  /** Bytes received behind the head, or in TCP. */
  readonly body?: Uint8Array;
  /** false: TCP. */
  readonly http?: boolean;
  readonly final?: boolean;
  readonly files?: Readonly<Record<string, string>>;
}

export const REQUEST = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

function headOf(text: string, response: boolean): Head {
  const head = new Head(100, 1024);
  const bytes = Buffer.from(text, 'latin1');
  const used = (response ? parseResponse : parseRequest)(head, bytes, 0, bytes.length, LIMITS);
  if (used <= 0) throw new Error(`the head does not parse: ${text}`);
  return head;
}

const CLIENT: Address = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 34_567 };
const HERE: Address = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 80 };

export class World {
  readonly env: Env;
  readonly ctx: SampleContext;
  readonly resources: Resources;
  readonly model: Model;

  constructor(traffic: Traffic = {}, config = CONFIG) {
    const { request = REQUEST, response, body, http = true, final = true, files = {} } = traffic;
    const { model, diagnostics } = load(config, { files });
    if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
    this.model = model;
    this.resources = {
      env: { NAME: 'value' },
      resolve: () => null,
      readFolder: () => null,
      readFile: path => (files[path] === undefined ? null : Buffer.from(files[path])),
    };
    const worker = workerOf(model);
    const proxy = model.proxies.find(p => p.kind === 'listen')!;
    const held = body === undefined ? null : { bytes: body, start: 0, end: body.length };
    const session = {
      context: worker,
      listener: { bind: proxy.binds[0], at: worker.memory.listener(0) },
      preambles: [],
      frontend: { proxy, defaultBackend: null },
      conn: { peer: () => CLIENT, local: () => HERE, tcpInfo: () => null, savedSyn: () => null },
      error: 0,
      acceptedAt: 1,
      source: () => CLIENT,
      destination: () => HERE,
      vars: null,
      tracked: [],
      proxyFields: null,
    } as unknown as Session;
    const stream = {
      ...{ session, http, refused: false, first: true, responded: response !== undefined, status: 0 },
      ...{
        requestCaptures: [],
        responseCaptures: [],
        capture: () => true,
        tracked: [],
        uniqueId: null,
        lastWord: false,
      },
      frontend: { rules: { uniqueId: null } },
      ...{ timeouts: proxy.timeouts, clientMs: proxy.timeouts.clientMs, retries: -1, attempts: 0 },
      ...{ lastRule: null, waitingRule: null, context: worker, number: -1, errno: 0, cause: '-' },
      ...{ backendQueuePlace: 0, serverQueuePlace: 0, acceptedAt: 1, idleSince: 1, firstByteAt: 1, requestAt: 1 },
      ...{ serverBytesIn: 0, serverBytesOut: 0, assignedAt: 0, connectedAt: 0, responseAt: 0, finishedAt: 0, now: 2 },
      ...{ vars: new StreamVars(), backend: null, server: null, serverSide: null, phase: '-' },
      requestHead: http ? headOf(request, false) : new Head(1, 1),
      responseHead: response === undefined ? new Head(1, 1) : headOf(response, true),
      client: { buffered: () => held },
    } as unknown as Stream;
    this.ctx = { session, stream, check: null, response: response !== undefined, final };
    this.env = proxyRules(worker, proxy).env;
  }

  parse(text: string): Expression {
    const parsed = parseExpression(text, 0, this.resources);
    if ('message' in parsed) throw new Error(parsed.message);
    return parsed.expression;
  }

  /** The sample of an expression; null when it finds nothing. */
  sample(text: string): Sample | null {
    const sample = new Sample();
    sample.begin(false);
    return compileExpression(this.parse(text), this.env)(this.ctx, sample) ? sample : null;
  }

  /** The value as a log line would show it; null when there is none. */
  text(text: string): string | null {
    const sample = this.sample(text);
    return sample !== null && cast(sample, STR) ? sample.text() : null;
  }
}

function workerOf(model: Model): Context {
  const memory = Memory.create(shapeOf(model, 1));
  const changes = new ChangeLog(createChanges(1), 0);
  const worker = {
    ...{ model, memory, topology: topology(model), words: memory.words, counters: memory.counters, worker: 0, row: 0 },
    at: memory.process,
    io: { now: () => 5_000 },
    books: new PatternBooks(model.patternRefs, changes),
    procVars: new ProcVars(model.global.procVars, changes),
    events: NO_EVENTS,
    stopping: null,
    lingering: 0,
    tables: new Tables(model, createStickMemory(model, 1), 0),
  };
  const rate = (kind: RowKind, i: number) => memory.rows(kind, i, SESS_RATE);
  const frontends = model.proxies.map(proxy => ({
    ...{ proxy, at: memory.proxy(proxy.index), sessRate: rate('frontend', proxy.index) },
    reqRate: rate('frontend', proxy.index),
  }));
  const backends = model.proxies.map(proxy => ({
    proxy,
    ...{ at: memory.proxy(proxy.index), sessRate: rate('backend', proxy.index) },
    servers: proxy.servers.map((config, i) => ({ config, at: memory.server(i), sessRate: rate('server', i) })),
  }));
  return { ...worker, frontends, backends } as unknown as Context;
}

/** What is wrong with an expression; null = nothing. */
export function problemOf(text: string): { message: string; marked: string } | null {
  const parsed = parseExpression(text, 0, {
    env: {},
    resolve: () => null,
    readFile: () => null,
    readFolder: () => null,
  });
  return 'message' in parsed
    ? { message: parsed.message, marked: text.slice(parsed.at, parsed.at + parsed.width) }
    : null;
}
