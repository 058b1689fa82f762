/** `set-method`: the server answers to what it was sent, the client gets the answer to what it asked. */
import { afterEach, expect, test } from 'vitest';
import { listen, origin } from '../proxy/listen.ts';
import { connect, type Wire, type WireServer } from '../proxy/wire.ts';

let server: WireServer;
let client: Wire;

afterEach(() => void client.socket.destroy());

/** `method` is what requests for /set leave with. */
async function start(method: string, ...rules: string[]): Promise<void> {
  server = await origin();
  const rig = await listen([
    `http-request set-method ${method} if { path /set }`,
    ...rules,
    `server s 127.0.0.1:${server.port}`,
  ]);
  client = await connect(rig.port('web'));
}

function request(method: string, path: string, more = ''): string {
  return `${method} ${path} HTTP/1.1\r\nhost: a\r\n${more}\r\n`;
}

const OK = 'HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n';
const CHUNKS = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n';

/** Asks again on the same connections: both must be where they should be. */
async function asksAgain(wire: Wire): Promise<void> {
  client.take();
  wire.take();
  client.send(request('GET', '/next'));
  await wire.until(w => w.received === request('GET', '/next'));
  wire.send(`${OK}xyz`);
  await client.until(w => w.received === `${OK}xyz`);
  expect(server.conns.length).toBe(1);
}

test.each([
  [OK, 'abc'],
  [CHUNKS, '3\r\nabc\r\n0\r\n\r\n'],
])('HEAD sent as GET: the payload is read and not passed on', async (head, payload) => {
  await start('GET');
  client.send(request('HEAD', '/set'));
  const wire = await server.conn();
  await wire.until(w => w.received === request('GET', '/set'));
  wire.send(head + payload);
  await client.until(w => w.received === head);
  await asksAgain(wire);
});

test('... nor in chunks when a rule takes the length away', async () => {
  await start('GET', 'http-response del-header content-length if { status 200 } { res.hdr(x-del) -m found }');
  client.send(request('HEAD', '/set'));
  const wire = await server.conn();
  await wire.until(w => w.received === request('GET', '/set'));
  wire.send(`${OK.slice(0, -2)}x-del: 1\r\n\r\nabc`);
  await client.until(w => w.received === 'HTTP/1.1 200 OK\r\nx-del: 1\r\n\r\n');
  await asksAgain(wire);
});

test.each([OK, CHUNKS, 'HTTP/1.1 200 OK\r\n\r\n'])('GET sent as HEAD: the payload is empty', async answer => {
  await start('HEAD');
  client.send(request('GET', '/set'));
  const wire = await server.conn();
  await wire.until(w => w.received === request('HEAD', '/set'));
  wire.send(answer);
  await client.until(w => w.received === 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
  await asksAgain(wire);
});

test('204 and 304 to HEAD pass as they are', async () => {
  await start('HEAD');
  client.send(request('GET', '/set'));
  const wire = await server.conn();
  await wire.until(w => w.received === request('HEAD', '/set'));
  wire.send('HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n');
  await client.until(w => w.received === 'HTTP/1.1 304 Not Modified\r\ncontent-length: 3\r\n\r\n');
  await asksAgain(wire);
});

test.each([
  ['GET', 'HEAD', 'Request forbidden'],
  ['HEAD', 'GET', ''],
])('%s to be sent as %s and then refused: the client has asked with its own', async (own, sent, text) => {
  await start(sent, 'http-request deny');
  client.send(request(own, '/set'));
  await client.until(w => w.received.includes('\r\n\r\n') && w.received.includes(text));
  if (text === '') expect(client.received.endsWith('\r\n\r\n')).toBe(true);
});

test('expressions see the method that was received, as long as it is a known one', async () => {
  await start('PUT', 'http-request set-header x-method "%[method] %[capture.req.method] %HM"');
  client.send(request('GET', '/set'));
  await (await server.conn()).has('x-method: GET GET GET\r\n');
});

test('... of others the one that is sent', async () => {
  await start('PUT', 'http-request set-header x-method "%[method] %[capture.req.method] %HM"');
  client.send(request('FOO', '/set'));
  await (await server.conn()).has('x-method: PUT FOO FOO\r\n');
});

test('what is no method: 500', async () => {
  await start('"A B"');
  client.send(request('GET', '/set'));
  await client.has('500 Internal Server Error');
});
