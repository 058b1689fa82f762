/** `trace`, `show trace`. */
import { readTraceWords, sinksOf, sourcesNamed } from '../log/trace-words.ts';
import { RUNNING, STOPPED, TRACE_SOURCES } from '../log/traces.ts';
import { allowed, type Call, type CliEnv, type Command } from './command.ts';
import { DENIED, data, err, type Message, notice, warning } from './severity.ts';
import { NO_ROOM } from './ssl-transaction.ts';

const TITLE = 'Supported trace sources and states (.=stopped, w=waiting, R=running) :';
const STATES = ['.', 'w', 'R'];

function trace({ env, args }: Call): string | Message {
  const [name, ...words] = args;
  if (name === undefined) {
    const rows = TRACE_SOURCES.map(({ name, doc }, i) => ` [${stateOf(env, i)}] ${name.padEnd(11)}: ${doc}`);
    return data([TITLE, ' [.] 0          : not a source, will immediately stop all traces', ...rows].join('\n'));
  }
  if (name === '0') {
    for (const i of TRACE_SOURCES.keys()) env.traces.change(i, { state: STOPPED, start: 0 });
    return notice('All traces now stopped');
  }
  const sources = sourcesNamed(name);
  if (sources.length === 0) return err('No such trace source');
  const sinks = sinksOf(env.rings.list.map(({ config }) => config));
  let answer: string | Message = '';
  for (const i of sources) {
    const found = readTraceWords({ source: TRACE_SOURCES[i]!, setting: env.traces.of(i), sinks }, words);
    if ('error' in found) return err(found.error);
    if ('list' in found) answer = data(found.list);
    else if (!env.traces.change(i, found.change)) return err(NO_ROOM);
  }
  return answer;
}

function stateOf({ traces }: CliEnv, source: number): string {
  return STATES[traces.of(source).state]!;
}

function showTrace({ env, state, args: [name] }: Call): string | Message {
  if (name === undefined) {
    const rows = TRACE_SOURCES.map(
      ({ name, doc }, i) =>
        ` [${stateOf(env, i)}] ${name.padEnd(10)} -> ${env.traces.of(i).sink} [drp ${dropped(env, i)}]  [${doc}]`,
    );
    return { severity: 'info', text: [TITLE, ...rows].join('\n') };
  }
  if (!allowed(state.level, 'operator')) return DENIED;
  const [index] = sourcesNamed(name);
  if (index === undefined || name === 'all') return err('No such trace source');
  const setting = env.traces.of(index);
  const sign = (bits: number, i: number) => (bits & (1 << i) ? '+' : '-');
  const rows = TRACE_SOURCES[index]!.events.map(({ name }, i) => {
    const [event, start, stop, pause] = (['event', 'start', 'stop', 'pause'] as const).map(on => sign(setting[on], i));
    return `    ${name.padEnd(13)}:        ${event}        ${start}        ${stop}       ${pause}`;
  });
  const lines = [
    `Trace status for ${name}:`,
    `  - sink: ${setting.sink} [${dropped(env, index)} dropped]${setting.state === RUNNING ? ', running' : ''}`,
    '  - event name   :     report    start    stop    pause',
    ...rows,
  ];
  return warning(lines.join('\n'));
}

/** Lines that the ring of the source did not take. */
function dropped({ traces, rings }: CliEnv, source: number): number {
  const { sink } = traces.of(source);
  return rings.list.find(({ config }) => config.name === sink)?.buffer.dropped ?? 0;
}

export const TRACE_COMMANDS: readonly Command[] = [
  { words: 'show trace', usage: '[<source>]', help: 'show live tracing state', level: 'user', run: showTrace },
  {
    words: 'trace',
    usage: '[<module>|0] [cmd [args...]]',
    help: 'manage live tracing (empty to list, 0 to stop all)',
    level: 'admin',
    run: trace,
  },
];
