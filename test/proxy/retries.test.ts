/** Retries, redispatches, full queues, `redir`, and how many idle connections are kept. */
import { expect, test } from 'vitest';
import { CLOSE, DEAD, GET, listen, origin } from './listen.ts';
import { pass } from './network.ts';
import { ask, connect, ok } from './wire.ts';

test.each(['roundrobin', 'static-rr', 'leastconn', 'first'])(
  '%s: a redispatch comes at once, and is no retry',
  async b => {
    const s = await origin(() => ok());
    const lines = [
      'retries 3',
      'option redispatch',
      `balance ${b}`,
      `server s1 ${DEAD}`,
      `server s2 127.0.0.1:${s.port}`,
    ];
    const rig = await listen(lines);
    expect(await ask(rig.port('web'), CLOSE)).toMatch(/^HTTP\/1.1 200 /);
    expect(rig.ends[0]).toMatchObject({ server: 's2', retries: 1 });
    expect(rig.counter('server', 'web/s1', 'redispatches')).toBe(1);
    expect(rig.counter('backend', 'web', 'retries')).toBe(0);
    expect(rig.counter('backend', 'web', 'cum_lb')).toBe(2);
  },
);

test('a hash: it comes when its turn has come', async () => {
  const s = await origin(() => ok());
  const lines = ['balance uri', 'timeout connect 60ms', `server s1 ${DEAD}`, `server s2 127.0.0.1:${s.port}`];
  for (const [word, retries] of [
    ['', 3],
    ['1', 1],
    ['2', 2],
    ['-2', 2],
  ] as const) {
    const rig = await listen(['retries 3', `option redispatch ${word}`, ...lines]);
    // One of these goes to the dead server first.
    for (const path of ['a', 'b', 'c', 'd', 'e', 'f']) await ask(rig.port('web'), CLOSE.replace('/', `/${path}`));
    expect([word, Math.max(...rig.ends.map(end => end.retries))]).toEqual([word, retries]);
    expect(rig.ends.every(end => end.server === 's2')).toBe(true);
    expect(rig.counter('backend', 'web', 'cum_lb')).toBe(6 + rig.counter('backend', 'web', 'redispatches'));
  }
});

test('a redispatch that comes back to the only server is a retry, and no other choice', async () => {
  const rig = await listen(['retries 2', 'timeout connect 20ms', 'option redispatch', `server s1 ${DEAD}`]);
  await ask(rig.port('web'), CLOSE);
  expect(rig.ends[0]).toMatchObject({ status: 503, retries: 2, redispatched: false });
  expect(rig.counter('server', 'web/s1', 'retries')).toBe(2);
  expect(rig.counter('backend', 'web', 'cum_lb')).toBe(1);
});

test.each([
  ['option redispatch 1', 'backup'],
  ['', 'backup'],
  ['', ''],
])('%s, another server that is %j: the only active server is given time', async (option, other) => {
  const lines = ['retries 1', 'timeout connect 300ms', option, 'balance uri', `server s1 ${DEAD}`];
  const rig = await listen(other === '' ? lines : [...lines, `server s2 ${DEAD} ${other}`]);
  const client = await connect(rig.port('web'));
  client.send(CLOSE);
  await pass(150);
  expect(rig.ends).toEqual([]);
  await client.has('503');
});

test('a client that leaves a server that is given time counts where its request is not whole', async () => {
  const rig = await listen(['retries 1', 'option abortonclose', `server s1 ${DEAD}`]);
  for (const request of [GET, GET.replace('GET', 'POST').replace('\r\n\r\n', '\r\nContent-Length: 3\r\n\r\nab')]) {
    const client = await connect(rig.port('web'));
    client.send(request);
    await client.until(() => rig.counter('backend', 'web', 'retries') > rig.ends.length);
    client.socket.end();
    await client.end();
  }
  expect(rig.ends).toMatchObject([{ state: 'CC' }, { state: 'CC' }]);
  expect(rig.counter('server', 'web/s1', 'cli_aborts')).toBe(1);
});

test('force-persist: no redispatch', async () => {
  const s = await origin(() => ok());
  const rig = await listen([
    ...[
      'retries 2',
      'timeout connect 20ms',
      'option redispatch',
      'cookie SRV insert indirect',
      'force-persist if TRUE',
    ],
    `server s1 ${DEAD} cookie a disabled`,
    `server s2 127.0.0.1:${s.port} cookie b`,
  ]);
  await ask(rig.port('web'), CLOSE.replace('Host', 'Cookie: SRV=a\r\nHost'));
  expect(rig.ends[0]).toMatchObject({ status: 503, server: 's1', retries: 2, cookie: 'down N' });
});

test('a redispatch forgets the cookie, and the client gets another', async () => {
  const s = await origin(() => ok());
  const rig = await listen([
    'retries 1',
    'option redispatch',
    'cookie SRV insert indirect',
    `server s1 ${DEAD} cookie a`,
    `server s2 127.0.0.1:${s.port} cookie b`,
  ]);
  const got = await ask(rig.port('web'), CLOSE.replace('Host', 'Cookie: SRV=a\r\nHost'));
  expect(got).toContain('set-cookie: SRV=b; path=/\r\n');
});

test.each([
  ['', /^HTTP\/1.1 503 /, 'SQ', 0],
  ['option redispatch', /^HTTP\/1.1 200 /, '--', 1],
  ['option redispatch\n  force-persist if TRUE', /^HTTP\/1.1 503 /, 'SQ', 0],
])('maxqueue, %s', async (option, answer, state, redispatches) => {
  const [one, two] = [await origin(), await origin(() => ok())];
  const rig = await listen([
    option,
    'cookie SRV insert indirect',
    `server s1 127.0.0.1:${one.port} cookie a maxconn 1 maxqueue 1`,
    `server s2 127.0.0.1:${two.port} cookie b`,
  ]);
  const request = CLOSE.replace('Host', 'Cookie: SRV=a\r\nHost');
  const waiting = [await connect(rig.port('web')), await connect(rig.port('web'))];
  for (const client of waiting) client.send(request);
  await waiting[0]!.until(() => rig.serverWord('web', 's1', 'queued') === 1);
  expect(await ask(rig.port('web'), request)).toMatch(answer);
  expect(rig.ends[0]!.state).toBe(state);
  expect(rig.counter('server', 'web/s1', 'redispatches')).toBe(redispatches);
  for (const client of waiting) client.socket.resetAndDestroy();
});

test('a client that had an answer is left to ask again: a close, nothing counted or told', async () => {
  const s = await origin((_, wire, n) => {
    if (n === 0) return ok();
    wire.socket.end();
    return null;
  });
  const rig = await listen(['http-reuse never', `server s1 127.0.0.1:${s.port}`]);
  const wire = await connect(rig.port('web'));
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n';
  wire.send(post);
  await wire.has('ok');
  wire.take();
  wire.send(post);
  await wire.end();
  expect(wire.received).toBe('');
  expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(0);
  expect(rig.counter('frontend', 'web', 'hrsp_5xx')).toBe(0);
  expect(rig.counter('frontend', 'web', 'hrsp_other')).toBe(0);
});

test('a payload that breaks its framing is an invalid response, no abort', async () => {
  const s = await origin(() => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n');
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(CLOSE);
  await client.has('ok');
  s.conns[0]!.send('zz\r\n');
  await client.end();
  expect(rig.ends[0]).toMatchObject({ state: 'SD' });
  expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(1);
  expect(rig.counter('server', 'web/s1', 'srv_aborts')).toBe(0);
});

test('a server’s answer that a rule replaces is no request that was intercepted', async () => {
  const s = await origin(() => ok());
  const rig = await listen(['http-response redirect location /z', `server s1 127.0.0.1:${s.port}`]);
  expect(await ask(rig.port('web'), CLOSE)).toMatch(/^HTTP\/1.1 302 /);
  expect(rig.ends[0]!.state).toBe('LH');
  expect(rig.counter('frontend', 'web', 'intercepted')).toBe(0);
});

test('redir: GET and HEAD are sent to the server, others are taken there', async () => {
  const s = await origin(() => ok());
  const rig = await listen([`server s1 127.0.0.1:${s.port} redir http://other`]);
  const got = await ask(rig.port('web'), GET.replace('/', '/x?y'));
  expect(got).toContain(
    'HTTP/1.1 302 Found\r\ncache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://other/x?y\r\n',
  );
  expect(rig.ends[0]).toMatchObject({ status: 302, state: 'LC' });
  expect(s.conns.length).toBe(0);
  await ask(rig.port('web'), 'DELETE / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(s.conns.length).toBe(1);
});

test('http-reuse safe: clients with one request each do not fill the pool', async () => {
  const s = await origin(() => ok());
  const rig = await listen(['http-reuse safe', `server s1 127.0.0.1:${s.port}`]);
  for (let i = 0; i < 10; i++) await ask(rig.port('web'), CLOSE);
  expect(rig.counter('server', 'web/s1', 'cur_idle')).toBe(1);
});

test('http-reuse always: as many idle connections are kept as were in use at once', async () => {
  const s = await origin();
  const rig = await listen(['http-reuse always', `server s1 127.0.0.1:${s.port}`]);
  const clients = await Promise.all([0, 1, 2, 3].map(() => connect(rig.port('web'))));
  for (const client of clients) client.send(GET);
  await s.conn(3);
  for (const conn of s.conns) await conn.has('GET');
  for (const conn of s.conns) conn.send(ok());
  await Promise.all(clients.map(client => client.has('ok')));
  expect(rig.counter('server', 'web/s1', 'cur_idle')).toBe(4);
  for (const client of clients) client.socket.destroy();
});
