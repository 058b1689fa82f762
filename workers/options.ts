/**
 * The command line: one row per flag (manual, management guide 3). The rows say how many arguments a flag takes, what it
 * means and what it sets; parsing and the usage text are derived from them.
 */

import { suggest } from '../engine/config/suggest.ts';
import { traceFlag } from '../engine/log/trace-words.ts';

export interface Options {
  /** Configuration files and folders, in the order given. */
  files: string[];
  check: boolean;
  condition: string | null;
  quiet: boolean;
  verbose: boolean;
  /** 0 = run, 1 = `-v`, 2 = `-vv`. */
  version: 0 | 1 | 2;
  debug: boolean;
  daemon: boolean;
  /** `-db` and `-d`: stay in the foreground whatever else says `daemon`. */
  foreground: boolean;
  masterWorker: boolean;
  /** `-Ws`: tell systemd when ready. */
  notify: boolean;
  zeroWarning: boolean;
  diagnostic: boolean;
  /** `-4`: overrides `dns-accept-family`. */
  ipv4Only: boolean;
  noServerVerify: boolean;
  /** `-dr`: with `-c`, names that do not resolve are no error. */
  ignoreResolution: boolean;
  /** Classes asked for with `-dK`, '' = none were named; null = the flag was not given. */
  keywords: string | null;
  libraries: boolean;
  /** `-dA`: the archive to write; '' = none was named; null = the flag was not given. */
  archive: string | null;
  /** `-dC`: the key of the hashes, 0 = none; null = the flag was not given. */
  dump: number | null;
  /** `-dt`: trace statements. */
  traces: readonly (readonly string[])[];
  chdir: string | null;
  pidfile: string | null;
  localPeer: string | null;
  /** 0 = not given. */
  maxconn: number;
  proxyMaxconn: number;
  memoryMb: number;
  /** `-S`: the words of a bind line, comma-separated. */
  masterSocket: string | null;
  /** `-x`: stats socket of the process to take listening sockets from. */
  takeOver: string | null;
  /** `-sf` and `-st`: whom to tell to leave once we serve. */
  finish: { readonly signal: 'SIGUSR1' | 'SIGTERM'; readonly pids: readonly number[] } | null;
  /** A name of engine/io/choose.ts; null = the best that works. */
  io: string | null;
  /** What `ps`, `pidof` and `killall` call the process; null = as Node does. */
  processName: string | null;
}

/**
 * What follows a flag: nothing; the next argument; text glued to it, maybe none (`-dM42`); all pids up to the next flag;
 * everything up to the end.
 */
type Arity = 'none' | 'one' | 'glued' | 'pids' | 'rest';

interface Flag {
  readonly flag: string;
  readonly arity: Arity;
  /** Shown behind the flag in the usage. */
  readonly argument?: string;
  readonly doc: string;
  /** Returns what is wrong with the arguments, if anything. Without it the flag is accepted and means nothing here. */
  readonly set?: (o: Options, given: readonly string[]) => string | undefined;
}

const set =
  (change: Partial<Options>): NonNullable<Flag['set']> =>
  o => {
    Object.assign(o, change);
    return undefined;
  };

const text =
  (name: 'chdir' | 'pidfile' | 'localPeer' | 'masterSocket' | 'takeOver' | 'condition' | 'keywords') =>
  (o: Options, [value]: readonly string[]) => {
    o[name] = value!;
    return undefined;
  };

/** HAProxy reads numbers as atol does; a word that is no number is a slip worth telling. */
const count =
  (name: 'maxconn' | 'proxyMaxconn' | 'memoryMb') =>
  (o: Options, [value]: readonly string[]) => {
    if (!/^\d{1,9}$/.test(value!)) return `expects a number, not '${value}'`;
    o[name] = Number(value);
    return undefined;
  };

const finish =
  (signal: 'SIGUSR1' | 'SIGTERM') =>
  (o: Options, given: readonly string[]): string | undefined => {
    // `-sf $(cat pidfile)` may arrive as one argument with several pids, or as none.
    const words = given.flatMap(g => g.split(/\s+/)).filter(w => w !== '');
    const bad = words.find(w => !/^[1-9]\d{0,9}$/.test(w));
    if (bad !== undefined) return `some bytes unconsumed in PID list {${bad}}`;
    o.finish = { signal, pids: words.map(Number) };
    return undefined;
  };

const FLAGS: readonly Flag[] = [
  {
    flag: '-f',
    arity: 'one',
    argument: '<cfgfile|cfgdir>',
    doc: 'reads this file, or the *.cfg files of this folder; may be repeated',
    set: (o, [path]) => void o.files.push(path!),
  },
  {
    flag: '--',
    arity: 'rest',
    argument: '<cfgfile>*',
    doc: 'reads these files',
    set: (o, given) => void o.files.push(...given),
  },
  { flag: '-v', arity: 'none', doc: 'displays the version', set: set({ version: 1 }) },
  { flag: '-vv', arity: 'none', doc: 'displays the version and what is built in', set: set({ version: 2 }) },
  { flag: '-c', arity: 'none', doc: 'checks the configuration and exits', set: set({ check: true }) },
  { flag: '-cc', arity: 'one', argument: '<cond>', doc: 'evaluates a condition and exits', set: text('condition') },
  { flag: '-q', arity: 'none', doc: 'quiet: displays no messages', set: set({ quiet: true, verbose: false }) },
  { flag: '-V', arity: 'none', doc: 'verbose: reverts -q', set: set({ verbose: true, quiet: false }) },
  {
    flag: '-d',
    arity: 'none',
    doc: 'debug mode: stays in the foreground',
    set: set({ debug: true, foreground: true }),
  },
  { flag: '-db', arity: 'none', doc: 'stays in the foreground', set: set({ foreground: true }) },
  { flag: '-D', arity: 'none', doc: 'goes daemon once everything serves', set: set({ daemon: true }) },
  { flag: '-W', arity: 'none', doc: 'master-worker mode', set: set({ masterWorker: true }) },
  {
    flag: '-Ws',
    arity: 'none',
    doc: 'master-worker mode, notifies systemd',
    set: set({ masterWorker: true, notify: true }),
  },
  {
    flag: '-C',
    arity: 'one',
    argument: '<dir>',
    doc: 'changes to this folder before reading files',
    set: text('chdir'),
  },
  { flag: '-p', arity: 'one', argument: '<pidfile>', doc: 'writes the pid into this file', set: text('pidfile') },
  {
    flag: '-L',
    arity: 'one',
    argument: '<name>',
    doc: 'local peer name (default: the host name)',
    set: text('localPeer'),
  },
  { flag: '-n', arity: 'one', argument: '<maxconn>', doc: 'connections of the process', set: count('maxconn') },
  {
    flag: '-N',
    arity: 'one',
    argument: '<maxpconn>',
    doc: 'default connections of a proxy',
    set: count('proxyMaxconn'),
  },
  { flag: '-m', arity: 'one', argument: '<megs>', doc: 'limits the memory of the threads', set: count('memoryMb') },
  {
    flag: '-sf',
    arity: 'pids',
    argument: '[pid]*',
    doc: 'lets these processes finish once we serve',
    set: finish('SIGUSR1'),
  },
  {
    flag: '-st',
    arity: 'pids',
    argument: '[pid]*',
    doc: 'terminates these processes once we serve',
    set: finish('SIGTERM'),
  },
  { flag: '-x', arity: 'one', argument: '<socket>', doc: 'takes listening sockets from here', set: text('takeOver') },
  { flag: '-S', arity: 'one', argument: '<bind>[,<opt>]*', doc: 'master CLI', set: text('masterSocket') },
  {
    flag: '--io',
    arity: 'one',
    argument: 'net|uring',
    doc: 'how sockets are served (also --io=net); default: the best that works',
    set: (o, [value]) => {
      if (value !== 'net' && value !== 'uring') return `expects 'net' or 'uring', not '${value}'`;
      o.io = value;
      return undefined;
    },
  },
  {
    flag: '--process-name',
    arity: 'one',
    argument: '<name>',
    doc: 'what ps, pidof and killall call the process (scripts may look for haproxy)',
    set: (o, [value]) => {
      if (!/^[\w.-]{1,15}$/.test(value!)) return `expects 1 to 15 letters, digits, '-', '_' or '.', not '${value}'`;
      o.processName = value!;
      return undefined;
    },
  },
  { flag: '-4', arity: 'none', doc: 'resolvers ask for IPv4 addresses only', set: set({ ipv4Only: true }) },
  { flag: '-dV', arity: 'none', doc: 'disables SSL verify on the server side', set: set({ noServerVerify: true }) },
  { flag: '-dW', arity: 'none', doc: 'refuses to start on any warning', set: set({ zeroWarning: true }) },
  { flag: '-dD', arity: 'none', doc: 'warns about suspicious statements', set: set({ diagnostic: true }) },
  {
    flag: '-dK',
    arity: 'glued',
    argument: '{class[,...]}',
    doc: "lists the keywords; 'help' lists the classes",
    set: text('keywords'),
  },
  { flag: '-dL', arity: 'none', doc: 'lists the loaded libraries', set: set({ libraries: true }) },
  {
    flag: '-dr',
    arity: 'none',
    doc: 'with -c: ignores server names that do not resolve',
    set: set({ ignoreResolution: true }),
  },
  {
    flag: '-dA',
    arity: 'glued',
    argument: '{file}',
    doc: 'writes the program and its libraries into a tar file',
    set: (o, [value]) => {
      if (value === '') return 'expects the name of a file, as in -dA/tmp/libs.tar';
      o.archive = value!;
      return undefined;
    },
  },
  {
    flag: '-dC',
    arity: 'glued',
    argument: '{key}',
    doc: 'prints the configuration; with a key names are hashed',
    set: (o, [value]) => {
      if (!/^\d*$/.test(value!) || Number(value) > 0xffff_ffff)
        return `expects a key of 0 to 4294967295, not '${value}'`;
      o.dump = Number(value);
      return undefined;
    },
  },
  {
    flag: '-dt',
    arity: 'glued',
    argument: '{source[:level[:verbosity]],...}',
    doc: 'traces on standard error; without sources all errors',
    set: (o, [value]) => {
      const traces = traceFlag(value!);
      if (typeof traces === 'string') return traces;
      o.traces = traces;
      return undefined;
    },
  },
  { flag: '-dM', arity: 'glued', doc: 'memory debugging: nothing here' },
  { flag: '-dF', arity: 'none', doc: 'disables fast-forward: nothing here' },
  { flag: '-dG', arity: 'none', doc: 'disables getaddrinfo: nothing here' },
  { flag: '-dI', arity: 'none', doc: 'insecure fork: nothing here' },
  { flag: '-dR', arity: 'none', doc: 'disables SO_REUSEPORT: nothing here' },
  { flag: '-dS', arity: 'none', doc: 'disables splice: nothing here' },
  { flag: '-dT', arity: 'none', doc: 'disables ktls: nothing here' },
  { flag: '-dZ', arity: 'none', doc: 'disables zero-copy forwarding: nothing here' },
  { flag: '-dc', arity: 'none', doc: 'CPU affinity debugging: nothing here' },
  { flag: '-de', arity: 'none', doc: 'disables epoll: nothing here' },
  { flag: '-dk', arity: 'none', doc: 'disables kqueue: nothing here' },
  { flag: '-dp', arity: 'none', doc: 'disables poll: nothing here' },
  { flag: '-ds', arity: 'none', doc: 'disables select: nothing here' },
  { flag: '-dv', arity: 'none', doc: 'disables evports: nothing here' },
];

const BY_FLAG = new Map(FLAGS.map(row => [row.flag, row]));
/** Longest first, so that `-dKcfg` is not taken for something shorter. */
const GLUED = FLAGS.filter(row => row.arity === 'glued').sort((a, b) => b.flag.length - a.flag.length);

function defaults(): Options {
  return {
    files: [],
    check: false,
    condition: null,
    quiet: false,
    verbose: false,
    version: 0,
    debug: false,
    daemon: false,
    foreground: false,
    masterWorker: false,
    notify: false,
    zeroWarning: false,
    diagnostic: false,
    ipv4Only: false,
    noServerVerify: false,
    ignoreResolution: false,
    keywords: null,
    libraries: false,
    archive: null,
    dump: null,
    traces: [],
    chdir: null,
    pidfile: null,
    localPeer: null,
    maxconn: 0,
    proxyMaxconn: 0,
    memoryMb: 0,
    masterSocket: null,
    takeOver: null,
    finish: null,
    io: null,
    processName: null,
  };
}

/** Reads `argv` (without the program). The second of the pair says what is wrong with it, or null. */
export function parseArguments(argv: readonly string[]): { options: Options; error: string | null } {
  const options = defaults();
  for (let i = 0; i < argv.length; ) {
    const word = argv[i++]!;
    const [row, glued] = find(word);
    if (row === null) return { options, error: unknown(word) };
    let given: readonly string[] = glued === null ? [] : [glued];
    if (row.arity === 'one' && glued === null) {
      if (i === argv.length) return { options, error: `'${row.flag}' expects ${row.argument} as argument.` };
      given = [argv[i++]!];
    } else if (row.arity === 'pids') {
      const from = i;
      while (i < argv.length && !argv[i]!.startsWith('-')) i++;
      given = argv.slice(from, i);
    } else if (row.arity === 'rest') {
      given = argv.slice(i);
      i = argv.length;
    }
    const wrong = row.set?.(options, given);
    if (wrong !== undefined) return { options, error: `${row.flag} option: ${wrong}` };
  }
  return { options, error: null };
}

/** The row of a word, and what was glued to its flag (`-dKcfg`, `--io=net`). */
function find(word: string): [Flag | null, string | null] {
  const exact = BY_FLAG.get(word);
  if (exact !== undefined) return [exact, exact.arity === 'glued' ? '' : null];
  const glued = GLUED.find(row => word.startsWith(row.flag));
  if (glued !== undefined) return [glued, word.slice(glued.flag.length)];
  const equals = word.indexOf('=');
  const long = equals > 0 && word.startsWith('--') ? BY_FLAG.get(word.slice(0, equals)) : undefined;
  return long === undefined ? [null, null] : [long, word.slice(equals + 1)];
}

function unknown(word: string): string {
  if (!word.startsWith('-')) return `unexpected argument '${word}'; did you mean '-f ${word}' maybe ?`;
  const near = suggest(word, BY_FLAG.keys());
  return `unknown option '${word}'${near === null ? '.' : `; did you mean '${near}' maybe ?`}`;
}

/** The help that follows a command line that cannot be used. */
export function usage(program: string): string {
  const rows = FLAGS.map(({ flag, argument, doc }) => {
    const call = argument === undefined ? flag : argument.startsWith('{') ? flag + argument : `${flag} ${argument}`;
    return `        ${call} ${doc}\n`;
  });
  return `Usage : ${program} [-f <cfgfile|cfgdir>]* [options] [-- <cfgfile>*]\n${rows.join('')}        ${program} lbaas serves OpenStack's load-balancer APIs; see ${program} lbaas --help\n`;
}
