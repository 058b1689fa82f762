/** Rules of L7 policies: every type with every comparison that it may have, as requests meet them, and inverted. */
import { expect, test } from 'vitest';
import { L7RULE } from '../../engine/lbaas/resources.ts';
import { desk, standing, V2 } from './desk.ts';
import { balancer, eventually, farm, get, PORT, site } from './farm.ts';

interface Asked {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

type Row = readonly [type: string, compare: string, value: string, matches: Asked, not: Asked, key?: string];

const at = (path: string): Asked => ({ path });
const host = (name: string): Asked => ({ headers: { host: name } });
const beta = (value: string): Asked => ({ headers: { 'x-beta': value } });
const cookie = (text: string): Asked => ({ headers: { cookie: text } });

/** In the order of their types. */
const ROWS: readonly Row[] = [
  ['COOKIE', 'CONTAINS', 'b c', cookie('who=ab cd'), cookie('who=abcd'), 'who'],
  ['COOKIE', 'ENDS_WITH', 'cd', cookie('x=1; who=ab cd'), cookie('x=abcd; who=cde'), 'who'],
  ['COOKIE', 'EQUAL_TO', 'ab', cookie('who=ab; y=2'), cookie('who=abc'), 'who'],
  ['COOKIE', 'REGEX', '^a+$', cookie('who=aaa'), cookie('who=aab'), 'who'],
  ['COOKIE', 'STARTS_WITH', 'ab', cookie('who=abc'), cookie('whom=abc'), 'who'],
  ['FILE_TYPE', 'EQUAL_TO', 'jpg', at('/a.b/c.jpg?x=.png'), at('/a.jpg/b')],
  ['FILE_TYPE', 'REGEX', 'jpe?g|png', at('/a.png'), at('/a.jpegs')],
  ['HEADER', 'CONTAINS', "it's", beta("so it's, yes"), beta('its'), 'X-Beta'],
  ['HEADER', 'ENDS_WITH', '#1', beta('number #1'), beta('#1 number'), 'X-Beta'],
  ['HEADER', 'EQUAL_TO', '$5 {odd} \\ "so"', beta('$5 {odd} \\ "so"'), beta('$5 {odd}'), 'X-Beta'],
  ['HEADER', 'REGEX', '^[0-9]{2}$', beta('42'), beta('421'), 'X-Beta'],
  ['HEADER', 'STARTS_WITH', '-n', beta('-nothing'), beta('nothing'), 'X-Beta'],
  ['HOST_NAME', 'CONTAINS', 'example', host('www.EXAMPLE.org'), host('www.sample.org')],
  ['HOST_NAME', 'ENDS_WITH', '.org', host('a.Org'), host('a.org.uk')],
  ['HOST_NAME', 'EQUAL_TO', 'A.org', host('a.oRG'), host('aa.org')],
  ['HOST_NAME', 'REGEX', '^(www\\.)?a\\.org$', host('WWW.a.org'), host('w.a.org')],
  ['HOST_NAME', 'STARTS_WITH', 'api.', host('API.a.org'), host('www.api.a.org')],
  ['PATH', 'CONTAINS', '/b/', at('/a/b/c'), at('/a/B/c')],
  ['PATH', 'ENDS_WITH', '/end', at('/the/end?no'), at('/the?x=/end')],
  ['PATH', 'EQUAL_TO', '/exact', at('/exact?q=1'), at('/exact/')],
  ['PATH', 'REGEX', '^/v[12]/', at('/v2/x'), at('/v3/x')],
  ['PATH', 'STARTS_WITH', '/api', at('/apis'), at('/x/api')],
];

const COMPARISONS = ['CONTAINS', 'ENDS_WITH', 'EQUAL_TO', 'REGEX', 'STARTS_WITH'];

test('every type and comparison, also inverted', { timeout: 90_000 }, async () => {
  const f = await farm();
  const a = await site('a');
  const { vip, listener } = await balancer(f, [a.port]);
  const lb = (await f.ask('GET', `${V2}/listeners/${listener}`)).body.listener.loadbalancers[0].id;
  const policies = ROWS.flatMap(([type, compare_type, value, , , key], n) =>
    [false, true].map(invert => ({
      ...{ action: 'REDIRECT_TO_URL', redirect_url: `http://hit/${n}/${invert}` },
      rules: [
        { type: 'HEADER', key: 'X-Case', compare_type: 'EQUAL_TO', value: `${n} ${invert}` },
        { type, compare_type, value, invert, ...(key === undefined ? {} : { key }) },
      ],
    })),
  );
  const second = { loadbalancer_id: lb, protocol: 'HTTP', protocol_port: PORT + 1, l7policies: policies };
  await f.do('POST', `${V2}/listeners`, { listener: second });
  const where = async ({ path = '/', headers = {} }: Asked, n: number, invert: boolean) =>
    (await get(vip, PORT + 1, path, { ...headers, 'x-case': `${n} ${invert}` })).headers.location;
  await eventually(async () => expect((await get(vip, PORT + 1)).status).toBe(503));
  for (const [n, [type, compare, , matches, not]] of ROWS.entries()) {
    const found = [
      ...[await where(matches, n, false), await where(not, n, false)],
      ...[await where(matches, n, true), await where(not, n, true)],
    ];
    const expected = [`http://hit/${n}/false`, undefined, undefined, `http://hit/${n}/true`];
    expect([type, compare, ...found]).toEqual([type, compare, ...expected]);
  }
});

/** Whether each pair of a type and a comparison is taken; those that are, are rows above, or are about client certificates. */
test('which comparisons a type may have', async () => {
  const d = await desk();
  const { listener } = await standing(d, 0);
  const body = { l7policy: { listener_id: listener, action: 'REJECT' } };
  const { id } = (await d.do('POST', `${V2}/l7policies`, body)).l7policy;
  const types = (L7RULE.fields.type!.schema as unknown as { enum: readonly string[] }).enum;
  const values: Record<string, string> = { SSL_CONN_HAS_CERT: 'True', SSL_VERIFY_RESULT: '0' };
  const taken: string[] = [];
  for (const type of types) {
    for (const compare_type of COMPARISONS) {
      const key = ['COOKIE', 'HEADER', 'SSL_DN_FIELD'].includes(type) ? { key: 'k' } : {};
      const rule = { type, compare_type, value: values[type] ?? 'x', ...key };
      const { status } = await d.ask('POST', `${V2}/l7policies/${id}/rules`, { rule });
      await d.settle();
      if (status === 201) taken.push(`${type} ${compare_type}`);
    }
  }
  const [plain, tls] = [taken.filter(pair => !pair.startsWith('SSL')), taken.filter(pair => pair.startsWith('SSL'))];
  expect(plain.sort()).toEqual(ROWS.map(([type, compare]) => `${type} ${compare}`).sort());
  expect(tls).toEqual([
    ...['SSL_CONN_HAS_CERT EQUAL_TO', 'SSL_VERIFY_RESULT EQUAL_TO'],
    ...COMPARISONS.map(compare => `SSL_DN_FIELD ${compare}`),
  ]);
});

test('who rejects is asked first, who redirects next, then who chooses a pool: by position only among their like', async () => {
  const f = await farm();
  const [a, b] = [await site('a'), await site('b')];
  const { vip, listener } = await balancer(f, [a.port]);
  const farmed = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', members: [] as object[] };
  const rule = (value: string) => ({ type: 'PATH', compare_type: 'STARTS_WITH', value });
  const policy = (l7policy: object) =>
    f.do('POST', `${V2}/l7policies`, { l7policy: { listener_id: listener, ...l7policy } });
  const to = { ...farmed, members: [{ address: '127.0.0.1', protocol_port: b.port }] };
  await policy({ action: 'REDIRECT_TO_POOL', redirect_pool: to, rules: [rule('/x')] });
  await policy({ action: 'REDIRECT_TO_POOL', redirect_pool: farmed, rules: [rule('/x')] });
  expect((await get(vip, PORT, '/x')).body).toBe('b');
  await policy({ action: 'REDIRECT_TO_URL', redirect_url: 'http://first/', rules: [rule('/x/y')] });
  await policy({ action: 'REDIRECT_PREFIX', redirect_prefix: 'http://second', rules: [rule('/x/y')] });
  expect((await get(vip, PORT, '/x/y/z')).headers.location).toBe('http://first/');
  await policy({ action: 'REJECT', rules: [rule('/x/y/z')] });
  expect((await get(vip, PORT, '/x/y/z')).status).toBe(403);
  expect((await get(vip, PORT, '/x/y')).headers.location).toBe('http://first/');
});
