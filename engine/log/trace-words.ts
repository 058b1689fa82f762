/** `trace ...` as the runtime API, `-dt` and the `traces` section say it. */
import type { Model } from '../config/model.ts';
import {
  NO_SINK,
  RUNNING,
  STOPPED,
  TRACE_LEVELS,
  TRACE_SOURCES,
  TRACE_VERBOSITIES,
  type TraceSetting,
  type TraceSource,
  type Traces,
  WAITING,
} from './traces.ts';

/** What is changed, or what is to be answered. */
type Traced = { readonly change: Partial<TraceSetting> } | { readonly list: string } | { readonly error: string };

interface Desk {
  readonly source: TraceSource;
  readonly setting: Readonly<TraceSetting>;
  readonly sinks: readonly (readonly [name: string, doc: string])[];
}

interface Word {
  readonly doc: string;
  /** Without an argument: what there is; else what changes. */
  readonly list: (desk: Desk) => string;
  readonly set: (desk: Desk, word: string) => Partial<TraceSetting> | string;
}

const row = (mark: string, name: string, doc: string) => `  ${mark} ${name.padEnd(11)}: ${doc}`;

/** A choice out of a list of names. */
function choice(
  title: string,
  field: 'level' | 'verbosity',
  rows: readonly (readonly [string, string])[],
  doc: string,
): Word {
  return {
    doc,
    list: ({ source, setting }) =>
      [
        `Supported trace ${title} for source ${source.name}:`,
        ...rows.map(([name, about], i) => row(setting[field] === i ? '*' : ' ', name, about)),
      ].join('\n'),
    set: (_, word) => {
      const index = rows.findIndex(([name]) => name === word);
      return index < 0 ? `No such trace ${field}` : { [field]: index };
    },
  };
}

const NOW = { start: RUNNING, pause: WAITING, stop: STOPPED } as const;
type Action = 'event' | keyof typeof NOW;

/** A set of events, each turned on or off. */
function events(action: Action, doc: string): Word {
  return {
    doc,
    list: ({ source, setting }) =>
      [
        `Supported events for source ${source.name} (+=enabled, -=disabled):`,
        ...(action === 'event' ? [] : [row('-', 'now', "don't wait for events, immediately change the state")]),
        row('-', 'none', 'disable all event types'),
        row('-', 'any', 'enable all event types'),
        ...source.events.map(({ name, doc }, i) => row(setting[action] & (1 << i) ? '+' : '-', name, doc)),
      ].join('\n'),
    set: ({ source, setting }, word) => {
      if (word === 'none') return { [action]: 0 };
      if (word === 'any') return { [action]: -1, ...waits(action) };
      if (word === 'now' && action !== 'event') return { state: NOW[action] };
      const [, sign, name] = /^([+\-!]?)(.*)$/.exec(word)!;
      const index = source.events.findIndex(known => known.name === name);
      if (index < 0) return 'No such trace event';
      const bit = 1 << index;
      const off = sign === '-' || sign === '!';
      return { [action]: off ? setting[action] & ~bit : setting[action] | bit, ...(off ? {} : waits(action)) };
    },
  };
}

/** Who names an event to start with waits for it. */
function waits(action: Action): Partial<TraceSetting> {
  return action === 'start' ? { state: WAITING } : {};
}

const WORDS: Readonly<Record<string, Word>> = {
  event: events('event', 'list/enable/disable source-specific event reporting'),
  level: choice('levels', 'level', TRACE_LEVELS, 'list/set trace reporting level'),
  lock: {
    doc: 'nothing can be locked on here',
    list: ({ source }) =>
      `Supported lock-on criteria for source ${source.name}:\n${row('*', 'nothing', 'do not lock on anything')}`,
    set: (_, word) => (word === 'nothing' ? {} : 'Unsupported lock-on criterion'),
  },
  pause: events('pause', 'pause and automatically restart after a specific event'),
  sink: {
    doc: 'list/set event sinks',
    list: ({ source, setting, sinks }) =>
      [
        `Supported sinks for source ${source.name} (*=current):`,
        ...sinks.map(([name, doc]) => row(setting.sink === name ? '*' : ' ', name, doc)),
      ].join('\n'),
    set: ({ sinks }, word) => (sinks.some(([name]) => name === word) ? { sink: word } : 'No such trace sink'),
  },
  start: events('start', 'start immediately or after a specific event'),
  stop: events('stop', 'stop immediately or after a specific event'),
  verbosity: choice('verbosities', 'verbosity', TRACE_VERBOSITIES, 'list/set trace output verbosity'),
};

/** The sinks that there are: `rings` by name. */
export function sinksOf(rings: readonly { readonly name: string; readonly description: string }[]): Desk['sinks'] {
  return [
    [NO_SINK, 'no sink'],
    ['stdout', 'standard output (fd#1)'],
    ['stderr', 'standard error (fd#2)'],
    ...rings.map(({ name, description }) => [name, description] as const),
  ];
}

/** Carries out words after the name of a source: all of them, or up to one that lists something or is wrong. */
export function readTraceWords(desk: Desk, words: readonly string[]): Traced {
  if (words.length === 0) {
    const rows = Object.entries(WORDS).map(([name, { doc }]) => `  ${name.padEnd(10)}: ${doc}`);
    return { list: ['Supported commands:', ...rows].join('\n') };
  }
  let change: Partial<TraceSetting> = {};
  for (let i = 0; i < words.length; i += 2) {
    const word = Object.hasOwn(WORDS, words[i]!) ? WORDS[words[i]!]! : null;
    if (word === null) return { error: 'Unknown trace keyword' };
    const now = { ...desk, setting: { ...desk.setting, ...change } };
    if (i + 1 === words.length) return { list: word.list(now) };
    const found = word.set(now, words[i + 1]!);
    if (typeof found === 'string') return { error: found };
    change = { ...change, ...found };
  }
  return { change };
}

/** Carries out the statements of the configuration and the command line; those that mean nothing here are passed over. */
export function beginTraces(traces: Traces, { global, rings }: Model): void {
  const sinks = sinksOf(rings);
  for (const [name, ...words] of global.traces) {
    for (const i of sourcesNamed(name)) {
      const found = readTraceWords({ source: TRACE_SOURCES[i]!, setting: traces.of(i), sinks }, words);
      if ('change' in found) traces.begin(i, found.change);
    }
  }
}

/** The sources that a name means: `all` is each of them. */
export function sourcesNamed(name: string | undefined): number[] {
  return TRACE_SOURCES.flatMap((source, i) => (name === 'all' || source.name === name ? [i] : []));
}

/** `-dt[source[:level[:verbosity]],...]` as trace commands on standard error; or what is wrong. */
export function traceFlag(text: string): string[][] | string {
  const commands: string[][] = [];
  for (const one of (text === '' ? 'all:error' : text).split(',')) {
    const [source = '', level = 'error', verbosity = ''] = one.split(':');
    const problem = unknownPart(source === '' ? 'all' : source, level, verbosity);
    if (problem !== null) return problem;
    const detail = verbosity === '' ? [] : ['verbosity', verbosity];
    commands.push([source || 'all', 'sink', 'stderr', 'level', level || 'error', ...detail, 'start', 'now']);
  }
  return commands;
}

function unknownPart(source: string, level: string, verbosity: string): string | null {
  const names = (rows: readonly (readonly [string, string])[]) => rows.map(([name]) => name).join(', ');
  const there = (rows: readonly (readonly [string, string])[], word: string) =>
    word === '' || rows.some(([name]) => name === word);
  if (sourcesNamed(source).length === 0) {
    return `no such trace source '${source}'; there are: all, ${TRACE_SOURCES.map(({ name }) => name).join(', ')}`;
  }
  if (!there(TRACE_LEVELS, level)) return `no such trace level '${level}'; there are: ${names(TRACE_LEVELS)}`;
  if (there(TRACE_VERBOSITIES, verbosity)) return null;
  return `no such trace verbosity '${verbosity}'; there are: ${names(TRACE_VERBOSITIES)}`;
}
