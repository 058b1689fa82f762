/**
 * The farms and requests whose servers are recorded from HAProxy in vectors/haproxy.json, for the plain test (vectors.test.ts)
 * and for the one that asks HAProxy again (test/interop/balance.test.ts).
 */
import type { HashType } from '../../engine/config/proxy-model.ts';
import type { FarmSpec, Request, ServerSpec } from './farm.ts';

export interface VectorSpec extends FarmSpec {
  readonly name: string;
  readonly requests: readonly Request[];
}

const FIVE: ServerSpec[] = [{}, {}, {}, {}, {}];
const WEIGHTED: ServerSpec[] = [{ weight: 3 }, { weight: 10 }, { weight: 1 }, { weight: 7 }, { weight: 4 }];
const COMMON: ServerSpec[] = [{ weight: 20 }, { weight: 60, disabled: true }, { weight: 30 }, { weight: 40 }];
const BY_ID: ServerSpec[] = [{ id: 11 }, { id: 7, weight: 5 }, { id: 1000 }, { weight: 2, id: 2 }];
const BACKUPS: ServerSpec[] = [
  { disabled: true },
  { backup: true, weight: 2 },
  { backup: true, weight: 3 },
  { backup: true },
];
const DOWN: ServerSpec[] = [{}, { disabled: true }, { weight: 2 }, {}];

const paths = (n: number): Request[] =>
  Array.from({ length: n }, (_, i) => ({ uri: `/some/dir${i % 7}/file-${i}?q=${i}` }));

/** Every method, function and modifier, over the same URIs. */
function hashTypes(): VectorSpec[] {
  const specs: VectorSpec[] = [];
  for (const method of ['map-based', 'consistent'] as const) {
    for (const fn of ['sdbm', 'djb2', 'wt6', 'crc32'] as const) {
      for (const avalanche of [false, true]) {
        const name = `uri ${method} ${fn}${avalanche ? ' avalanche' : ''}`;
        specs.push(uri(name, WEIGHTED, { method, fn, avalanche }));
      }
    }
  }
  return specs;
}

function uri(name: string, servers: ServerSpec[], hash: Partial<HashType>, allbackups = false): VectorSpec {
  return { name, balance: { algorithm: 'uri' }, hash, servers, allbackups, requests: paths(200) };
}

/** Farms of other shapes, in both methods. */
function farms(): VectorSpec[] {
  const consistent: Partial<HashType> = { method: 'consistent', avalanche: true };
  return [
    uri('equal weights, map-based', FIVE, {}),
    uri('weights with a common divisor and a server down, map-based', COMMON, {}),
    uri('a server down, map-based', DOWN, {}),
    uri('the first backup, map-based', BACKUPS, {}),
    uri('all backups, map-based', BACKUPS, {}, true),
    uri('equal weights, consistent', FIVE, consistent),
    uri('weights with a common divisor and a server down, consistent', COMMON, consistent),
    uri('servers by id, consistent', BY_ID, consistent),
    uri('the first backup, consistent', BACKUPS, consistent),
    uri('all backups, consistent', BACKUPS, consistent, true),
  ];
}

// biome-ignore format: one list
const URIS = [
  '/', '/a', '/a/', '/a/b', '/a/b/', '/a/b/c', '/a/b/c/d', '/a/b/x/d', '/a/c', '//a//b', '/a?b', '/a?c', '/a/b?c/d', '/a/b?c/e', '/?x', '/?y',
  '/abcdef', '/abcdeg', '/abcdefgh', '/abcdefghi', '/abc?defghi', '/abc?defgxx', '/abcd/efghi', '/abcd/efghx', '/%41/b',
  'http://h.example/a/b/c', 'http://h.example/a/b/d', 'http://h.example', 'http://h.example/', '*',
].map((text): Request => ({ uri: text, method: text === '*' ? 'OPTIONS' : 'GET' }));

function uris(): VectorSpec[] {
  const rows: [string, Partial<FarmSpec['balance']>][] = [
    ['uri', {}],
    ['uri whole', { whole: true }],
    ['uri len 8', { lenBytes: 8 }],
    ['uri depth 1', { depth: 1 }],
    ['uri depth 2', { depth: 2 }],
    ['uri depth 3 len 8', { depth: 3, lenBytes: 8 }],
    ['uri whole depth 2', { whole: true, depth: 2 }],
    ['uri path-only', { pathOnly: true }],
    ['uri path-only whole len 6', { pathOnly: true, whole: true, lenBytes: 6 }],
    ['uri path-only depth 1', { pathOnly: true, depth: 1 }],
  ];
  return rows.map(([name, balance]) => ({
    name,
    balance: { algorithm: 'uri', ...balance },
    hash: { fn: 'djb2' },
    servers: WEIGHTED,
    requests: URIS,
  }));
}

function sources(): VectorSpec[] {
  const v4 = Array.from({ length: 100 }, (_, i) => `${10 + (i % 3)}.${(i * 37) % 256}.${(i * 101) % 256}.${i}`);
  const v6 = Array.from(
    { length: 60 },
    (_, i) => `2001:db8:0:${i.toString(16)}:0:ffff:${((i * 7919) % 65536).toString(16)}:1`,
  );
  const requests = [...v4, ...v6].map((source): Request => ({ source }));
  const rows: [string, Partial<HashType>][] = [
    ['source map-based', {}],
    ['source map-based wt6', { fn: 'wt6' }],
    ['source map-based avalanche', { avalanche: true }],
    ['source consistent', { method: 'consistent', avalanche: true }],
    ['source consistent djb2', { method: 'consistent', fn: 'djb2' }],
  ];
  return rows.map(([name, hash]) => ({ name, balance: { algorithm: 'source' }, hash, servers: WEIGHTED, requests }));
}

function params(): VectorSpec[] {
  // biome-ignore format: one list
  const queries = [
    '/?id=1', '/?id=2', '/x?id=2', '/?a=1&id=3', '/?id=3&a=1', '/?id=3&id=4', '/?xid=5&id=6', '/?idx=5&id=7', '/?ID=8&id=9', '/?id=a?id=b', '/?id=a%26b', '/?id=a+b',
    '/?&&id=q', '/?id=q=r', '/?id=q/r', '/?a&id=z', '/?id=&a=1', '/?id=',
  ];
  const values = Array.from({ length: 60 }, (_, i): Request => ({ uri: `/p?u=${i}&id=user${i * 13}` }));
  // biome-ignore format: one list
  const bodies = [
    'id=1', 'id=2', 'a=1&id=3', 'id=4&a=1', 'id=ab cd', 'id=ab\r\nxx', 'id=ab\txx', 'id=a.b-c_d', "id=a!#$%'*+^`|~b", 'idx=1&id=5', 'x&id=6', 'id=7&id=8', 'id=ab==', 'id=a/b', 'id=a@b', 'id=a"b', 'id=a\x01b',
    'id=a\xe9b', 'id=a=b', '{"id":1}', 'xid=4', 'id=', 'id=/b', 'id= b', 'id=\tb', 'id="b"', 'id=\x01b', 'id=\xe9', 'id=(b', 'id=\r\nb',
  ];
  const posts = bodies.map((body): Request => ({ method: 'POST', uri: '/form', body }));
  posts.push({ method: 'POST', uri: '/form?id=9', body: 'id=10' });
  posts.push({ method: 'PUT', uri: '/form', body: 'id=11' });
  posts.push({ method: 'POST', uri: '/form?x=9', body: 'id=12' });
  return [
    {
      name: 'url_param id',
      balance: { algorithm: 'url_param', name: 'id' },
      hash: { fn: 'djb2' },
      servers: WEIGHTED,
      requests: [...queries.map((uri): Request => ({ uri })), ...values],
    },
    {
      name: 'url_param id check_post',
      balance: { algorithm: 'url_param', name: 'id', checkPostBytes: 64 },
      hash: { fn: 'djb2', avalanche: true },
      servers: WEIGHTED,
      requests: posts,
    },
  ];
}

function headers(): VectorSpec[] {
  const key = (...values: string[]): Request => ({ headers: values.map(value => ['X-Key', value] as const) });
  // biome-ignore format: one list
  const lists = [
    key('a, b'), key('a,c'), key('d ,e'), key('a', 'b'), key('b', 'a'), key('a', 'c, d'), key('a, c', 'd'), key(' a\t'), key('"a,b",c'), key(',a'), key('a;q=1'), key('a b'),
    key('', 'b'), key('a', ''), key('c', 'd', 'e'), key('Mon, 01'), key('A'), key('"a\\",b",c'), key('a"b,c",d'), key('a ; b , c'), key(',,b'), key(' ,b'), key('"a,b'),
  ];
  const values = Array.from({ length: 60 }, (_, i) => key(`value-${i * 7}`));
  // biome-ignore format: one list
  const hosts = [
    'www.example.com', 'example.com', 'a.b.example.com', 'haproxy.1wt.eu', '1wt.eu', 'localhost', 'example.com:80', 'www.example.org', 'a.example.co.uk', 'x.co.uk', '10.0.0.1', '10.0.0.1:8080', 'com.', 'a.com.',
    '.com', 'a..com', 'EXAMPLE.com', 'other.com', 'third.net', 'fourth.net', 'fifth.net', 'a.b..com', '..com', 'x.', '.', 'x..y', 'a.b.', '',
  ].map((host): Request => ({ headers: [['X-Key', host]] }));
  const hdr = { algorithm: 'hdr', name: 'x-key' } as const;
  return [
    {
      name: 'hdr',
      balance: hdr,
      hash: { fn: 'djb2', avalanche: true },
      servers: WEIGHTED,
      requests: [...lists, ...values],
    },
    {
      name: 'hdr use_domain_only',
      balance: { ...hdr, domainOnly: true },
      hash: { fn: 'djb2', avalanche: true },
      servers: WEIGHTED,
      requests: hosts,
    },
  ];
}

/** A remote desktop client's first packet (engine/balance/rdp-cookie.ts draws it). */
function rdp(text: string): Request {
  const length = 11 + text.length;
  const header = [3, 0, length >> 8, length & 255, length - 5, 0xe0, 0, 0, 0, 0, 0];
  return { payload: String.fromCharCode(...header) + text };
}

function rdpCookies(): VectorSpec[] {
  const users = Array.from({ length: 40 }, (_, i) => rdp(`Cookie: mstshash=user${i * 3}\r\n\x01\0\x08\0\x03\0\0\0`));
  const forms = [
    'cookie: mstshash=u1',
    'COOKIE:mstshash=u2',
    'Cookie:    MSTSHASH=u3',
    'Cookie: mstshash=a b',
    'Cookie: mstshash=x;y=z',
  ].map(text => rdp(`${text}\r\n\x01\0\x08\0\x03\0\0\0`));
  const balance = { algorithm: 'rdp-cookie', name: '' } as const;
  const hash = { fn: 'djb2', avalanche: true } as const;
  return [
    { name: 'rdp-cookie', balance, hash, servers: WEIGHTED, requests: [...users, ...forms] },
    {
      name: 'rdp-cookie(msts) consistent',
      balance: { ...balance, name: 'msts' },
      hash: { ...hash, method: 'consistent' },
      servers: WEIGHTED,
      requests: [3, 640010, 77].map(n => rdp(`Cookie: msts=${n}.15629.0000\r\n\x01\0\x08\0\x03\0\0\0`)),
    },
  ];
}

/** Requests one after another: the order of turns. */
function turns(): VectorSpec[] {
  const requests = Array.from({ length: 50 }, (): Request => ({}));
  return [
    { name: 'static-rr', balance: { algorithm: 'static-rr' }, servers: WEIGHTED, requests },
    { name: 'static-rr, a server down', balance: { algorithm: 'static-rr' }, servers: COMMON, requests },
    { name: 'roundrobin, equal weights', balance: { algorithm: 'roundrobin' }, servers: FIVE, requests },
    { name: 'leastconn, all idle', balance: { algorithm: 'leastconn' }, servers: FIVE, requests },
    { name: 'first', balance: { algorithm: 'first' }, servers: BY_ID, requests: requests.slice(0, 5) },
    {
      name: 'hdr without the header: turns',
      balance: { algorithm: 'hdr', name: 'x-none' },
      servers: WEIGHTED,
      requests,
    },
  ];
}

export const VECTOR_SPECS: readonly VectorSpec[] = [
  ...hashTypes(),
  ...farms(),
  ...uris(),
  ...sources(),
  ...params(),
  ...headers(),
  ...rdpCookies(),
  ...turns(),
];
