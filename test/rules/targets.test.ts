/** What rules make of a request's target. */
import { expect, test } from 'vitest';
import { listen, origin } from '../proxy/listen.ts';
import { ask, ok } from '../proxy/wire.ts';

/** The request line that a server gets. */
async function sent(rule: string, target: string): Promise<string> {
  let head = '';
  const s = await origin(text => {
    head = text;
    return ok();
  });
  const rig = await listen([rule, `server s1 127.0.0.1:${s.port}`]);
  await ask(rig.port('web'), `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  return head.slice(0, head.indexOf(' HTTP/'));
}

test.each([
  ['/a', 'GET /a'],
  ['/a?', 'GET /a?'],
  ['/a?x%3D1', 'GET /a?x=1'],
])('an empty query keeps its question mark, but brings none: %s', async (target, line) => {
  expect(await sent('http-request set-query %[query,regsub(%3D,=,g)]', target)).toBe(line);
});
