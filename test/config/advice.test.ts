/** Warnings about lines that are valid and do not do what they seem to. The messages are those of HAProxy 2.6. */
import { expect, test } from 'vitest';
import { load } from './load-text.ts';

const AFTER = 'rule will still be processed before';
const NOOP = 'has no condition attached, further entries are NOOP';

const TABLE = 'stick-table type ip size 1k';
const TOO_LATE =
  "a 'tcp-request content track-sc*' rule not depending on request contents for an HTTP frontend should be executed at the session level, using a 'tcp-request session' rule (mandatory to track invalid HTTP requests)";
const TOO_EARLY =
  "rule explicitly depending on request contents without any 'tcp-request inspect-delay' setting: it will randomly find its contents";

/** The lines of a `listen` section, and what is said about them. */
const ADVICE: readonly (readonly [lines: readonly string[], ...warnings: readonly string[]])[] = [
  [['http-request deny if TRUE', 'http-request allow', 'use_backend other if TRUE']],
  [['server s 127.0.0.1:1', 'use-server s if TRUE', 'use_backend other if TRUE']],
  [
    ['server s 127.0.0.1:1', 'default_backend other'],
    "In proxy 'p', the 'default_backend' rule always has precedence over the servers, which will never be used",
  ],
  [['option httplog'], "log format ignored for proxy 'p' since it has no log address"],
  [
    ['http-check expect status 200'],
    "proxy 'p' uses http-check rules without 'option httpchk', so the rules are ignored",
  ],
  [
    ['option httpchk', 'http-check expect status 200', 'tcp-check connect'],
    "proxy 'p' uses tcp-check rules without 'option tcp-check', so the rules are ignored",
  ],
  [
    ['external-check command /bin/true', 'external-check path /bin'],
    "'external-check command' will be ignored for proxy 'p' (requires 'option external-check')",
    "'external-check path' will be ignored for proxy 'p' (requires 'option external-check')",
  ],
  [
    ['tcp-request inspect-delay 1s', 'tcp-request inspect-delay 2s'],
    'ignoring tcp-request inspect-delay (was already defined)',
  ],
  [
    ['http-request deny', 'http-request set-header x y', 'http-request allow'],
    `previous 'http-request' action is final and ${NOOP}`,
  ],
  [
    ['tcp-request session set-var(txn.a) src', 'tcp-request session set-var(sess.a) src'],
    "a variable of scope 'txn' cannot be set here: there is no stream yet",
  ],
  [['http-request reject', 'http-request silent-drop', 'http-request set-header x y']],
  [
    ['http-response redirect location /', 'http-response allow', 'http-response allow'],
    `previous 'http-response' action is final and ${NOOP}`,
    `previous 'http-response' action is final and ${NOOP}`,
  ],
  [['stats http-request deny', 'stats http-request allow'], `previous 'stats' action ${NOOP}`],
  [
    ['tcp-request content accept if TRUE', 'tcp-request session accept', 'tcp-request connection accept'],
    `a 'tcp-request' rule placed after a 'tcp-request session' ${AFTER}`,
    `a 'tcp-request' rule placed after a 'tcp-request content' ${AFTER}`,
  ],
  [
    ['http-request allow', 'tcp-request content accept', 'use_backend other', 'redirect location / if TRUE'],
    `a 'tcp-request' rule placed after an 'http-request' ${AFTER}`,
    `a 'redirect' rule placed after a 'use_backend' ${AFTER}`,
  ],
  [[TABLE, 'tcp-request content track-sc0 src'], `proxy 'p' : ${TOO_LATE}`],
  [[TABLE, 'tcp-request content track-sc0 src if { dst 127.0.0.1 }'], `proxy 'p' : ${TOO_LATE}`],
  [[TABLE, 'tcp-request content track-sc0 src if { path /a }']],
  [[TABLE, 'tcp-request content track-sc0 req.hdr(x)'], `proxy 'p' : a 'tcp-request content track-sc*' ${TOO_EARLY}`],
  [[TABLE, 'tcp-request inspect-delay 1s', 'tcp-request content track-sc0 req.hdr(x)']],
  [['tcp-request content capture req.hdr(x) len 5'], `proxy 'p' : a 'tcp-request capture' ${TOO_EARLY}`],
  [['tcp-request content capture src len 5']],
  [['use_backend other if { req.len gt 5 }'], "Proxy 'p': L6 sample fetches ignored on HTTP proxies"],
  [
    [TABLE, 'stick match src if { req.len gt 5 }', 'stick store-response src if { res.len gt 5 }'],
    "Proxy 'p': L6 sample fetches ignored on HTTP proxies",
  ],
  [['unique-id-format %[req.len]'], 'L6 sample fetch <req.len> ignored in HTTP log-format string'],
  [
    ['http-request return content-type a/b lf-string "%[req.len] %[path]"'],
    'L6 sample fetch <req.len> ignored in HTTP log-format string',
  ],
  [
    ['load-server-state-from-file global'],
    "backend 'p' configured to load server state file from global section 'server-state-file' directive, but 'server-state-file' is not set",
  ],
  [
    ['mode tcp', 'option http-ignore-probes', 'option checkcache', 'option prefer-last-server'],
    "'option checkcache' ignored for proxy 'p' as it requires HTTP mode",
    "'option http-ignore-probes' ignored for proxy 'p' as it requires HTTP mode",
    "'option prefer-last-server' ignored for proxy 'p' as it requires HTTP mode",
  ],
  [['tcp-request content accept if HTTP', 'use_backend other if { hdr(x) -m len 5 }']],
  [['http-request deny errorfiles pages'], "'deny': status '403' is not declared in http-errors section 'pages'"],
];

test.each(ADVICE)('%j', (lines, ...warnings) => {
  const timeouts = ['client', 'server', 'connect'].map(side => `timeout ${side} 1s`);
  const text = [
    'listen p',
    'mode http',
    'bind 127.0.0.1:1',
    ...timeouts,
    ...lines,
    'backend other',
    'mode http',
    'http-errors pages',
    '',
  ].join('\n');
  const { model, diagnostics } = load(text);
  expect(diagnostics.list.map(({ message }) => message)).toEqual(warnings);
  expect(model).not.toBeNull();
});

test('of two inspection delays the first counts', () => {
  const { model } = load('frontend f\nbind :1\ntcp-request inspect-delay 1s\ntcp-request inspect-delay 2s\n');
  expect(model!.proxies[0]!.inspectDelayMs).toBe(1000);
});

test('nobody is told by a mailers section without mailers', () => {
  const { diagnostics } = load('mailers m\nbackend b\n');
  expect(diagnostics.list.map(({ message }) => message)).toEqual(["Removing incomplete section 'mailers m'"]);
});

test('headers behind the version of a check are read, and advised against', () => {
  const line = 'option httpchk GET /x HTTP/1.1\\r\\nHost:\\ www';
  const { model, diagnostics } = load(`backend b\n${line}\nserver s 127.0.0.1:1 check\n`);
  expect(model!.proxies[0]!.check.steps[1]).toMatchObject({
    ...{ method: 'GET', uri: '/x', version: 'HTTP/1.1', headers: [['Host', 'www']] },
  });
  const advice = { severity: 'warning', hint: "use 'http-check send' instead" };
  expect(diagnostics.list).toContainEqual(expect.objectContaining(advice));
});

test('a captured cookie has room for what tune.http.cookielen says', () => {
  const lenOf = (tune: string) =>
    load(`global\n${tune}\nfrontend f\nbind :1\ncapture cookie a len 200\n`).model!.proxies[0]!.cookieCapture!.lenBytes;
  expect([lenOf(''), lenOf('tune.http.cookielen 100'), lenOf('tune.http.cookielen 300')]).toEqual([63, 100, 200]);
});

test.each(['balance source', 'option redispatch x', 'stick on nosuch'])('a frontend with %j is told so', line => {
  const { model, diagnostics } = load(`frontend f\nbind :1\ntimeout client 1s\n${line}\n`);
  expect(diagnostics.list.map(found => found.message)).toEqual([
    expect.stringMatching(/^'.*' ignored because frontend 'f' has no backend capability$/),
  ]);
  expect(model!.proxies[0]!.balance.algorithm).toBe('random');
});

test.each([
  ['mode tcp\nunique-id-format %HM', "failed to parse unique-id : format variable 'HM' is reserved for HTTP mode"],
  [
    'mode tcp\nuse_backend %HM',
    "failed to parse use_backend rule '%HM' : format variable 'HM' is reserved for HTTP mode",
  ],
  ['tcp-response content accept', "'tcp-response content' not allowed because frontend 'f' has no backend capability"],
  ['retry-on all-retryable-errors', "'retry-on' not allowed because frontend 'f' has no backend capability"],
  // What is only ignored must be right all the same.
  [
    'timeout check 1x',
    "'timeout check' expects a time (in milliseconds by default): unexpected character 'x' (units are us, ms, s, m, h and d) in '1x'",
  ],
  ['fullconn', "'fullconn' expects an integer of at least 0"],
])('a frontend with %j is refused', (lines, message) => {
  const { model, diagnostics } = load(`frontend f\nbind :1\n${lines}\n`);
  expect(model).toBeNull();
  expect(diagnostics.list.map(found => found.message)).toContain(message);
});

test.each(['http-request set-header a %[lua.f]', 'acl a lua.f', 'http-request set-var(txn.a) str(a),lua.c'])(
  'what scripts would register is known as theirs: %s',
  line => {
    const { diagnostics } = load(`listen l\nmode http\nbind :1\n${line}\n`);
    expect(diagnostics.list.map(found => found.hint)).toContain('there is no Lua in Sluice yet');
  },
);
