import { describe, expect, test } from 'vitest';
import { ACTIONS } from '../../engine/rules/actions.ts';
import { RULE_SETS } from '../../engine/rules/rule-sets.ts';
import { load } from '../config/load-text.ts';

const FILES = { files: { '/dev/null': '' } };

/** What rules may refer to. */
const FILTER = '  filter bwlim-out slow default-limit 1k default-period 1s\n';
const SLOTS = '  declare capture request len 9\n  declare capture response len 9\n';

/** Messages about the rule, which is line 3 of a file that is otherwise good. */
function messagesOf(keyword: string, line: string, section = 'listen t'): string[] {
  const filter = section === 'defaults' ? '' : section.startsWith('backend') ? FILTER : FILTER + SLOTS;
  const text = `${section}\n  mode ${keyword.startsWith('tcp-') ? 'tcp' : 'http'}\n  ${keyword} ${line}\n${filter}`;
  return (
    load(text, FILES)
      .diagnostics.list.filter(d => d.place?.line === 3)
      .map(d => d.message)
      // The table and the captures that a line names are not there.
      .filter(message => !/unable to find (table|capture id)/.test(message))
  );
}

describe('the rows of the action table', () => {
  test.each(ACTIONS)('$name', row => {
    expect(row.doc).toMatch(/^\S.*[.]$/);
    expect(row.where).not.toBe('');
    for (const { letter, keyword, sections } of RULE_SETS) {
      if (letter === '' || !row.where.includes(letter)) continue;
      const section = sections.includes('L') ? 'listen t' : 'backend t';
      for (const good of row.good) {
        expect(messagesOf(keyword, good, section), `${keyword} ${good}`).toEqual([]);
        expect(messagesOf(keyword, `${good} if TRUE`, section), `${keyword} ${good} if`).toEqual([]);
      }
      for (const [bad, message] of row.bad) {
        expect(messagesOf(keyword, bad, section), `${keyword} ${bad}`).toContain(message);
      }
    }
    if (row.status === 'supported') expect(row.good.length, 'good lines').toBeGreaterThan(0);
  });

  test('no name twice', () => {
    const names = ACTIONS.map(row => row.name);
    expect(new Set(names).size).toBe(names.length);
  });

  test('an action stands only where the table says', () => {
    expect(messagesOf('http-response', 'tarpit')).toEqual(["'tarpit' is not possible in 'http-response' rules"]);
    expect(messagesOf('tcp-request connection', 'set-header a b')).toEqual([
      "'set-header' is not possible in 'tcp-request connection' rules",
    ]);
    expect(messagesOf('http-request', 'cache-use x')).toEqual(["'cache-use' is not supported by Sluice yet"]);
  });

  test('a variable has a name, and a type is for a content', () => {
    expect(messagesOf('http-request', 'set-var(txn.) int(1)')[0]).toMatch(/^invalid variable name 'txn.'/);
    expect(messagesOf('http-request', 'deny content-type a/b')).toEqual([
      "content-type 'a/b' ignored by the http reply because neither errorfile nor payload defined",
    ]);
  });

  test('a proxy inherits the rules of named defaults, and runs them first', () => {
    const { model } = load(
      'defaults d\n mode http\n http-request deny if FALSE\nfrontend a\n bind 127.0.0.1:80\n http-request allow\n',
      FILES,
    );
    expect(model!.proxies[0]!.rules.request.map(rule => rule.action)).toEqual(['deny', 'allow']);
    expect(messagesOf('http-request', 'deny', 'defaults')).toEqual([
      "'http-request' not allowed in anonymous 'defaults' section",
    ]);
  });

  test('in a TCP frontend that may switch to HTTP they count', () => {
    const { model, diagnostics } = load(
      'frontend t\n bind 127.0.0.1:80\n tcp-request content switch-mode http if HTTP\n http-request deny\n option forwardfor\n monitor-uri /m\n',
      FILES,
    );
    expect(model!.proxies[0]!.rules.request.length).toBe(1);
    expect(model!.proxies[0]!.monitorUri).toBe('/m');
    expect(diagnostics.list.filter(d => d.message.includes('HTTP mode'))).toEqual([]);
  });

  test('who switches needs a backend that speaks HTTP, and is a frontend', () => {
    const { diagnostics } = load('listen t\n bind 127.0.0.1:80\n tcp-request content switch-mode http\n', FILES);
    expect(diagnostics.list.map(d => d.message).join()).toContain('cannot be routed to TCP servers');
    expect(messagesOf('tcp-request content', 'switch-mode http', 'backend b')).toEqual([
      "'switch-mode' not allowed because backend 'b' has no frontend capability",
    ]);
  });

  test('rules that need HTTP are ignored in TCP, and said', () => {
    const { model, diagnostics } = load('listen t\n bind 127.0.0.1:80\n http-request deny\n', FILES);
    expect(model!.proxies[0]!.rules.request).toEqual([]);
    expect(diagnostics.list.map(d => d.message)).toContain(
      "'http-request' rules ignored for proxy 't' as they require HTTP mode",
    );
  });
});
