/** Names and numbers that refer to something: what HAProxy 2.6 says when they refer to nothing, or to too much. */
import { expect, test } from 'vitest';
import { load } from './load-text.ts';

/** A configuration, and what is said about it: severity, line, the beginning of the message. */
type Said = readonly [severity: string, line: number, beginning: string];
const CASES: readonly (readonly [text: string, ...said: readonly Said[]])[] = [
  // Names of defaults sections: any, until a section refers to one.
  ['defaults a!\nbackend b'],
  ['defaults a!\nbackend b from a!', ['alert', 2, "character '!' is not permitted in defaults section name 'a!'"]],
  ['defaults a\ndefaults a\nbackend b'],
  [
    'defaults a\ndefaults a\nbackend b from a',
    ['alert', 3, "ambiguous defaults section name 'a' referenced by backend 'b' exists at least at test.cfg:1 and"],
  ],
  ['defaults a\ndefaults a\ndefaults c from a', ['alert', 3, "ambiguous defaults section name 'a' referenced by def"]],
  [
    'defaults a\nbackend b from a\nbackend c\nbackend d from a',
    ['warning', 3, "defaults section 'a' (declared at test.cfg:1) is explicitly referenced by another proxy and imp"],
    ['warning', 4, "defaults section 'a' (declared at test.cfg:1) is implicitly referenced by another proxy and exp"],
  ],
  ['defaults a\nbackend b from a\ndefaults\nbackend c'],
  // Rules of a defaults section: they are a frontend's or a backend's (manual 4.2, http-request).
  ['defaults a\nmode http\nhttp-request set-header x y\nbackend b from a\nbackend c from a'],
  [
    'defaults a\nmode http\nhttp-request set-header x y\ndefaults d from a',
    ['alert', 4, 'a defaults section cannot inherit from a defaults section defining TCP/HTTP rules'],
  ],
  [
    'defaults a\nmode http\nhttp-request set-header x y\nlisten l from a',
    ['alert', 4, 'a listen section cannot inherit from a defaults section defining TCP/HTTP rules'],
  ],
  [
    'defaults a\nmode http\nhttp-request set-header x y\nfrontend f from a\nbackend b from a',
    ['alert', 5, 'frontends and backends cannot inherit from the same defaults section if it defi'],
  ],
  [
    'defaults a\ntcp-response content accept\nfrontend f from a\nbackend b from a',
    ['alert', 3, "a frontend section cannot inherit from a defaults section defining 'tcp-response content' rules"],
  ],
  [
    'defaults a\ntcp-request session accept\nbackend b from a\nfrontend f from a',
    [
      'alert',
      3,
      "a backend section cannot inherit from a defaults section defining 'tcp-request connection' or 'tcp-r",
    ],
  ],
  [
    'defaults a\nmode http\nhttp-request capture path len 3\nfrontend f from a\nlisten l from a',
    ['alert', 5, 'a listen section cannot inherit'],
    ['alert', 5, 'backend or defaults sections cannot inherit from a defaults section defining captures'],
  ],
  // What another kind of proxy has, or another mode.
  [
    'backend b\nmode http\ndeclare capture request len 3',
    ['alert', 3, "'declare capture' not allowed because backend 'b'"],
  ],
  [
    'backend b\nmode http\ncapture cookie a len 3',
    ['warning', 3, "'capture cookie' ignored because backend 'b' has no"],
  ],
  [
    'defaults\ntimeout client 1s\ntimeout server 1s\ntimeout connect 1s\nfrontend f\nbind :1\ncapture cookie a len 3',
    ['warning', 5, "'capture' statement ignored for frontend 'f' as it requires HTTP mode"],
  ],
  // Sections.
  ['ring a\nring a', ['alert', 2, "ring 'a' has the same name as another one"]],
  ['http-errors a\nhttp-errors a', ['alert', 2, "http-errors 'a' has the same name as another one"]],
  [
    'mailers a\nmailer m 127.0.0.1:25\nmailers a\nmailer m 127.0.0.1:25',
    ['alert', 3, "mailers 'a' has the same name as another one"],
  ],
  // Variables, captures, counters.
  ['backend b\nmode http\nhttp-request set-var(txn.) int(1)', ['alert', 3, "invalid variable name 'txn.'"]],
  ['backend b\nmode http\nhttp-request capture path id 0'],
  ['backend b\nmode http\nhttp-request sc-inc-gpc0(3)', ['alert', 3, "'sc-inc-gpc0': there are 3 counters"]],
  ['global\ntune.stick-counters 4\nbackend b\nmode http\nhttp-request sc-inc-gpc0(3)'],
  [
    'backend b\nmode http\nhttp-request wait-for-body time 1s use-large-buffer',
    ['warning', 3, "'wait-for-body': 'use-large-buffer' is of no effect without 'tune.bufsize.large'"],
  ],
  ['global\ntune.bufsize.large 64k\nbackend b\nmode http\nhttp-request wait-for-body time 1s use-large-buffer'],
];

test.each(CASES.map(([text, ...said]) => ({ text, said })))('$text', ({ text, said }) => {
  const { diagnostics } = load(`${text}\n`);
  const found = diagnostics.list.map(({ severity, place, message }) => [severity, place?.line, message]);
  expect(found).toEqual(
    said.map(([severity, line, message]) => [severity, line, expect.stringMatching(beginning(message))]),
  );
});

const LISTEN = 'mode http\nbind 127.0.0.1:1\ntimeout client 1s\ntimeout server 1s\ntimeout connect 1s';

test('slots of captures are those of the frontend', () => {
  const said = (lines: string) => load(`listen f\n${LISTEN}\n${lines}\n`).diagnostics.list.map(d => d.message);
  const missing = (side: string) => [
    `Proxy 'f': unable to find capture id '1' referenced by http-${side} capture rule`,
  ];
  expect(said('http-request capture path id 1\ndeclare capture request len 5')).toEqual(missing('request'));
  expect(said('http-response capture src id 1\ndeclare capture response len 5')).toEqual(missing('response'));
  expect(said('declare capture request len 5\nhttp-request capture path id 0')).toEqual([]);
  // Which frontend it will be is known per request only.
  expect(load('backend b\nmode http\nhttp-request capture path id 1\n').diagnostics.list.map(d => d.message)).toEqual(
    [],
  );
});

test('a default backend is not the proxy itself', () => {
  const { diagnostics } = load(`listen l\n${LISTEN}\ndefault_backend l\n`);
  expect(diagnostics.list.map(d => d.message)).toEqual(["Proxy 'l': loop detected for default_backend: 'l'"]);
});

/** A message that begins like this. */
function beginning(text: string): RegExp {
  return new RegExp(`^${RegExp.escape(text)}`);
}
