/** `email-alert`: the conversation is the one recorded from HAProxy 2.6 with the same configuration. */
import net from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { mailOf, startMails } from '../../engine/health/mail.ts';
import type { Io } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { MAIL_QUEUE_MAX } from '../../engine/limits.ts';
import { TimerWheel } from '../../engine/time.ts';
import { load } from '../config/load-text.ts';

let io: Io;
let server: net.Server;
/** What each connection said, line by line. */
let said: string[][];
let refuse: string | null;

beforeEach(async () => {
  io = createNetIo();
  said = [];
  refuse = null;
  server = net.createServer(socket => {
    const lines: string[] = [];
    said.push(lines);
    let [text, data] = ['', false];
    socket.on('error', () => {});
    socket.write('220-several lines\r\n220 hello\r\n');
    socket.on('data', bytes => {
      const parts = (text + bytes).split('\r\n');
      text = parts.pop()!;
      for (const line of parts) {
        lines.push(line);
        if (data) data = line !== '.';
        else if (line === 'DATA') data = true;
        if (line === 'DATA') socket.write('354 go on\r\n');
        else if (refuse !== null && line.startsWith(refuse)) socket.write('550 no\r\n');
        else if (line === 'QUIT') socket.end('221 bye\r\n');
        else if (!data) socket.write('250 ok\r\n');
      }
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await io.stop();
  server.close();
});

function start(lines: string, port = (server.address() as net.AddressInfo).port) {
  const { model, diagnostics } = load(`
mailers m
  mailer one 127.0.0.1:${port}
  timeout mail 300
backend b
  email-alert mailers m
  email-alert from a@example.org
  email-alert to b@example.org
  email-alert myhostname me
${lines}`);
  if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  return { mails: startMails({ model, io, wheel }), alert: model.proxies[0]!.emailAlert! };
}

test('one mail after the other, as HAProxy sends them', async () => {
  const { mails } = start('');
  mails.alert(1, 0, 'Server b/s1 is DOWN. 0 sessions active, 0 remaining in queue.');
  mails.alert(5, 0, 'Server b/s1 is UP: not told at level alert.');
  mails.alert(1, 0, 'Server b/s2 is DOWN.');
  await expect.poll(() => said.map(lines => lines.at(-1))).toEqual(['QUIT', 'QUIT']);
  const text = 'Server b/s1 is DOWN. 0 sessions active, 0 remaining in queue';
  expect(said[0]!.map(line => line.replace(/^Date: .*/, 'Date'))).toEqual([
    'HELO me',
    'MAIL FROM:<a@example.org>',
    'RCPT TO:<b@example.org>',
    'DATA',
    'From: a@example.org',
    'To: b@example.org',
    'Date',
    `Subject: [HAProxy Alert] ${text}`,
    '',
    text,
    '',
    '.',
    'QUIT',
  ]);
  expect(said[1]).toContain('Subject: [HAProxy Alert] Server b/s2 is DOWN');
  mails.stop();
});

test('what is refused, or not answered, is lost; what comes later is not', async () => {
  const { mails } = start('  email-alert level info\n');
  refuse = 'RCPT';
  mails.alert(1, 0, 'one');
  await expect.poll(() => said[0]?.at(-1)).toBe('RCPT TO:<b@example.org>');
  refuse = null;
  mails.alert(6, 0, 'two');
  await expect.poll(() => said[1]?.at(-1)).toBe('QUIT');
  mails.stop();
});

test('no more wait than there is room for', async () => {
  const { mails } = start('');
  for (let i = 0; i < MAIL_QUEUE_MAX + 50; i++) mails.alert(1, 0, `${i}.`);
  await expect.poll(() => said.length, { timeout: 5000 }).toBe(MAIL_QUEUE_MAX + 1);
  await expect.poll(() => said.at(-1)!.at(-1)).toBe('QUIT');
  expect(said).toHaveLength(MAIL_QUEUE_MAX + 1);
  mails.stop();
});

test('nothing in a text can end the message early', () => {
  const { alert } = start('', 25);
  const { lines } = mailOf(alert, '.\r\n.\r\nQUIT', Date.UTC(2026, 10, 22, 20, 41, 40));
  expect(lines[4]).toContain('\r\nDate: Sun, 22 Nov 2026 20:41:40 +0000 (UTC)\r\n');
  expect(lines[4]!.split('\r\n').filter(line => line === '.')).toHaveLength(1);
});

test('an alert that lacks something is no alert, and a section must be there', () => {
  const said = (text: string) => load(text).diagnostics.list.map(d => d.message);
  expect(said('backend b\n  email-alert to x@example.org\n')).toContain(
    "'email-alert' of 'b' is ignored: it needs 'mailers', 'from' and 'to'",
  );
  expect(said('backend b\n  email-alert mailers n\n')).toContain("unable to find mailers 'n'");
});
