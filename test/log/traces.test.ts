import { expect, test } from 'vitest';
import { readTraceWords, sinksOf, traceFlag } from '../../engine/log/trace-words.ts';
import { RUNNING, STOPPED, TRACE_SOURCES, Traces, WAITING } from '../../engine/log/traces.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';

const STREAM = TRACE_SOURCES.findIndex(({ name }) => name === 'stream');
const [NEW, , , END, ERR] = TRACE_SOURCES[STREAM]!.events.map((_, i) => i) as [number, number, number, number, number];

/** Two threads that follow each other. */
function two(): [Traces, Traces] {
  const buffers = createChanges(2);
  return [new Traces(new ChangeLog(buffers, 0)), new Traces(new ChangeLog(buffers, 1))];
}

function say(traces: Traces, line: string): string {
  const sinks = sinksOf([{ name: 'buf0', description: 'in-memory ring buffer' }]);
  const words = line === '' ? [] : line.split(' ');
  const found = readTraceWords({ source: TRACE_SOURCES[STREAM]!, setting: traces.of(STREAM), sinks }, words);
  if ('error' in found) return found.error;
  if ('list' in found) return found.list;
  traces.change(STREAM, found.change);
  return '';
}

test('what one thread sets every thread follows', () => {
  const [here, there] = two();
  expect(there.happens(STREAM, NEW)).toBe(false);
  expect(say(here, 'sink buf0 level developer start now')).toBe('');
  expect(there.of(STREAM)).toMatchObject({ state: RUNNING, sink: 'buf0', level: 5 });
  expect(there.happens(STREAM, NEW)).toBe(true);
  say(there, 'stop now');
  expect(here.of(STREAM).state).toBe(STOPPED);
  expect(here.happens(STREAM, NEW)).toBe(false);
});

test('levels and events select', () => {
  const [traces] = two();
  say(traces, 'start now level error');
  expect([traces.happens(STREAM, NEW), traces.happens(STREAM, ERR)]).toEqual([false, true]);
  say(traces, 'level user event -strm_new');
  expect([traces.happens(STREAM, NEW), traces.happens(STREAM, END)]).toEqual([false, true]);
  say(traces, 'event none event +strm_new');
  expect([traces.happens(STREAM, NEW), traces.happens(STREAM, END)]).toEqual([true, false]);
});

test('events start, pause and stop', () => {
  const [here, there] = two();
  say(here, 'start strm_new pause strm_end stop strm_err');
  expect(here.of(STREAM).state).toBe(WAITING);
  expect(there.happens(STREAM, END)).toBe(false);
  expect(there.happens(STREAM, NEW)).toBe(true);
  expect(here.of(STREAM).state).toBe(RUNNING);
  // The event that ends it is still told.
  expect(here.happens(STREAM, END)).toBe(true);
  expect(there.of(STREAM).state).toBe(WAITING);
  expect(here.happens(STREAM, END)).toBe(false);
  here.happens(STREAM, NEW);
  expect(here.happens(STREAM, ERR)).toBe(true);
  expect(there.of(STREAM).state).toBe(STOPPED);
  expect(here.happens(STREAM, NEW)).toBe(false);
});

test('lists and mistakes', () => {
  const [traces] = two();
  expect(say(traces, '').split('\n')[0]).toBe('Supported commands:');
  expect(say(traces, 'level')).toContain('\n  * user       : also information useful to the end user\n');
  expect(say(traces, 'event')).toContain('\n  + strm_new   : ');
  expect(say(traces, 'start')).toContain('\n  - now        : ');
  expect(say(traces, 'sink')).toMatch(/\* none {7}: no sink\n[\s\S]*buf0/);
  expect(say(traces, 'lock')).toContain('nothing');
  expect(say(traces, 'verbosity')).toContain('* clean');
  expect(say(traces, 'foo')).toBe('Unknown trace keyword');
  expect(say(traces, 'level foo')).toBe('No such trace level');
  expect(say(traces, 'event foo')).toBe('No such trace event');
  expect(say(traces, 'sink foo')).toBe('No such trace sink');
  expect(say(traces, 'lock session')).toBe('Unsupported lock-on criterion');
  expect(traces.of(STREAM).state).toBe(STOPPED);
});

test('-dt', () => {
  expect(traceFlag('')).toEqual(['all sink stderr level error start now'.split(' ')]);
  expect(traceFlag('stream:user,session')).toHaveLength(2);
  expect(traceFlag('stream:user:foo')).toBe("no such trace verbosity 'foo'; there are: quiet, clean, simple");
});
