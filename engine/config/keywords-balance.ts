/** How a backend chooses a server: `balance`, `hash-type` and `hash-balance-factor`. */

import { parseConverters, readExpression } from '../sample/expression.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { useExpression } from './keywords-acl.ts';
import { newBalance } from './new-drafts.ts';
import { didYouMean } from './suggest.ts';

type Balance = ProxyDraft['balance'];

/** Reads the parameters of an algorithm: `argument` is what stood in parentheses, null when there were none. */
type Algorithm = (
  cursor: Cursor,
  balance: Balance,
  argument: string | null,
  proxy: ProxyDraft,
  context: Context,
) => void;

/** Reads `<word> <number>` and single words until the line ends; `only` is the complaint about any other. */
function uri(cursor: Cursor, balance: Balance) {
  while (cursor.left > 0) {
    if (cursor.match('whole')) balance.whole = true;
    else if (cursor.match('path-only')) balance.pathOnly = true;
    else if (cursor.match('len')) {
      const bytes = cursor.expectInt('balance uri len', { min: 1 });
      if (bytes === null) return;
      balance.lenBytes = bytes;
    } else if (cursor.match('depth')) {
      const depth = cursor.expectInt('balance uri depth', { min: 1 });
      if (depth === null) return;
      balance.depth = depth;
    } else {
      const word = cursor.next()!;
      return cursor.error(
        `balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got '${word.text}')`,
      );
    }
  }
}

/** Bytes of a POST body that are looked at when `check_post` gives no number. */
const CHECK_POST_BYTES = 48;

function urlParam(cursor: Cursor, balance: Balance) {
  const name = cursor.next();
  if (name === null) return cursor.error('balance url_param requires an URL parameter name');
  balance.name = name.text;
  if (cursor.left === 0) return;
  if (!cursor.match('check_post')) {
    const word = cursor.next()!;
    return cursor.error(`balance url_param only accepts 'check_post' modifier (got '${word.text}')`);
  }
  balance.checkPostBytes = CHECK_POST_BYTES;
  if (cursor.left === 0) return;
  const bytes = cursor.expectInt('balance url_param check_post', { min: 1 });
  if (bytes !== null) balance.checkPostBytes = Math.max(bytes, 3);
  // A second number, once a time-out, is read and ignored as HAProxy does.
  if (cursor.left > 0) cursor.expectInt('max_wait');
}

function hdr(cursor: Cursor, balance: Balance, argument: string | null) {
  if (!argument) return cursor.error('balance hdr requires an http header field name');
  balance.name = argument.toLowerCase();
  if (cursor.left === 0) return;
  balance.domainOnly = cursor.match('use_domain_only');
  if (!balance.domainOnly) {
    const word = cursor.next()!;
    cursor.error(`balance hdr(${argument}) only accepts 'use_domain_only' modifier (got '${word.text}')`);
  }
}

function random(cursor: Cursor, balance: Balance, argument: string | null) {
  if (argument === null) return;
  if (!/^\d{1,9}$/.test(argument)) return cursor.error(`balance random: invalid number of draws '${argument}'`);
  balance.draws = Number(argument);
  if (balance.draws < 1) cursor.error('balance random: number of draws must be at least 1');
}

function rdpCookie(cursor: Cursor, balance: Balance, argument: string | null): void {
  balance.name = argument ?? 'mstshash';
  if (argument === '') cursor.error('balance rdp-cookie: missing cookie name');
}

const hash: Algorithm = (cursor, balance, _argument, proxy, { resources }) => {
  if (cursor.left === 0) return cursor.error('balance hash requires a sample expression');
  const expression = readExpression(cursor, resources, 'setServer');
  if (expression === null) return;
  balance.expression = expression as Balance['expression'];
  useExpression(proxy, cursor, expression);
};

const logHash: Algorithm = (cursor, balance, _argument, _proxy, { resources }) => {
  const word = cursor.next();
  const parsed = parseConverters(word?.text ?? '', resources);
  if ('calls' in parsed) balance.converters = parsed.calls as Balance['converters'];
  else cursor.error(`balance log-hash: ${parsed.message}`, parsed.hint ?? undefined);
};

const plain: Algorithm = () => {};

const ALGORITHMS: Readonly<Record<Balance['algorithm'], Algorithm>> = {
  roundrobin: plain,
  'static-rr': plain,
  leastconn: plain,
  first: plain,
  source: plain,
  uri,
  url_param: urlParam,
  hdr,
  'rdp-cookie': rdpCookie,
  random,
  hash,
  'log-hash': logHash,
  sticky: plain,
};
const NAMES = Object.keys(ALGORITHMS);
const ONLY = `balance only supports ${NAMES.map(name => `'${name}'`).join(', ')}`;

function isAlgorithm(name: string): name is Balance['algorithm'] {
  return Object.hasOwn(ALGORITHMS, name);
}

function balance(cursor: Cursor, proxy: ProxyDraft, context: Context) {
  const { text } = cursor.next() ?? { text: 'roundrobin' };
  const [, name = '', argument = null] = /^([^(]*)(?:\((.*)\))?$/.exec(text) ?? [];
  if (!isAlgorithm(name)) return cursor.error(ONLY, didYouMean(name, NAMES) ?? undefined);
  const made = newBalance(name);
  ALGORITHMS[name](cursor, made, argument, proxy, context);
  proxy.balance = made;
}

const METHODS = ['map-based', 'consistent'] as const;
const FUNCTIONS = ['sdbm', 'djb2', 'wt6', 'crc32', 'none'] as const;

const AFFINITIES = ['always', 'maxconn', 'maxqueue'] as const;

function hashType(cursor: Cursor, { hash }: ProxyDraft): void {
  const method = cursor.expectOneOf('hash-type', METHODS);
  if (method === null) return;
  hash.method = method;
  hash.fn = 'sdbm';
  // Manual: consistent hashing without a function is sdbm with avalanche.
  hash.avalanche = method === 'consistent' && cursor.left === 0;
  if (cursor.left === 0) return;
  const fn = cursor.expectOneOf('a hash function', FUNCTIONS);
  if (fn === null) return;
  hash.fn = fn;
  if (cursor.left > 0) hash.avalanche = cursor.expectOneOf('a modifier', ['avalanche']) !== null;
}

export const BALANCE: readonly Keyword<ProxyDraft>[] = [
  supported({
    name: 'persist rdp-cookie',
    where: 'DLB',
    args: '[(<name>)]',
    doc: 'Sends a remote desktop client to the server that its cookie names.',
    parse(cursor, proxy) {
      const { text } = cursor.current;
      const name = /\((.+)\)$/.exec(text)?.[1];
      if (name === undefined && text.includes('(')) cursor.error("'persist rdp-cookie': missing cookie name");
      proxy.persistRdpCookie = name ?? 'msts';
    },
    good: ['persist rdp-cookie', 'persist rdp-cookie(other)'],
    bad: [
      ['persist rdp-cookie()', "'persist rdp-cookie': missing cookie name"],
      ['persist rdp-cookie(x', "'persist rdp-cookie': missing cookie name"],
      ['persist rdp-cookie x', "'persist rdp-cookie' cannot handle unexpected argument 'x'"],
    ],
  }),
  supported({
    name: 'balance',
    where: 'DLB',
    args: '[<algorithm> [<arguments>]]',
    doc: 'How a server is chosen; `roundrobin` if it is not said.',
    parse: balance,
    good: [
      ...[
        'roundrobin',
        'static-rr',
        'leastconn',
        'first',
        'source',
        'random',
        'random(3)',
        'rdp-cookie',
        'rdp-cookie(x)',
      ],
      ...['uri', 'uri whole', 'uri len 10 depth 3', 'uri path-only', 'url_param id', 'url_param id check_post 64'],
      ...['hdr(host)', 'hdr(Host) use_domain_only', 'hash src', 'hash src,concat(:,sess.x)'],
    ]
      .map(args => `balance ${args}`)
      .concat('balance'),
    bad: [
      ['balance bogus', ONLY],
      ['balance uri len', "'balance uri len' expects an integer of at least 1"],
      ['balance uri foo', "balance uri only accepts parameters 'len', 'depth', 'path-only', and 'whole' (got 'foo')"],
      ['balance url_param', 'balance url_param requires an URL parameter name'],
      ['balance url_param x y', "balance url_param only accepts 'check_post' modifier (got 'y')"],
      ['balance hdr', 'balance hdr requires an http header field name'],
      ['balance hdr(x', ONLY],
      ['balance hdr()', 'balance hdr requires an http header field name'],
      ['balance hdr(host) foo', "balance hdr(host) only accepts 'use_domain_only' modifier (got 'foo')"],
      ['balance random(0)', 'balance random: number of draws must be at least 1'],
      ['balance random(x)', "balance random: invalid number of draws 'x'"],
      ['balance log-hash nosuch', "balance log-hash: unknown converter 'nosuch'"],
      ['balance log-hash lower x', "'balance' cannot handle unexpected argument 'x'"],
      ['balance hash', 'balance hash requires a sample expression'],
      ['balance hash nosuch', "unknown fetch method 'nosuch'"],
      ['balance roundrobin x', "'balance' cannot handle unexpected argument 'x'"],
    ],
  }),
  supported({
    name: 'hash-type',
    where: 'DLB',
    args: '<method> [<function> [avalanche]]',
    doc: 'How a hash becomes a server.',
    parse: hashType,
    good: ['hash-type consistent', 'hash-type map-based djb2', 'hash-type consistent wt6 avalanche'],
    bad: [
      ['hash-type foo', "'hash-type' expects 'map-based' or 'consistent', not 'foo'"],
      [
        'hash-type consistent foo',
        "'consistent' expects 'sdbm', 'djb2', 'wt6', 'crc32' or 'none' as a hash function, not 'foo'",
      ],
      ['hash-type consistent sdbm bar', "'sdbm' expects 'avalanche' as a modifier, not 'bar'"],
    ],
  }),
  supported({
    name: 'hash-preserve-affinity',
    where: 'DLB',
    args: '{ always | maxconn | maxqueue }',
    doc: 'Until when a hash leads to its server: always, while it has a place, or while its queue has one.',
    parse(cursor, { hash }) {
      hash.affinity = cursor.expectOneOf('hash-preserve-affinity', AFFINITIES) ?? 'always';
    },
    good: ['hash-preserve-affinity always', 'hash-preserve-affinity maxconn', 'hash-preserve-affinity maxqueue'],
    bad: [
      ['hash-preserve-affinity foo', "'hash-preserve-affinity' expects 'always', 'maxconn' or 'maxqueue', not 'foo'"],
    ],
  }),
  supported({
    name: 'hash-balance-factor',
    where: 'DLB',
    args: '<percent>',
    doc: 'How far above the average a server may be loaded by a consistent hash.',
    parse(cursor, { hash }) {
      const factor = cursor.expectInt('hash-balance-factor', { min: 0 });
      if (factor === null) return;
      if (factor > 0 && factor <= 100) cursor.error("'hash-balance-factor' must be 0 or greater than 100");
      hash.balanceFactor = factor;
    },
    good: ['hash-balance-factor 150', 'hash-balance-factor 0'],
    bad: [['hash-balance-factor 50', "'hash-balance-factor' must be 0 or greater than 100"]],
  }),
];
