/** Commands that let frontends rest or stop, and those that set the limits of frontends, servers and the process. */
import type { Proxy } from '../config/proxy-model.ts';
import { LOG_WARNING, NO_MAIL } from '../health/log.ts';
import { setServerWord, type Target } from '../health/target.ts';
import { FE_OPEN, FE_PAUSED, FE_STOPPED, PROCESS, PROXY } from '../shm/words.ts';
import type { FrontendSockets } from './asker.ts';
import { type Call, type CliEnv, type Command, type Later, later } from './command.ts';
import { onBackend, onFrontend, onServer, wholeNumber } from './find.ts';
import { frontendNews } from './frontend-news.ts';
import { inForce, silence } from './in-force.ts';
import { notice } from './severity.ts';

function state(env: CliEnv, proxy: Proxy): number {
  return Atomics.load(env.memory.words, env.memory.proxy(proxy.index) + PROXY.at.fe_stopped);
}

/** The workers first let go of the sockets, or last take them up: the master is asked in between. */
function setState(env: CliEnv, proxy: Proxy, value: number, sockets: FrontendSockets): Later {
  const workers = (done: (text: string) => void) => {
    Atomics.store(env.memory.words, env.memory.proxy(proxy.index) + PROXY.at.fe_stopped, value);
    env.asker.ask({ type: 'look' }, answers => done(silence(answers)));
  };
  const master = (done: (text: string) => void) =>
    env.asker.sockets(proxy.index, sockets, ok => done(ok ? '' : 'The master thread did not answer in time.'));
  const [first, second] = value === FE_OPEN ? [master, workers] : [workers, master];
  const told = (text: string): string => {
    if (text === '') env.log(LOG_WARNING, proxy.index, frontendNews(env.memory, proxy, value), NO_MAIL);
    return text;
  };
  return later(done => first(one => second(two => done(told(one || two)))));
}

const disable = onFrontend(({ env }, proxy) => {
  if (state(env, proxy) === FE_STOPPED) return 'Frontend was previously shut down, cannot disable.';
  if (state(env, proxy) === FE_PAUSED) return notice('All sockets are already disabled.');
  return setState(env, proxy, FE_PAUSED, 'pause');
});

const enable = onFrontend(({ env }, proxy) => {
  if (state(env, proxy) === FE_STOPPED) return 'Frontend was previously shut down, cannot enable.';
  if (state(env, proxy) === FE_OPEN) return notice('All sockets are already enabled.');
  return setState(env, proxy, FE_OPEN, 'open');
});

const shutdown = onFrontend(({ env }, proxy) => {
  if (state(env, proxy) === FE_STOPPED) return 'Frontend was already shut down.';
  return setState(env, proxy, FE_STOPPED, 'close');
});

/** Whether the switching rules of other proxies see a backend. */
function publishing(unpublished: 0 | 1): Command['run'] {
  return onBackend(({ env }, proxy) => {
    Atomics.store(env.memory.words, env.memory.proxy(proxy.index) + PROXY.at.be_unpublished, unpublished);
    return '';
  });
}

const setFrontendMaxconn = onFrontend(({ env }, proxy, [text]) => {
  if (text === undefined) return 'Integer value expected.';
  const value = wholeNumber(text);
  if (value === null) return 'Value out of range.';
  Atomics.store(env.memory.words, env.memory.proxy(proxy.index) + PROXY.at.fe_maxconn, value);
  return inForce(env);
});

function setServerMaxconn({ env }: Call, target: Target, [text]: readonly string[]): string | Later {
  if (text === undefined) return 'Require <maxconn>.';
  if (!/^\d/.test(text)) return 'maxconn string empty or preceded by garbage';
  const value = wholeNumber(text);
  if (value === null) return 'Trailing garbage in maxconn string';
  setServerWord(env.memory, target, 'maxconn', value);
  return inForce(env);
}

/** Within what the process was started with; 0 = that again. */
function setGlobalMaxconn({ env, args: [text] }: Call): string | Later {
  if (text === undefined) return 'Expects an integer value.';
  const value = wholeNumber(text);
  const initial = env.model.global.maxconn;
  if (value === null || value > initial) return 'Value out of range.';
  Atomics.store(env.memory.words, env.memory.process + PROCESS.at.maxconn, value || initial);
  return inForce(env);
}

const WORD_MAX = 0x7fff_ffff;

/** What `set rate-limit` can set, by its first two words; a word counts in units of the value. */
const RATE_LIMITS = {
  'connections global': { word: 'maxconnrate', unit: 1, doc: 'to set the per-process maximum connection rate' },
  'sessions global': { word: 'maxsessrate', unit: 1, doc: 'to set the per-process maximum session rate' },
  'ssl-sessions global': { word: 'maxsslrate', unit: 1, doc: 'to set the per-process maximum SSL session rate' },
  'http-compression global': {
    word: 'maxcomprate',
    unit: 1024,
    doc: 'to set the per-process maximum compression speed in kB/s',
  },
} as const;

function setRateLimit({ env, args }: Call): string | Later {
  const what = args.slice(0, 2).join(' ');
  const rows = Object.entries(RATE_LIMITS);
  const found = rows.find(([name]) => name === what);
  if (found === undefined) {
    return `'set rate-limit' only supports :\n${rows.map(([name, { doc }]) => `   - '${name}' ${doc}`).join('\n')}`;
  }
  if (args[2] === undefined) return 'Expects an integer value.';
  const value = wholeNumber(args[2]);
  const { word, unit } = found[1];
  if (value === null || value * unit > WORD_MAX) return 'Value out of range.';
  Atomics.store(env.memory.words, env.memory.process + PROCESS.at[word], value * unit);
  return inForce(env);
}

export const FRONTEND_COMMANDS: readonly Command[] = [
  {
    words: 'disable frontend',
    usage: '<frontend>',
    help: 'temporarily disable specific frontend',
    level: 'admin',
    run: disable,
  },
  {
    words: 'publish backend',
    usage: '<backend>',
    help: 'mark backend as ready for traffic',
    level: 'operator',
    run: publishing(0),
  },
  {
    words: 'unpublish backend',
    usage: '<backend>',
    help: 'remove backend for any traffic processing',
    level: 'operator',
    run: publishing(1),
  },
  { words: 'enable frontend', usage: '<frontend>', help: 're-enable specific frontend', level: 'admin', run: enable },
  { words: 'shutdown frontend', usage: '<frontend>', help: 'stop a specific frontend', level: 'admin', run: shutdown },
  {
    words: 'set maxconn frontend',
    usage: '<frontend> <value>',
    help: "change a frontend's maxconn setting",
    level: 'admin',
    run: setFrontendMaxconn,
  },
  {
    words: 'set maxconn server',
    usage: '<bk>/<srv>',
    help: "change a server's maxconn setting",
    level: 'admin',
    run: onServer(setServerMaxconn),
  },
  {
    words: 'set maxconn global',
    usage: '<value>',
    help: 'change the per-process maxconn setting',
    level: 'admin',
    run: setGlobalMaxconn,
  },
  {
    words: 'set rate-limit',
    usage: '<setting> <value>',
    help: 'change a rate limiting value',
    level: 'admin',
    run: setRateLimit,
  },
];
