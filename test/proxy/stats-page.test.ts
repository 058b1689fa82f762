/** The statistics page of a `listen`: who may see it, what is counted, and its forms, which no backend takes. */
import { expect, test } from 'vitest';
import { rigOf } from './listen.ts';
import { ask } from './wire.ts';

test.each([
  ['stats admin if TRUE', 's=s&b=other&action=nonsense', 'ERRP'],
  ['stats admin if TRUE', 'foo', 'NONE'],
  ['stats admin if TRUE', 'x'.repeat(20_000), 'EXCD'],
  ['stats hide-version', 's=s&b=other&action=drain', 'DENY'],
])('%s: %s', async (line, form, result) => {
  const rig = await rigOf(`
listen page
  mode http
  bind 127.0.0.1:1
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  stats uri /st
  ${line}
`);
  const request = `POST /st HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${form.length}\r\n\r\n`;
  expect(await ask(rig.port('page'), `${request}${form}`)).toContain(`location: /st;st=${result}\r\n`);
});

const PAGE = `
listen page
  mode http
  bind 127.0.0.1:1
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  stats uri /st
  stats admin if TRUE
`;

test('a form in chunks', async () => {
  const rig = await rigOf(PAGE);
  const form = '3\r\ns=s\r\n12\r\n&action=zz&b=other\r\n0\r\n\r\n';
  const request = 'POST /st HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n';
  expect(await ask(rig.port('page'), `${request}${form}`)).toContain('location: /st;st=ERRP\r\n');
});

test('a form that is waited for', async () => {
  const rig = await rigOf(PAGE);
  const request =
    'POST /st HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\ns=s';
  expect(await ask(rig.port('page'), request)).toMatch(/^HTTP\/1.1 100 Continue\r\n\r\nHTTP\/1.1 303 /);
});

const CLOSED = 'Host: x\r\nConnection: close\r\n';

test('a user and a password are asked for before a form is read, as http-request auth does', async () => {
  const rig = await rigOf(`${PAGE}  stats auth u:p\n  stats realm My\\ page\n`);
  const port = rig.port('page');
  for (const request of [
    `GET /st HTTP/1.1\r\n${CLOSED}\r\n`,
    `POST /st HTTP/1.1\r\n${CLOSED}Content-Length: 9\r\n\r\n`,
  ]) {
    const answer = await ask(port, request);
    expect(answer).toMatch(/^HTTP\/1.1 401 Unauthorized\r\ncontent-length: 112\r\n/);
    expect(answer).toContain('\r\nwww-authenticate: Basic realm="My page"\r\n');
  }
  const known = 'Authorization: Basic dTpw\r\n';
  expect(await ask(port, `GET /st;csv HTTP/1.1\r\n${CLOSED}${known}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
  // Not for the page, and there is no server.
  expect(await ask(port, `PUT /st HTTP/1.1\r\n${CLOSED}\r\n`)).toMatch(/^HTTP\/1.1 503 /);
  expect(rig.counter('frontend', 'page', 'intercepted')).toBe(3);
});

test('HEAD is not told a length that GET has not', async () => {
  const rig = await rigOf(PAGE);
  const answer = await ask(rig.port('page'), `HEAD /st HTTP/1.1\r\n${CLOSED}\r\n`);
  expect(answer).toMatch(/^HTTP\/1.1 200 OK\r\n/);
  expect(answer).not.toContain('content-length');
});

test('what a listen answers itself counts as bytes of its backend, too', async () => {
  const rig = await rigOf(PAGE);
  await ask(rig.port('page'), `GET /st;csv HTTP/1.1\r\n${CLOSED}\r\n`);
  for (const bytes of ['bytes_in', 'bytes_out'] as const) {
    expect(rig.counter('backend', 'page', bytes)).toBeGreaterThan(0);
    expect(rig.counter('backend', 'page', bytes)).toBe(rig.counter('frontend', 'page', bytes));
  }
});

test('what the backend of another proxy answers was not intercepted', async () => {
  const rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
frontend f
  bind 127.0.0.1:1
  default_backend b
backend b
  stats uri /st
`);
  expect(await ask(rig.port('f'), `GET /st;csv HTTP/1.1\r\n${CLOSED}\r\n`)).toMatch(/^HTTP\/1.1 200 /);
  expect(rig.counter('frontend', 'f', 'intercepted')).toBe(0);
});
