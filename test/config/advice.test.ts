/** Warnings about lines that are valid and do not do what they seem to. The messages are those of HAProxy 2.6. */
import { expect, test } from 'vitest';
import { load } from './load-text.ts';

const AFTER = 'rule will still be processed before';
const NOOP = 'has no condition attached, further entries are NOOP';

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

test('a captured cookie has room for what tune.http.cookielen says', () => {
  const lenOf = (tune: string) =>
    load(`global\n${tune}\nfrontend f\nbind :1\ncapture cookie a len 200\n`).model!.proxies[0]!.cookieCapture!.lenBytes;
  expect([lenOf(''), lenOf('tune.http.cookielen 100'), lenOf('tune.http.cookielen 300')]).toEqual([63, 100, 200]);
});
