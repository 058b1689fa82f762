/** Scripted servers checked by HAProxy and by Sluice: both must send the same, find the same and log the same. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { askHaproxy, askSluice, type Move, type Run, type ScriptedServer, scriptedServer } from './check-rig.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

const HTTP_200 = 'HTTP/1.0 200 OK\r\nX-Q: yy, xz\r\n\r\nbar';
const MYSQL_HELLO = '\x0b\0\0\0\x0a8.0.1\0abcd';
const AGENT = ['server s 127.0.0.1:1 agent-check agent-port PORT agent-inter 500 weight 10'];

/** Lines of a backend (a server is added when there is none), and what its server does; null = nobody listens. */
const CASES: Readonly<Record<string, readonly [lines: readonly string[], moves: readonly Move[] | null]>> = {
  t1: [['option tcp-check', 'tcp-check expect string foo'], ['bar']],
  t2: [['option tcp-check', 'tcp-check comment hi\\ there', 'tcp-check expect string foo'], ['bar']],
  t3: [
    ['option tcp-check', 'tcp-check connect', 'tcp-check send x comment c', 'tcp-check expect comment d string foo'],
    ['<wait>', 'bar', '<end>'],
  ],
  t4: [['option tcp-check', 'tcp-check expect ! string bar'], ['bar']],
  t5: [
    ['option tcp-check', 'tcp-check expect rstring ^f'],
    ['bar', '<end>'],
  ],
  t6: [
    ['option tcp-check', 'tcp-check expect rbinary ^4142'],
    ['bar', '<end>'],
  ],
  t7: [['option tcp-check', 'tcp-check expect on-success fine string bar'], ['bar']],
  t8: [
    ['option tcp-check', 'tcp-check expect string bar'],
    ['bar', '<end>'],
  ],
  t9: [['option tcp-check', 'tcp-check connect port 1'], []],
  t10: [['option tcp-check', 'tcp-check connect comment cc'], null],
  t11: [['option tcp-check', 'tcp-check send hello'], null],
  t12: [['option tcp-check', 'tcp-check send hello'], ['<wait>']],
  t13: [['option tcp-check', 'tcp-check expect string foo'], ['<end>']],
  t14: [
    ['option tcp-check', 'tcp-check expect string foo'],
    ['<wait>', '<reset>'],
  ],
  t15: [
    ['option tcp-check', 'tcp-check expect on-error bad\\ thing error-status L4CON string foo'],
    ['b', '<end>'],
  ],
  t16: [['option tcp-check', 'tcp-check expect ok-status L4OK string foo', 'tcp-check send bye'], ['foo']],
  t17: [['option tcp-check'], []],
  t18: [['option tcp-check'], null],
  t19: [['option tcp-check', 'tcp-check expect tout-status L4TOUT binary 414200ff'], ['foo']],
  t20: [
    [
      'option tcp-check',
      ...['tcp-check connect', 'tcp-check expect string foo', 'tcp-check connect', 'tcp-check expect string foob'],
    ],
    ['foo'],
  ],
  t21: [['option tcp-check', 'tcp-check expect string "foo" ok-status L7OKC'], ['foo']],
  t22: [
    ['option tcp-check', 'tcp-check expect min-recv 3 rstring ^z'],
    ['foo', '<end>'],
  ],
  t23: [
    ['option tcp-check', 'tcp-check send-binary 414243', 'tcp-check expect binary 646566'],
    ['<wait>', 'def'],
  ],
  t24: [[], null],
  h1: [
    ['option httpchk', 'http-check send meth GET uri /a hdr X 1 body b1'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h2: [
    ['option httpchk', 'http-check expect hdr name x-q value -m beg x'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h3: [
    ['option httpchk', 'http-check expect fhdr name x-q value -m beg x'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h4: [
    ['option httpchk', 'http-check expect comment c string foo'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h5: [
    ['option httpchk', 'http-check expect on-error oops error-status L7STS ! string bar'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h6: [
    ['option httpchk', 'http-check expect on-success yeah ok-status L7OKC status 200'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h7: [
    [
      ...['option httpchk', 'http-check connect', 'http-check send uri /1', 'http-check expect status 200'],
      ...['http-check connect', 'http-check send uri /2', 'http-check expect comment x status 201'],
    ],
    ['<wait>', HTTP_200, '<end>'],
  ],
  h8: [['option httpchk'], ['<wait>']],
  h9: [['option httpchk', 'http-check expect tout-status L6TOUT status 200'], ['<wait>']],
  h10: [['option httpchk', 'http-check comment hello', 'http-check connect port 1'], []],
  h11: [
    ['option httpchk', 'http-check expect status 200'],
    ['<wait>', 'garbage\r\n\r\n', '<end>'],
  ],
  h12: [
    ['option httpchk', 'http-check expect status 200'],
    ['<wait>', '<end>'],
  ],
  h13: [
    ['option httpchk', 'http-check expect comment q status 200'],
    ['<wait>', 'HTTP/1.0 503 Bad\r\n\r\n', '<end>'],
  ],
  h14: [
    ['option httpchk', 'http-check expect hdr name -m reg ^x- value -m reg z$'],
    ['<wait>', HTTP_200, '<end>'],
  ],
  redis1: [['option redis-check'], ['<wait>', '+PONG\r\n']],
  redis2: [['option redis-check'], ['<wait>', '-NOAUTH x\r\n', '<end>']],
  redis3: [['option redis-check'], null],
  smtp1: [['option smtpchk'], ['220 hi there\r\n', '<wait>', '250 ok\r\n', '<wait>', '221 bye\r\n', '<end>']],
  smtp2: [
    ['option smtpchk EHLO me.org'],
    ['220 hi there\r\n', '<wait>', '250-ok done\r\n250 x\r\n', '<wait>', '221 bye\r\n', '<end>'],
  ],
  smtp3: [['option smtpchk'], ['520 go away\r\n']],
  smtp4: [['option smtpchk'], ['SSH-2.0\r\n']],
  smtp5: [['option smtpchk'], ['220 hi there\r\n', '<wait>', '550 no hello\r\n', '<end>']],
  ldap1: [['option ldap-check'], ['<wait>', '0\x0c\x02\x01\x01a\x07\n\x01\0\x04\0\x04\0']],
  ldap2: [['option ldap-check'], ['<wait>', '0\x0c\x02\x01\x01a\x07\n\x011\x04\0\x04\0']],
  ldap3: [['option ldap-check'], ['<wait>', 'hello world foo bar']],
  pgsql1: [['option pgsql-check user joe'], ['<wait>', 'R\0\0\0\x08\0\0\0\0']],
  pgsql2: [['option pgsql-check user joe'], ['<wait>', 'E\0\0\0\x20SFATAL\0']],
  pgsql3: [['option pgsql-check user joe'], ['<wait>', 'R\0\0\0\x08\0\0\0\x55']],
  mysql1: [['option mysql-check'], [MYSQL_HELLO]],
  mysql2: [['option mysql-check user bob'], [MYSQL_HELLO, '<wait>', '\x07\0\0\x02\0\0\0\x02\0\0\0']],
  mysql3: [['option mysql-check user bob'], [MYSQL_HELLO, '<wait>', '\x0f\0\0\x02\xff\x15\x04#28000Access']],
  mysql4: [['option mysql-check user bob pre-41'], [MYSQL_HELLO, '<wait>', '\x07\0\0\x02\0\0\0\x02\0\0\0']],
  ssl1: [['option ssl-hello-chk'], ['<wait>', '\x16\x03\0\0\x10xxxxxx']],
  ssl2: [['option ssl-hello-chk'], ['<wait>', 'HTTP/1.0 400', '<end>']],
  ssl3: [['option ssl-hello-chk'], ['<wait>']],
  spop1: [['option spop-check'], ['<wait>', '\0\0\0\x07\x65\0\0\0\x01\0\0']],
  spop2: [['option spop-check'], ['<wait>', '\0\0\0\x14\x65\0\0\0\x01\0\0\x07version\x08\x039.0']],
  agent2: [[`${AGENT} agent-send hey`], ['<wait>', 'up 50%\n', '<end>']],
  agent5: [AGENT, ['gibberish words\n', '<end>']],
  agent6: [AGENT, ['fail\n', '<end>']],
  agent7: [AGENT, ['stopped # all done\n', '<end>']],
  agent9: [AGENT, ['<end>']],
  agent10: [AGENT, ['999%\n', '<end>']],
  agent11: [AGENT, null],
  agent12: [AGENT, []],
  agent13: [AGENT, ['maxconn:abc\n', '<end>']],
  agent14: [AGENT, ['UP ready\n', '<end>']],
  agent15: [AGENT, ['0%\n', '<end>']],
  agent16: [AGENT, ['up down\n', '<end>']],
  agent17: [AGENT, ['maint\n', '<end>']],
  agent18: [
    ['option log-health-checks', ...AGENT],
    ['down\n', '<end>'],
  ],
  track1: [
    [
      'server s 127.0.0.1:1 check inter 500 fall 1 weight 10',
      'server t 127.0.0.1:1 track track1/s',
      'server u 127.0.0.1:1 track t',
    ],
    null,
  ],
  track2: [
    [
      'server s 127.0.0.1:PORT check inter 500 agent-check agent-port PORT agent-inter 500',
      'server t 127.0.0.1:1 track s',
    ],
    ['down\n', '<end>'],
  ],
  external1: [['option external-check', 'external-check command /bin/true'], []],
  external2: [['option external-check', 'external-check command /bin/false'], []],
  external4: [['option external-check', 'external-check command /nowhere'], []],
};

const servers: Record<string, ScriptedServer> = {};
let theirs: Run;
let ours: Run;
let heard: Readonly<Record<string, readonly [theirs: string, ours: string]>>;

/** Longer than two time-outs and the spread of the first checks. */
const RUN_MS = 4200;

function takeHeard(): Record<string, string> {
  return Object.fromEntries(Object.entries(servers).map(([name, server]) => [name, server.take()]));
}

/** HAProxy 2.6 now and then takes a server for silent that has not closed, nor even been slow. */
function confused(name: string): boolean {
  const silent = CASES[name]![1]?.every(move => move.startsWith('<')) ?? true;
  const said = [...theirs.lines.filter(line => line.includes(` ${name}/`)), JSON.stringify(theirs.found[`${name}/s`])];
  return !silent && said.some(text => text.includes('got an empty response'));
}

beforeAll(async () => {
  if (version === null) return;
  let text = '';
  for (const [name, [lines, moves]] of Object.entries(CASES)) {
    if (moves !== null) servers[name] = await scriptedServer(moves);
    const port = servers[name]?.port ?? 1;
    const own = lines.some(line => line.startsWith('server'));
    const server = own ? [] : ['server s 127.0.0.1:PORT check inter 1s fall 1 rise 1'];
    text += `backend ${name}\n  mode http\n  ${[...lines, ...server].join('\n  ').replaceAll('PORT', String(port))}\n`;
  }
  theirs = await askHaproxy(text, RUN_MS);
  const first = takeHeard();
  ours = await askSluice(text, RUN_MS);
  const second = takeHeard();
  heard = Object.fromEntries(Object.keys(servers).map(name => [name, [first[name]!, second[name]!]]));
}, 30_000);

afterAll(() => {
  for (const server of Object.values(servers)) server.close();
});

/** What was found, but for what HAProxy forgets while the next check runs, and how often a check failed: that is a matter of time. */
function settled(run: Run, name: string) {
  const rows = Object.keys(theirs.found).filter(key => key.startsWith(`${name}/`));
  return rows.map(key => {
    const { chkfail: _, running: _r, ...row }: Record<string, string> = run.found[key]!;
    const forgotten = theirs.found[key]!.running!.split(' ');
    for (const column of forgotten) if (column !== '') row[column] = '';
    return [key, row];
  });
}

/** The moment of an SSL client hello. */
const timeless = (text: string) => (text.startsWith('\x16') ? text.slice(0, 11) + text.slice(15) : text);

test.skipIf(version === null).for(Object.keys(CASES))('%s', (name, { skip }) => {
  skip(confused(name), 'HAProxy saw an empty response where there was none');
  expect(settled(ours, name)).toEqual(settled(theirs, name));
  const about = (run: Run): string[] => run.lines.filter(line => line.includes(` ${name}/`)).sort();
  expect(about(ours)).toEqual(about(theirs));
  if (servers[name] !== undefined) expect(timeless(heard[name]![1])).toBe(timeless(heard[name]![0]));
});
