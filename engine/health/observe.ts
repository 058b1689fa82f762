/**
 * `observe layer4|layer7` (manual 5.2): live traffic says how a server is. Workers count errors in a row in a shared word;
 * the one that finds too many begins a new row and rings at the control thread, which does what `on-error` says, once for each.
 */
import type { Observe, Server } from '../config/server-model.ts';
import { ringControl } from '../shm/doorbell.ts';
import type { Memory } from '../shm/memory.ts';
import { SERVER } from '../shm/words.ts';
import { conclude } from './health.ts';
import { HANA, verdict } from './statuses.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';

const { errors: ERRORS, error_runs: RUNS, error_kind: KIND } = SERVER.at;

/** What traffic may show: how it reads, and whether it is good or bad to who observes layer 4, layer 7. */
const EVENTS = [
  { name: 'connected', text: 'L4 successful connection', 4: 'good', 7: null },
  { name: 'notConnected', text: 'L4 unsuccessful connection', 4: 'bad', 7: 'bad' },
  { name: 'response', text: 'Correct http response', 4: null, 7: 'good' },
  { name: 'badStatus', text: 'Wrong http response', 4: null, 7: 'bad' },
  { name: 'badHead', text: 'Invalid http response (headers)', 4: null, 7: 'bad' },
  { name: 'readError', text: 'Read error (http)', 4: null, 7: 'bad' },
  { name: 'timeout', text: 'Read timeout (http)', 4: null, 7: 'bad' },
  { name: 'closed', text: 'Close from server (http)', 4: null, 7: 'bad' },
] as const;

export type EventName = (typeof EVENTS)[number]['name'];

/** Numbers of the events, for the shared word. */
const NUMBERS = Object.fromEntries(EVENTS.map(({ name }, i) => [name, i])) as Readonly<Record<EventName, number>>;

/** A worker tells what it saw of a server; `at` is the offset of its words. */
export function observed(memory: Memory, at: number, { observe }: Server, name: EventName): void {
  if (observe === null) return;
  const meaning = EVENTS[NUMBERS[name]]![observe.layer];
  const { words } = memory;
  if (meaning === 'good' && Atomics.load(words, at + ERRORS) !== 0) Atomics.store(words, at + ERRORS, 0);
  if (meaning !== 'bad') return;
  Atomics.store(words, at + KIND, NUMBERS[name]);
  if (!endsRun(words, at + ERRORS, observe.errorLimit)) return;
  Atomics.add(words, at + RUNS, 1);
  ringControl(memory);
}

/** One error more: true when it is the last one of `limit` in a row, after which another row begins. */
function endsRun(words: Int32Array, at: number, limit: number): boolean {
  for (;;) {
    const seen = Atomics.load(words, at);
    const next = seen + 1 >= limit ? 0 : seen + 1;
    if (Atomics.compareExchange(words, at, seen, next) === seen) return next === 0;
  }
}

/** Valid answers are 100 to 499, 501 and 505: the others say that the server is not well. */
export function statusEvent(status: number): EventName {
  return status < 500 || status === 501 || status === 505 ? 'response' : 'badStatus';
}

/** Does what `on-error` says, if there were too many errors; true then. */
export function judgeObserved(env: StateEnv, t: Target, observe: Observe): boolean {
  const { memory } = env;
  const runs = Atomics.exchange(memory.words, memory.server(t.number) + RUNS, 0);
  for (let n = 0; n < runs; n++) judgeRun(env, t, observe);
  return runs > 0;
}

function judgeRun(env: StateEnv, t: Target, observe: Observe): void {
  const { memory } = env;
  setServerWord(memory, t, 'observed_fails', serverWord(memory, t, 'observed_fails') + 1);
  if (observe.onError === 'fastinter') return;
  const rise = serverWord(memory, t, 'check_rise');
  const health = serverWord(memory, t, 'check_health');
  // One failure more: the last one, or the last but one.
  if (observe.onError === 'mark-down') setServerWord(memory, t, 'check_health', Math.min(health, rise));
  if (observe.onError === 'sudden-death') setServerWord(memory, t, 'check_health', Math.min(health, rise + 1));
  const last = EVENTS[serverWord(memory, t, 'error_kind')]!.text;
  const text = `Detected ${observe.errorLimit} consecutive errors, last one was: ${last}`;
  conclude(env, t, 'check', verdict(HANA, text), -1);
}
