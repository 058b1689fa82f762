/** The same messages through HAProxy's `log-forward` and ours: what comes out must be the same, in each format. */
import { type ChildProcess, spawn } from 'node:child_process';
import dgram from 'node:dgram';
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { FORMATS } from '../../engine/log/syslog.ts';
import { config, freePort, start } from '../workers/sluice.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const ASKED = process.env.SLUICE_INTEROP === '1';
const version = haproxyVersion();
if (!ASKED) console.log('log-forward.test: skipped, it runs a real haproxy: set SLUICE_INTEROP=1');
else if (version === null) console.log('log-forward.test: skipped, no haproxy in PATH to compare with');

const DATAGRAMS = [
  '<13>Oct 11 22:14:15 myhost app[77]: hello world',
  '<13>Oct 11 22:14:15 myhost app: hello\n',
  '<13>Oct  1 22:14:15 myhost hello',
  '<13>Oct 11 22:14:15 app[77]: no host',
  '<13>Oct 11 22:14:15 myhost app[77] no colon',
  '<13>Oct 11 22:14:15 myhost some words: here',
  '<13>Oct 11 22:14:15 myhost : x',
  '<165>1 2003-10-11T22:14:15.003Z mymachine evntslog 12 ID47 [e@32473 iut="3" a="x\\]y"][b] text',
  '<165>1 2003-10-11T22:14:15.003Z mymachine evntslog - ID47 - msg',
  '<165>1 2003-10-11T22:14:15.003000+02:00 mymachine evntslog 12 - - msg',
  '<34>only a priority',
  'none at all',
  'two\nlines',
  '<3>2003-10-11T22:14:15.003Z hi there',
  '<13>Oct 11 22:14:15 myhost app[77]: ends\n\0',
  '',
];

const STREAMS = [
  '<13>Oct 11 22:14:15 h a: one\n<13>Oct 11 22:14:15 h a: two\n',
  '30 <13>Oct 11 22:14:15 h a: three<14>four\n5 hello',
  '5 a\nb\nc<4>z\n',
  'plain text\n<13>x\n',
  '\n<13>x\n',
  '<13>no end',
  '05 <13>hello',
  '<5>a\r\n<5>b\0\n',
];

const ALL = ['', ...FORMATS];

/** What each message comes out as, all formats together: dates of now are left out. */
async function outcomes(option: string, run: (file: string) => void): Promise<Record<string, string[]>> {
  const server = dgram.createSocket('udp4');
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  let lines: string[] = [];
  server.on('message', bytes => void lines.push(bytes.toString('latin1')));
  const port = await freePort();
  const target = (format: string) =>
    ` log 127.0.0.1:${server.address().port} ${format === '' ? '' : `format ${format}`} local3`;
  run(
    config(
      `log-forward f\n dgram-bind 127.0.0.1:${port}\n bind 127.0.0.1:${port}\n timeout client 2s\n ${option}\n${ALL.map(target).join('\n')}\n`,
    ),
  );
  const udp = dgram.createSocket('udp4');
  onTestFinished(() => void udp.close());
  const quiet = async () => {
    for (let before = -1; before !== lines.length; ) {
      before = lines.length;
      await new Promise(resolve => setTimeout(resolve, 100));
    }
    const got = lines.map(line => line.replace(NOW, 'NOW ')).sort();
    lines = [];
    return got;
  };
  while (lines.length === 0) {
    udp.send('<14>there?', port, '127.0.0.1');
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  await quiet();
  const all: Record<string, string[]> = {};
  for (const message of DATAGRAMS) {
    udp.send(message, port, '127.0.0.1');
    all[message] = await quiet();
  }
  for (const stream of STREAMS) {
    const socket = net.connect(port, '127.0.0.1', () => void socket.write(stream));
    let closed = false;
    socket.on('error', () => (closed = true)).on('close', () => (closed = true));
    socket.resume();
    all[`over TCP: ${stream}`] = [...(await quiet()), closed ? 'closed' : 'open'];
    socket.destroy();
  }
  return all;
}

/** The date of now, in either form, of this year: no message above says so. */
const NOW =
  /(?:[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}[+-]\d\d:\d\d) (?!.*(?:h a: |myhost|app))/;

test.skipIf(!ASKED || version === null)('as HAProxy forwards them', { timeout: 120_000 }, async () => {
  const haproxies: ChildProcess[] = [];
  onTestFinished(() => {
    for (const child of haproxies) child.kill('SIGKILL');
  });
  const theirs = await outcomes('', file => {
    haproxies.push(spawn('haproxy', ['-f', file, '-db', '-q'], { stdio: 'ignore' }));
  });
  // HAProxy 2.6 knows no other way.
  const ours = await outcomes('option host keep', file => void start(['-f', file]));
  expect(ours).toEqual(theirs);
});
