/** Commands about the streams that are open in the workers: looking at them, and ending them. */
import { isBackend, isFrontend } from '../config/model.ts';
import { parseTime } from '../config/units.ts';
import { killStreams } from '../health/operator.ts';
import { parseStreamName, type SessionFilter, type SessionLook } from '../proxy/show-sessions.ts';
import type { Call, CliEnv, Command, Later, Reply } from './command.ts';
import { later } from './command.ts';
import { findProxy, findServer, onServer } from './find.ts';
import { inForce } from './in-force.ts';
import { err } from './severity.ts';

const HELP = `Usage: show sess [<id>|older <age>|all] [<options>*]
Dumps active streams (formerly called 'sessions'). Available selectors:
   <id>         dump only this stream, in detail
   all          dump all of them in detail
   older <age>  only those older than that many seconds
Available options:
   frontend <f> only those of this frontend
   backend <b>  only those of this backend
   server <b/s> only those on this server
   show-uri     with the URI of the request
   susp         only those that look suspicious: past their time-out, or done and still there`;

interface Wanted {
  filter: { -readonly [K in keyof SessionFilter]: SessionFilter[K] };
  worker: number | undefined;
  look: { -readonly [K in keyof SessionLook]: SessionLook[K] };
}

type Option = (env: CliEnv, wanted: Wanted, value: string) => string | null;

/** The options that have a value: each takes it in, or says what is wrong with it. */
const OPTIONS: Readonly<Record<string, Option>> = {
  older: (_env, { filter }, value) => {
    const age = parseTime(value, 's');
    if ('error' in age) return `Invalid age value '${value}'.`;
    filter.olderMs = age.value;
    return null;
  },
  frontend: (env, { filter }, value) => {
    const proxy = findProxy(env, value, isFrontend);
    filter.frontend = proxy?.index ?? null;
    return proxy === undefined ? `Cannot find frontend '${value}'.` : null;
  },
  backend: (env, { filter }, value) => {
    const proxy = findProxy(env, value, isBackend);
    filter.backend = proxy?.index ?? null;
    return proxy === undefined ? `Cannot find backend '${value}'.` : null;
  },
  server: (env, { filter }, value) => {
    const target = findServer(env, value);
    if (typeof target === 'string') return target;
    filter.backend = target.proxy.index;
    filter.server = target.server.index;
    return null;
  },
};

/** What the arguments ask for, or what is wrong with them. */
function wantedOf(env: CliEnv, anonKey: number, args: readonly string[]): Wanted | string {
  const filter = { id: null, frontend: null, backend: null, server: null, olderMs: 0, suspicious: false };
  const wanted: Wanted = { filter, worker: undefined, look: { full: false, uri: false, anonKey } };
  for (let i = 0; i < args.length; i++) {
    const word = args[i]!;
    const name = parseStreamName(word);
    if (word === 'all') wanted.look.full = true;
    else if (word === 'susp') filter.suspicious = true;
    else if (word === 'show-uri') wanted.look.uri = true;
    else if (name !== null) {
      wanted.look.full = true;
      wanted.worker = name.worker;
      wanted.filter.id = name.id;
    } else if (Object.hasOwn(OPTIONS, word)) {
      const value = args[++i];
      if (value === undefined) return `Missing value after '${word}'.`;
      const error = OPTIONS[word]!(env, wanted, value);
      if (error !== null) return error;
    } else return `Unsupported option '${word}', try 'help' for more info.`;
  }
  return wanted;
}

function showSessions({ env, state, args }: Call): Reply {
  if (args[0] === 'help') return HELP;
  const wanted = wantedOf(env, state.anonKey, args);
  if (typeof wanted === 'string') return err(wanted);
  const workers = env.asker.alive().filter(worker => wanted.worker === undefined || worker === wanted.worker);
  return pages(env, wanted, workers, 0, wanted.filter.id === null ? '' : 'Session not found.');
}

/** One page of one worker after the other, each when the peer has taken the one before. `nothing`: the text for none at all. */
function pages(env: CliEnv, wanted: Wanted, workers: readonly number[], after: number, nothing: string): Later {
  const [worker, ...rest] = workers;
  return later(done => {
    if (worker === undefined) return done(nothing);
    const { filter, look } = wanted;
    env.asker.ask(
      { type: 'sessions', filter, look, after },
      ([answered]) => {
        const answer = answered?.answer;
        const left = answer === 'silent' ? `# thread ${worker + 1} does not answer` : '';
        const { rows, next } = typeof answer === 'object' ? answer : { rows: left === '' ? [] : [left], next: null };
        const more = next === null ? rest : workers;
        const none = rows.length > 0 ? '' : nothing;
        done(rows.join('\n'), more.length === 0 && none === '' ? null : pages(env, wanted, more, next ?? 0, none));
      },
      worker,
    );
  });
}

function shutdownSession({ env, args: [text] }: Call): Reply {
  const name = parseStreamName(text ?? '');
  if (name === null) return "Session pointer expected (use 'show sess').";
  return later(done =>
    env.asker.ask(
      { type: 'kill', id: name.id },
      ([answered]) => {
        if (answered?.answer === 'silent') done(`Thread ${name.worker + 1} did not answer in time.`);
        else done(answered?.answer === true ? '' : "No such session (use 'show sess').");
      },
      name.worker,
    ),
  );
}

export const STREAM_COMMANDS: readonly Command[] = [
  {
    words: 'show sess',
    usage: '[<id>|all|help] [<opts>*]',
    help: 'report the list of current sessions or dump this exact session',
    level: 'operator',
    run: showSessions,
  },
  {
    words: 'shutdown session',
    usage: '[id]',
    help: 'kill a specific session',
    level: 'admin',
    run: shutdownSession,
  },
  {
    words: 'shutdown sessions server',
    usage: '<bk>/<srv>',
    help: 'kill sessions on a server',
    level: 'admin',
    run: onServer(({ env }, target) => {
      killStreams(env, target);
      return inForce(env);
    }),
  },
];
