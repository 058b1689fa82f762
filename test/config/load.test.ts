import { describe, expect, test } from 'vitest';
import { formatAddress } from '../../engine/config/address.ts';
import type { Model } from '../../engine/config/model.ts';
import type { Proxy } from '../../engine/config/proxy-model.ts';
import { SECTIONS as READER_SECTIONS } from '../../engine/config/read.ts';
import { SECTIONS } from '../../engine/config/sections.ts';
import { load } from './load-text.ts';

const TIMEOUTS = 'timeout client 1s\ntimeout server 1s\ntimeout connect 1s\n';
const DEFAULTS = `defaults\nmode http\n${TIMEOUTS}`;

/** The model of a configuration that must be free of complaints. */
function modelOf(text: string, given: Parameters<typeof load>[1] = {}): Model {
  const { model, diagnostics } = load(text, given);
  expect(diagnostics.list).toEqual([]);
  return model!;
}

/** The first proxy of a section beneath `DEFAULTS`. */
function proxyOf(text: string): Proxy {
  return modelOf(`${DEFAULTS}${text}`).proxies[0]!;
}

/** What is said, with the severity's first letter. */
function said(text: string): string[] {
  return load(text).diagnostics.list.map(d => `${d.severity[0]} ${d.message}`);
}

test('the reader and the tables know the same sections', () => {
  expect(SECTIONS.map(section => section.keyword).sort()).toEqual([...READER_SECTIONS].sort());
});

describe('numbers and names', () => {
  // As HAProxy 2.6 shows them for the same configuration (`show stat`, columns iid and sid).
  const CONFIG = `global
    stats socket /run/s.sock level admin
${DEFAULTS}
frontend f1
  bind 127.0.0.1:18081,127.0.0.1:18091-18093
  bind 127.0.0.1:18082 id 2
  default_backend b1
backend b1
  server x 127.0.0.1:1
  server y 127.0.0.1:1 id 1
  server z 127.0.0.1:1
listen l1
  id 3
  bind 127.0.0.1:18083
  server s 127.0.0.1:1
frontend f9
  bind 127.0.0.1:18084
  default_backend b1
backend b9
  disabled
backend b10
  id 9
backend b11
`;

  test('proxies', () => {
    expect(modelOf(CONFIG).proxies.map(p => [p.name, p.id])).toEqual([
      ['f1', 2],
      ['b1', 4],
      ['l1', 3],
      ['f9', 6],
      ['b9', 7],
      ['b10', 9],
      ['b11', 10],
    ]);
    expect(modelOf(CONFIG.replace(/stats socket.*/, '')).proxies[0]!.id).toBe(1);
  });

  test('servers', () => {
    expect(modelOf(CONFIG).proxies[1]!.servers.map(s => [s.index, s.name, s.id])).toEqual([
      [0, 'x', 2],
      [1, 'y', 1],
      [2, 'z', 4],
    ]);
  });

  test('listeners', () => {
    const { binds } = modelOf(CONFIG).proxies[0]!;
    expect(binds.map(b => [formatAddress(b.address!), b.id, b.name])).toEqual([
      ['127.0.0.1:18081', 1, 'sock-1'],
      ['127.0.0.1:18091', 3, 'sock-3'],
      ['127.0.0.1:18092', 4, 'sock-4'],
      ['127.0.0.1:18093', 5, 'sock-5'],
      ['127.0.0.1:18082', 2, 'sock-2'],
    ]);
  });
});

describe('defaults', () => {
  test('the last section counts, unless another is named', () => {
    const text = `defaults one\nretries 1\n${TIMEOUTS}defaults two from one\nfullconn 5\ndefaults\nretries 9\n${TIMEOUTS}
backend a\nbackend b from one\nbackend c from two\n`;
    expect(modelOf(text).proxies.map(p => [p.name, p.retries, p.fullconn])).toEqual([
      ['a', 9, 0],
      ['b', 1, 0],
      ['c', 1, 5],
    ]);
  });

  test('a proxy changes its own copy', () => {
    const text = `${DEFAULTS}log /dev/log local0\ndefault-server inter 3s weight 7\noption redispatch
backend a\nlog /dev/log local1\ndefault-server weight 8\nserver s 127.0.0.1:1 check fall 9\nno option redispatch
backend b\nserver s 127.0.0.1:1 check\n`;
    const [a, b] = modelOf(text).proxies;
    expect([a!.logs.length, a!.redispatch, b!.logs.length, b!.redispatch]).toEqual([2, 0, 1, -1]);
    expect([a!.servers[0]!.weight, b!.servers[0]!.weight]).toEqual([8, 7]);
    expect(a!.servers[0]!.check).toMatchObject({
      interMs: 3000,
      fastinterMs: 3000,
      downinterMs: 3000,
      rise: 2,
      fall: 9,
    });
  });

  test('servers begin with the settings of others', () => {
    const [a, b] = modelOf(`${DEFAULTS}default-server inter 3s weight 7
backend a
default-server weight 8
default-server name slow weight 1 maxconn 5
default-server name slow minconn 2
server s 127.0.0.1:1 from srv:slow maxqueue 3
server t 127.0.0.1:1 from srv:s id 9 guid x
server u 127.0.0.1:1 from none
backend b
default-server from be:a fall 6
server s 127.0.0.1:1 check
server t 127.0.0.1:1 from srv:a/t maxconn 6
server u 127.0.0.1:1 from be:
`).proxies;
    const of = (proxy: typeof a) => proxy!.servers.map(s => [s.weight, s.maxconn, s.minconn, s.maxqueue]);
    expect(of(a)).toEqual([
      [1, 5, 2, 3],
      [1, 5, 2, 3],
      [1, 0, 0, 0],
    ]);
    expect(of(b)).toEqual([
      [8, 0, 0, 0],
      [1, 6, 2, 3],
      [8, 0, 0, 0],
    ]);
    expect([b!.servers[1]!.id, b!.servers[1]!.guid]).toEqual([2, null]);
    expect(b!.servers[0]!.check).toMatchObject({ interMs: 3000, fall: 6 });
    expect(a!.defaultServers).toEqual([
      {
        name: '',
        settings: [
          ['inter', '3s'],
          ['weight', '7'],
          ['weight', '8'],
        ],
      },
      {
        name: 'slow',
        settings: [
          ['weight', '1'],
          ['maxconn', '5'],
          ['minconn', '2'],
        ],
      },
    ]);
    expect(b!.servers[1]!.settings.flat().join(' ')).toBe(
      'weight 1 maxconn 5 minconn 2 maxqueue 3 id 9 guid x maxconn 6',
    );
  });

  test('a server and a default-server cannot have one name', () => {
    const lines = ['server s 127.0.0.1:1', 'default-server name s weight 2'];
    expect(said(`${DEFAULTS}backend b\n${lines.join('\n')}\n`)).toEqual([
      "a 'default-server': there is a server 's' already",
    ]);
    expect(said(`${DEFAULTS}backend b\n${lines.reverse().join('\n')}\n`)).toEqual([
      "a 'server b/s': there is a default-server of that name already",
    ]);
  });

  test('HAProxy 3 built-in values', () => {
    const proxy = modelOf('backend b\nserver s 127.0.0.1:1 check\ntimeout server 1\ntimeout connect 1\n').proxies[0]!;
    expect(proxy).toMatchObject({ mode: 'tcp', retries: 3, redispatch: 0, httpReuse: 'safe', fullconn: 0 });
    expect(proxy.balance).toMatchObject({ algorithm: 'random', draws: 2 });
    expect(proxy.hash).toEqual({
      ...{ method: 'map-based', fn: 'sdbm', avalanche: false },
      ...{ balanceFactor: 0, affinity: 'always' },
    });
    expect(proxy.servers[0]).toMatchObject({ weight: 1, poolMaxConn: -1, poolPurgeDelayMs: 5000, maxReuse: -1 });
    expect(proxy.servers[0]!.check).toMatchObject({ interMs: 2000, rise: 2, fall: 3 });
  });

  test('an unknown one is refused', () => {
    expect(said('backend b from nosuch\n')).toEqual(["a defaults section 'nosuch' not found for backend 'b'"]);
  });
});

describe('values', () => {
  test('option httpchk', () => {
    const check = (line: string) => proxyOf(`backend b\n${line}\n`).check;
    const REQUEST = { method: 'OPTIONS', uri: '/', version: 'HTTP/1.0', headers: [], body: '' };
    const first = (line: string) => check(line).steps[1];
    expect(check('option httpchk').steps).toMatchObject([
      { kind: 'connect' },
      { kind: 'request', ...REQUEST },
      { kind: 'expect', match: 'status', pattern: '200-399' },
    ]);
    expect(first('option httpchk /x')).toMatchObject({ method: 'OPTIONS', uri: '/x' });
    expect(first('option httpchk HEAD /x HTTP/1.1 www')).toMatchObject({ headers: [['Host', 'www']] });
    expect(check('option httpchk\nhttp-check expect ! rstatus ^5').steps[2]).toMatchObject({
      ...{ match: 'rstatus', negate: true, pattern: '^5' },
    });
  });

  test('check addresses', () => {
    const text = 'backend b\nserver s 127.0.0.1:80 check port 81\nserver t 127.0.0.1 check addr 127.0.0.2 port 82\n';
    expect(proxyOf(text).servers.map(s => formatAddress(s.check!.address))).toEqual(['127.0.0.1:81', '127.0.0.2:82']);
  });

  test('host names are resolved by the caller', () => {
    const hosts = { 'web.test': { family: 4 as const, bytes: Uint8Array.of(127, 0, 0, 9), port: 0 } };
    const { model, diagnostics } = load(
      `${DEFAULTS}listen l\nbind web.test:80\nserver s web.test:81\nserver t x.test:1\n`,
      { hosts },
    );
    expect(model).toBeNull();
    expect(diagnostics.list.map(d => d.message)).toEqual(["'server l/t': could not resolve address 'x.test'"]);
    const good = modelOf(`${DEFAULTS}listen l\nbind web.test:80\nserver s web.test:81\n`, { hosts }).proxies[0]!;
    expect(formatAddress(good.binds[0]!.address!)).toBe('127.0.0.9:80');
    expect([formatAddress(good.servers[0]!.address), good.servers[0]!.hostname]).toEqual(['127.0.0.9:81', 'web.test']);
  });

  test('unix sockets take what unix-bind says', () => {
    const model = modelOf(
      `global\nunix-bind prefix /run/x mode 770 user me\nstats socket /run/stats\n${DEFAULTS}listen l\nbind /s.sock user you\nbind abns@s\n`,
    );
    const [path, name] = model.proxies[0]!.binds;
    expect(formatAddress(path!.address!)).toBe('/run/x/s.sock');
    expect(path).toMatchObject({ unixMode: 0o770, unixUser: 'you', abstract: false });
    expect(formatAddress(model.global.statsSockets[0]!.address!)).toBe('/run/stats');
    expect(model.global.statsSockets[0]!.unixMode).toBeNull();
    expect([formatAddress(name!.address!), name!.abstract]).toEqual(['abns@s', true]);
  });

  test('log global is replaced by the targets of the global section', () => {
    const model = modelOf(
      `global\nlog /dev/log local0\nlog 127.0.0.1 local1 notice\n${DEFAULTS}log global\nbackend b\n`,
    );
    expect(model.proxies[0]!.logs.map(l => [l.address, l.facility, l.maxLevel])).toEqual([
      ['/dev/log', 'local0', 7],
      ['127.0.0.1', 'local1', 5],
    ]);
  });

  test('fullconn is a tenth of what may come', () => {
    const text = `${DEFAULTS}frontend a\nbind :1\nmaxconn 95\ndefault_backend c\nfrontend b\nbind :2\nmaxconn 10\nuse_backend c\nbackend c\n`;
    expect(modelOf(text).proxies[2]!.fullconn).toBe(11);
  });

  test('minconn without a higher maxconn is a fixed limit', () => {
    const servers = proxyOf(
      'backend b\nserver s 127.0.0.1:1 minconn 9\nserver t 127.0.0.1:1 minconn 2 maxconn 5\n',
    ).servers;
    expect(servers.map(s => [s.minconn, s.maxconn])).toEqual([
      [0, 9],
      [2, 5],
    ]);
  });

  test('server-template', () => {
    const servers = proxyOf('backend b\nserver-template web 2-4 127.0.0.1:80 weight 3\n').servers;
    expect(servers.map(s => [s.name, s.id, s.weight])).toEqual([
      ['web2', 1, 3],
      ['web3', 2, 3],
      ['web4', 3, 3],
    ]);
  });

  test('groups have the users that either of them names', () => {
    const text =
      'userlist u\ngroup g users a\ngroup h\nuser a insecure-password x groups h\nuser b password y groups g,h\n';
    expect(modelOf(text).userlists[0]).toMatchObject({
      name: 'u',
      users: [
        { name: 'a', password: 'x', crypted: false },
        { name: 'b', password: 'y', crypted: true },
      ],
      groups: [
        { name: 'g', users: ['a', 'b'] },
        { name: 'h', users: ['a', 'b'] },
      ],
    });
  });

  test('the model is frozen and crosses threads', () => {
    const model = modelOf(`${DEFAULTS}listen l\nbind :80\nserver s 127.0.0.1:1 check\n`);
    expect(Object.isFrozen(model.proxies[0]!.servers[0]!.check)).toBe(true);
    expect(structuredClone(model)).toEqual(model);
  });
});

describe('cross-checks', () => {
  const pair = (a: string, b: string): string => `${DEFAULTS}frontend f\nbind :80\n${a}\nbackend b\n${b}\n`;

  test.each([
    ['missing backends', pair('default_backend bb', ''), "a Proxy 'f': unable to find required default_backend: 'bb'"],
    ['missing backends of rules', pair('use_backend x', ''), "a Proxy 'f': unable to find required use_backend: 'x'"],
    [
      'HTTP to TCP',
      pair('default_backend b', 'mode tcp'),
      "a http frontend 'f' (test.cfg:6) tries to use incompatible tcp backend 'b' (test.cfg:9) as its default backend (see 'mode')",
    ],
    [
      'two proxies of one name',
      `${DEFAULTS}backend b\nbackend b\n`,
      "a backend 'b' has the same name as backend 'b' declared at test.cfg:6",
    ],
    [
      'two proxies of one number',
      `${DEFAULTS}backend a\nid 7\nbackend b\nid 7\n`,
      'a backend b reuses same custom id as backend a (declared at test.cfg:6)',
    ],
    [
      'two servers of one name',
      `${DEFAULTS}backend b\nserver s 127.0.0.1:1\nserver s 127.0.0.1:2\n`,
      "a backend 'b', another server named 's' was already defined at line 7, please use distinct names",
    ],
    [
      'two servers of one number',
      `${DEFAULTS}backend b\nserver s 127.0.0.1:1 id 7\nserver t 127.0.0.1:2 id 7\n`,
      "a 'server b/t': custom id 7 already used at test.cfg:7 ('server s')",
    ],
    [
      'a check without a port',
      `${DEFAULTS}backend b\nserver s 127.0.0.1 check\n`,
      "a backend 'b': server 's' has neither service port nor check port",
    ],
    [
      'redirects in TCP mode',
      `${DEFAULTS}backend b\nmode tcp\nserver s 127.0.0.1:1 redir /x\n`,
      "a backend 'b': server cannot have cookie or redirect prefix in non-HTTP mode",
    ],
    [
      'servers in a frontend',
      pair('server s :1', ''),
      "a 'server' not allowed because frontend 'f' has no backend capability",
    ],
    ['unknown users', 'userlist u\ngroup g users x\n', "a userlist 'u': no such user 'x' specified in group 'g'"],
    [
      'unknown groups',
      'userlist u\nuser a password x groups y\n',
      "a userlist 'u': no such group 'y' specified in user 'a'",
    ],
    ['words before any section', 'maxconn 3\n', "a unknown keyword 'maxconn' out of section"],
    ['sections to come', 'cache p\nfoo\n', "a the 'cache' section is not supported by Sluice yet"],
    ['prefixes', `${DEFAULTS}no mode http\n`, "a negation/default is not supported for 'mode'"],
    [
      'zero-warning',
      `global\nzero-warning\n${DEFAULTS}frontend f\n`,
      "a some warnings were found and 'zero-warning' is set. Aborting",
    ],
  ])('%s', (_what, text, message) => {
    expect(said(text)).toContain(message);
    expect(load(text).model).toBeNull();
  });

  test('a frontend and a backend may share a name', () => {
    modelOf(`${DEFAULTS}frontend x\nbind :80\ndefault_backend x\nbackend x\n`);
  });

  test('nothing is said of a disabled proxy', () => {
    modelOf('frontend f\ndisabled\n');
  });

  test.each([
    ['user', 'global\nuser nosuch\n'],
    ['group', 'global\ngroup nosuch\n'],
    ['user', 'global\nunix-bind mode 600 user nosuch\n'],
    ['group', 'global\nunix-bind group nosuch\n'],
    ['user', 'global\nstats socket /s user nosuch\n'],
    ['group', `${DEFAULTS}listen l\nbind /s user here group nosuch\n`],
  ])('a %s that the system does not know: %j', (kind, text) => {
    const { list } = load(text, { accounts: ['here'] }).diagnostics;
    expect(list.map(d => d.message)).toEqual([`'${kind}' : unknown ${kind} name 'nosuch'`]);
    modelOf(`${DEFAULTS}listen l\nbind /s user here group here\n`, { accounts: ['here'] });
  });

  test('namespaces that must be there', () => {
    const folders = { '/var/run/netns': ['red', 'blue'] };
    modelOf(`namespace_list\nnamespace red\nnamespace blue\n${DEFAULTS}listen l\nbind :80 namespace red\n`, {
      folders,
    });
    const { list } = load('namespace_list\nnamespace green\nnamespace red x\nspace red\n', { folders }).diagnostics;
    expect(list.map(d => d.message)).toEqual([
      "Cannot open namespace 'green'",
      "'namespace' cannot handle unexpected argument 'x'",
      "unknown keyword 'space' in 'namespace_list' section",
    ]);
  });

  test('all errors are found in one run, once each', () => {
    const { list } = load('global\nfoo\nmaxconn x\nlisten a\nbar\nbind :80 baz\n').diagnostics;
    expect(list.map(d => [d.place?.line, d.column])).toEqual([
      [2, 1],
      [3, 9],
      [5, 1],
      [6, 10],
    ]);
  });
});
