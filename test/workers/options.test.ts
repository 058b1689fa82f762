import { describe, expect, test } from 'vitest';
import { type Options, parseArguments, usage } from '../../workers/options.ts';

const DEFAULTS = parseArguments([]).options;

describe('the command line', () => {
  const good: [line: string, changes: Partial<Options>][] = [
    ['-f a.cfg -f dir', { files: ['a.cfg', 'dir'] }],
    ['-f a -- b -c', { files: ['a', 'b', '-c'] }],
    ['-v', { version: 1 }],
    ['-vv', { version: 2 }],
    ['-c -q', { check: true, quiet: true }],
    ['-q -V', { quiet: false, verbose: true }],
    ['-V -q', { quiet: true, verbose: false }],
    ['-cc streq(a,a)', { condition: 'streq(a,a)' }],
    ['-d', { debug: true, foreground: true }],
    ['-db', { foreground: true }],
    ['-D -p /run/x', { daemon: true, pidfile: '/run/x' }],
    ['-W', { masterWorker: true }],
    ['-Ws -S /run/m', { masterWorker: true, notify: true, masterSocket: '/run/m' }],
    [
      '-C /etc -L me -n 10 -N 20 -m 30',
      { chdir: '/etc', localPeer: 'me', maxconn: 10, proxyMaxconn: 20, memoryMb: 30 },
    ],
    ['-sf 1 22 -c', { finish: { signal: 'SIGUSR1', pids: [1, 22] }, check: true }],
    ['-st', { finish: { signal: 'SIGTERM', pids: [] } }],
    ['-x /run/s', { takeOver: '/run/s' }],
    ['-dM -dM42 -dI -dW -dD', { zeroWarning: true, diagnostic: true }],
    ['-dA/tmp/x.tar -dC', { archive: '/tmp/x.tar', dump: 0 }],
    ['-dC42', { dump: 42 }],
    [
      '-dtstream:user:quiet,session',
      {
        traces: [
          'stream sink stderr level user verbosity quiet start now'.split(' '),
          'session sink stderr level error start now'.split(' '),
        ],
      },
    ],
    ['-dt', { traces: ['all sink stderr level error start now'.split(' ')] }],
    ['-dKcfg,cli', { keywords: 'cfg,cli' }],
    ['-dK -dL -dr', { keywords: '', libraries: true, ignoreResolution: true }],
    ['-4 -dV', { ipv4Only: true, noServerVerify: true }],
    ['--io=net', { io: 'net' }],
    ['--io net', { io: 'net' }],
    ['--process-name haproxy', { processName: 'haproxy' }],
    ['-dF -dG -dR -dS -dT -dZ -dc -de -dk -dp -ds -dv', {}],
  ];
  test.each(good)('%s', (line, changes) => {
    expect(parseArguments(line.split(' '))).toEqual({ options: { ...DEFAULTS, ...changes }, error: null });
  });

  const bad: [line: string, error: string][] = [
    ['-f', "'-f' expects <cfgfile|cfgdir> as argument."],
    ['-n abc', "-n option: expects a number, not 'abc'"],
    ['-sf 1 x', '-sf option: some bytes unconsumed in PID list {x}'],
    ['-st 0', '-st option: some bytes unconsumed in PID list {0}'],
    ['--io=x', "--io option: expects 'net' or 'uring', not 'x'"],
    ['--process-name a/b', "--process-name option: expects 1 to 15 letters, digits, '-', '_' or '.', not 'a/b'"],
    ['-dA', '-dA option: expects the name of a file, as in -dA/tmp/libs.tar'],
    ['-dCx', "-dC option: expects a key of 0 to 4294967295, not 'x'"],
    ['-dC4294967296', "-dC option: expects a key of 0 to 4294967295, not '4294967296'"],
    ['-dtx', "-dt option: no such trace source 'x'; there are: all, session, stream"],
    ['-dtstream:help', "-dt option: no such trace level 'help'; there are: error, user, proto, state, data, developer"],
    ['a.cfg', "unexpected argument 'a.cfg'; did you mean '-f a.cfg' maybe ?"],
    ['-zzzzzz', "unknown option '-zzzzzz'."],
  ];
  test.each(bad)('%s', (line, error) => {
    expect(parseArguments(line.split(' ')).error).toBe(error);
  });

  test('pids from a file may come as one argument', () => {
    expect(parseArguments(['-sf', '11 12\n13']).options.finish).toEqual({ signal: 'SIGUSR1', pids: [11, 12, 13] });
  });

  test('the usage names every flag once', () => {
    const flags = usage('sluice').match(/^ {8}-\S+/gm)!;
    expect(new Set(flags).size).toBe(flags.length);
    expect(flags.length).toBeGreaterThan(40);
  });
});
