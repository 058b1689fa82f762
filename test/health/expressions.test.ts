/** Formats, expressions and variables in checks: each case recorded from HAProxy 2.6 with the same lines and answers. */
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Health, startHealth } from '../../engine/health/index.ts';
import type { Io } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { TimerWheel } from '../../engine/time.ts';
import { checkOfLines, modelOf, type World, worldOf } from './fixture.ts';

const HTTP = 'HTTP/1.1 200 OK\r\nX-A: foo,bar\r\nX-N: 77\r\nContent-Length: 9\r\n\r\nhello 123';
const TCP = 'hello world 42\r\n';

let io: Io;
let health: Health | null = null;
let server: net.Server;
let heard = '';

beforeEach(() => {
  io = createNetIo();
  heard = '';
  server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', bytes => {
      heard += bytes;
      if (heard.endsWith('.')) socket.end(TCP);
      else if (heard.includes('\r\n\r\n')) socket.end(HTTP);
    });
  });
});

afterEach(async () => {
  health?.stop();
  await io.stop();
  server.close();
});

/** Checks a server that answers once. */
async function check(...lines: string[]): Promise<World> {
  const port = await new Promise<number>(resolve => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port));
  });
  const world = worldOf(modelOf([{ port, inter: 300, fall: 1 }], { check: checkOfLines(...lines) }));
  const wheel = new TimerWheel(io.now());
  health = startHealth({ ...world.env, now: () => io.now(), io, wheel, random: () => 0.5 });
  io.onTurn(now => wheel.advance(now));
  await expect.poll(() => world.status(0)).not.toBe('INI');
  return world;
}

function shown(world: World): string {
  return [world.status(0), world.word(0, 'check_code'), world.text(0)].join(' ').trim();
}

test('a request made of variables, of names and of what the process knows', async () => {
  const world = await check(
    'option httpchk',
    'http-check set-var(check.p) int(7)',
    'http-check set-var-fmt(check.f) "b=%b s=%s ci=%ci"',
    'http-check send meth GET uri-lf "/x/%[var(check.p)]?a=%b" hdr X-F "%[var(check.f)]" hdr x-s "%[srv_name] %[be_name] %[srv_id] %[nbsrv]" hdr none "%[var(check.none)]" body-lf "n=%[var(check.p)]"',
    'http-check expect hdr name x-a value bar on-success "n=%[res.hdr(x-n)] st=%[status] b=%[res.body] v=%[var(check.p)]" status-code res.hdr(x-n)',
  );
  expect(heard).toBe('GET /x/7?a=b HTTP/1.0\r\nx-f: b=b s=s1 ci=\r\nx-s: s1 b 1 1\r\ncontent-length: 3\r\n\r\nn=7');
  expect(shown(world)).toBe('L7OK 77 n=77 st=200 b=hello 123 v=7');
});

test('bytes made of formats', async () => {
  const world = await check(
    'option tcp-check',
    'tcp-check set-var(check.x) str(wor)',
    'tcp-check set-var-fmt(check.y) "%[var(check.x)]ld"',
    'tcp-check send-lf "TCP %[var(check.y)] %[srv_name]\\r\\n"',
    'tcp-check send-binary-lf "%[str(AB),hex]2e"',
    'tcp-check expect string-lf "%[var(check.y)]!" on-error "got %[res.payload(0,5)] len %[res.len]" status-code res.payload(12,2) comment hi',
  );
  expect(heard).toBe('TCP world s1\r\nAB.');
  expect(shown(world)).toBe('L7RSP -1 got hello len 16 comment: hi');
});

const REQUEST = ['option httpchk', 'http-check send meth GET uri /b'];
const SEND = ['option tcp-check', 'tcp-check send TCP.'];

const CASES: readonly [lines: readonly string[], shown: string][] = [
  [
    [
      ...REQUEST,
      'http-check set-var(check.c) status',
      'http-check expect string-lf %[status] on-error "bad %[status] %[var(check.c)] %[res.body_len] %[res.payload(0,4)]"',
    ],
    'L7RSP -1 bad 200  9',
  ],
  [[...REQUEST, 'http-check expect hdr name-lf x-%[str(a)] value-lf -m sub "%[str(oo)],"'], 'L7STS 200 OK'],
  [[...REQUEST, 'http-check expect fhdr name-lf x-%[str(a)] value-lf -m sub "%[str(oo)],"'], 'L7OK 200'],
  [
    [...REQUEST, 'http-check expect string-lf "%[var(check.none)]"'],
    'L7RSP -1 log-format string evaluated to an empty string',
  ],
  [
    [...REQUEST, 'http-check expect hdr name-lf "%[var(check.none)]"'],
    'L7RSP -1 log-format string evaluated to an empty string',
  ],
  [[...REQUEST, 'http-check expect status 300 status-code str(abc)'], 'L7STS 0 OK'],
  [[...REQUEST, 'http-check expect ! hdr name x-a value foo status-code int(12) on-error %[nbsrv]'], 'L7STS 12 1'],
  [[...REQUEST, 'http-check expect hdr name x-b status-code var(check.none) on-error %[nbsrv]'], 'L7STS 200 1'],
  [
    [
      ...REQUEST,
      'http-check expect status 200',
      'http-check set-var(check.s) status',
      'http-check expect string hello on-success %[var(check.s)]',
    ],
    'L7OK 200 200',
  ],
  [
    [...SEND, 'tcp-check expect binary-lf "%[str(wor),hex]" on-success %[res.len] status-code res.payload(12,2)'],
    'L7OK 42 16',
  ],
  [
    [...SEND, 'tcp-check expect string-lf "%[str(zz)]"'],
    'L7RSP -1 TCPCHK did not match content (log-format string) at step 2',
  ],
  [
    [...SEND, 'tcp-check expect ! string-lf "%[str(wor)]"'],
    'L7RSP -1 TCPCHK matched unwanted content (log-format string) at step 2',
  ],
  [
    [...SEND, 'tcp-check expect binary-lf "%[str(zz),hex]"'],
    'L7RSP -1 TCPCHK did not match content (log-format binary) at step 2',
  ],
  [
    [...SEND, 'tcp-check expect binary-lf zz'],
    'L7RSP -1 Failed to parse hexastring resulting of eval of a log-format string',
  ],
  [
    ['option tcp-check', 'tcp-check send-binary-lf zz', 'tcp-check expect string he'],
    'L7RSP -1 tcp-check send : failed to build log-format string at step 1',
  ],
  [
    ['option tcp-check', 'tcp-check expect string-lf %[str(zz)] comment hi'],
    "L7TOUT -1 at step 1 of tcp-check (expect log-format string) comment: 'hi'",
  ],
  [[...SEND, 'tcp-check expect string hello on-success yes', 'tcp-check set-var(check.x) int(1)'], 'L7OK 0 yes'],
  [['option tcp-check', 'tcp-check set-var(check.x) int(1)'], 'L4OK -1'],
  [['option tcp-check', 'tcp-check connect', 'tcp-check set-var(check.x) int(1)'], 'L4OK -1 (tcp-check)'],
];

test.each(CASES)('%j: %s', async (lines, wanted) => {
  expect(shown(await check(...lines)).replace('-1  at', '-1 at')).toBe(wanted);
});

test('variables of a check and of its session last one run, those of the process longer', async () => {
  const world = await check(
    ...SEND,
    'tcp-check expect string-lf "%[var(check.x)]%[var(sess.x)]w" on-error "%[var(check.x)]|%[var(sess.x)]|%[var(proc.x)]"',
    'tcp-check set-var(check.x) str(1)',
    'tcp-check set-var(sess.x) str(2)',
    'tcp-check set-var(proc.x) str(3)',
    'tcp-check unset-var(check.x)',
    'tcp-check expect string-lf "%[var(check.x)]nothing" on-error "%[var(check.x)]|%[var(sess.x)]|%[var(proc.x)]"',
  );
  expect(shown(world)).toBe('L7RSP -1 |2|3');
  expect(world.env.outside.env.worker.procVars.get('x')!.bytes).toEqual(new Uint8Array(Buffer.from('3')));
});
