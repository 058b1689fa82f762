/** Rules on headers that belong to the connection: lengths, codings, Connection, Upgrade. As HAProxy 2.6, or refused. */
import { afterEach, describe, expect, test } from 'vitest';
import { origin, rigOf } from '../proxy/listen.ts';
import type { Rig } from '../proxy/rig.ts';
import { connect, type Wire, type WireServer } from '../proxy/wire.ts';

let rig: Rig;
let server: WireServer;
let client: Wire | null = null;

afterEach(async () => {
  client?.socket.destroy();
  client = null;
});

async function start(rules: string[]): Promise<void> {
  server = await origin();
  rig = await rigOf(`
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen f
  bind 127.0.0.1:1
  ${rules.join('\n  ')}
  server s 127.0.0.1:${server.port}
`);
  client = await connect(rig.port('f'));
}

const POST = 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\nhello';
const CHUNKS = 'POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n';
const GET = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const HEAD = 'HEAD / HTTP/1.1\r\nhost: a\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc';

/** `5 CRLF hello CRLF 0`: payload in chunks, however it was cut on its way. */
function unchunked(message: string): string {
  const at = message.indexOf('\r\n\r\n') + 4;
  let payload = '';
  for (let rest = message.slice(at); rest !== '0\r\n\r\n'; ) {
    const size = Number.parseInt(rest, 16);
    const from = rest.indexOf('\r\n') + 2;
    expect(rest.slice(from + size, from + size + 2)).toBe('\r\n');
    payload += rest.slice(from, from + size);
    rest = rest.slice(from + size + 2);
  }
  return message.slice(0, at) + payload;
}

describe('requests', () => {
  test.each([
    ['del-header content-length'],
    ['del-header ^content- -m reg'],
    ['set-header content-length x'],
    ['set-header transfer-encoding chunked'],
    ['add-header transfer-encoding chunked'],
  ])('%s: the payload leaves in chunks', async rule => {
    await start([`http-request ${rule}`]);
    client!.send(POST);
    const wire = await server.conn();
    await wire.until(w => w.received.endsWith('0\r\n\r\n'));
    expect(unchunked(wire.received)).toBe('POST / HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\nhello');
    wire.send(OK);
    await client!.until(w => w.received.endsWith('abc'));
    client!.send(GET);
    await wire.until(w => w.received.endsWith(GET));
  });

  test.each([
    ['set-header content-length 5', POST],
    ['replace-header content-length 5 5', POST],
    ['add-header content-length 9', POST],
    ['del-header transfer-encoding', CHUNKS],
    ['set-header transfer-encoding chunked', CHUNKS],
    ['add-header transfer-encoding CHUNKED', CHUNKS],
    ['del-header content-length', CHUNKS],
    ['set-header content-length 5', GET],
    ['set-header transfer-encoding chunked', GET],
    ['del-header content-length', GET],
  ])('%s changes nothing', async (rule, request) => {
    await start([`http-request ${rule}`]);
    client!.send(request);
    const wire = await server.conn();
    await wire.until(w => w.received === request);
  });

  test.each([
    ['set-header content-length 3', POST],
    ['set-header content-length 9', POST],
    ['replace-header content-length .* 4', POST],
    ['set-header content-length 5', CHUNKS],
    ['set-header transfer-encoding gzip', POST],
    ['add-header transfer-encoding gzip', CHUNKS],
  ])('%s would break the message: 500', async (rule, request) => {
    await start([`http-request ${rule}`]);
    client!.send(request);
    await client!.has('500 Internal Server Error');
    expect(rig.counter('frontend', 'f', 'failed_rewrites')).toBe(1);
    expect(server.conns.length).toBe(0);
  });

  test('HTTP/1.0 has no chunks: the length stays', async () => {
    await start(['http-request del-header content-length']);
    client!.send(POST.replace('1.1', '1.0'));
    const wire = await server.conn();
    await wire.has('content-length: 5');
    await wire.until(w => w.received.endsWith('hello'));
  });

  test('rules do not see close, and one of theirs closes the connection to the server only', async () => {
    await start(['http-request set-header x-c "[%[req.hdr(connection)]]"', 'http-request set-header connection close']);
    client!.send('GET / HTTP/1.1\r\nhost: a\r\nconnection: keep-alive, x-a\r\n\r\n');
    const wire = await server.conn();
    await wire.has('x-c: [x-a]');
    await wire.has('connection: close');
    wire.send(OK);
    await client!.until(w => w.received.endsWith('abc'));
    expect(client!.received).not.toContain('connection');
    client!.send(GET);
    const second = await server.conn(1);
    await second.has('GET /');
  });

  test('a request with a payload does not upgrade: no rule sees it, and no server may switch', async () => {
    await start(['http-request set-header x-u %[req.hdr_cnt(upgrade)]']);
    client!.send(POST.replace('host', 'connection: upgrade\r\nupgrade: foo\r\nhost'));
    const wire = await server.conn();
    await wire.until(w => w.received.endsWith('hello'));
    expect(wire.received).toContain('x-u: 0');
    expect(wire.received).not.toContain('upgrade: foo');
    wire.send('HTTP/1.1 101 Switching\r\nconnection: upgrade\r\nupgrade: foo\r\n\r\n');
    await client!.has('502 Bad Gateway');
  });
});

describe('responses', () => {
  test.each([['http-response'], ['http-after-response']])('%s del-header content-length: chunks', async set => {
    await start([`${set} del-header content-length`]);
    client!.send(GET);
    const wire = await server.conn();
    wire.send(OK);
    await client!.until(w => w.received.endsWith('0\r\n\r\n'));
    expect(unchunked(client!.take())).toBe('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nabc');
    client!.send(GET);
    await wire.until(w => w.received === GET + GET);
  });

  test('a client of HTTP/1.0 is told the length', async () => {
    await start(['http-response del-header content-length']);
    client!.send('GET / HTTP/1.0\r\nhost: a\r\nconnection: keep-alive\r\n\r\n');
    (await server.conn()).send(OK);
    await client!.until(w => w.received.endsWith('\r\n\r\nabc'));
    expect(client!.received).toContain('content-length: 3');
  });

  test.each([
    ['del-header content-length', HEAD, 'HTTP/1.1 200 OK\r\n\r\n'],
    ['set-header content-length 1', HEAD, 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\n'],
    ['set-status 204', GET, 'HTTP/1.1 204 No Content\r\n\r\n'],
  ])('%s in a response without payload', async (rule, request, answer) => {
    await start([`http-response ${rule}`]);
    client!.send(request);
    (await server.conn()).send(request === HEAD ? OK.slice(0, -3) : OK);
    await client!.until(w => w.received === answer);
  });

  test.each([['set-header content-length 2'], ['add-header transfer-encoding gzip']])('%s: 500', async rule => {
    await start([`http-response ${rule}`]);
    client!.send(GET);
    (await server.conn()).send(OK);
    await client!.has('500 Internal Server Error');
  });

  test('compression takes the length away by itself', async () => {
    await start(['compression algo gzip', 'http-response del-header content-length']);
    client!.send(GET.replace('\r\n\r\n', '\r\naccept-encoding: gzip\r\n\r\n'));
    (await server.conn()).send(OK);
    await client!.until(w => w.received.endsWith('0\r\n\r\n'));
    expect(client!.received.split('transfer-encoding').length).toBe(2);
  });

  test.each([['http-response set-header connection close'], ['http-after-response add-header connection close']])(
    '%s closes the connection of the client',
    async rule => {
      await start([rule]);
      client!.send(GET);
      (await server.conn()).send(OK);
      await client!.end();
      expect(client!.received).toBe('HTTP/1.1 200 OK\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc');
    },
  );
});

describe('responses of our own', () => {
  test.each([
    ['http-request return\n  http-after-response set-header connection close', 'content-length: 0\r\n'],
    ['http-request return status 204 hdr connection close', ''],
    // A header without a value is left out.
    ['http-request return status 204 hdr connection close hdr x-a %[str()] hdr x-b %[req.hdr(b)]x', 'x-b: x\r\n'],
  ])('%s', async (rules, headers) => {
    await start([rules]);
    client!.send(GET);
    await client!.end();
    expect(client!.received.slice(client!.received.indexOf('\r\n') + 2)).toBe(`${headers}connection: close\r\n\r\n`);
  });

  test.each([
    ['http-request return content-type text/plain string abc hdr content-length 7'],
    ['http-request return content-type text/plain string abc\n  http-after-response set-header content-length 7'],
  ])('%s: the length is what it is', async rules => {
    await start([rules]);
    client!.send(GET);
    await client!.until(w => w.received.endsWith('\r\n\r\nabc'));
    expect(client!.received.match(/content-length: \d/g)).toEqual(['content-length: 3']);
  });
});
