/** Forms sent to a statistics page of a frontend: there is no backend that would take the payload. */
import { expect, test } from 'vitest';
import { rigOf } from './listen.ts';
import { ask } from './wire.ts';

test.each([
  ['stats admin if TRUE', 's=s&b=other&action=nonsense', 'ERRP'],
  ['stats admin if TRUE', 'foo', 'ERRP'],
  ['stats hide-version', 's=s&b=other&action=drain', 'DENY'],
])('%s: %s', async (line, form, result) => {
  const rig = await rigOf(`
listen page
  mode http
  bind 127.0.0.1:1
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  stats uri /st
  ${line}
`);
  const request = `POST /st HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: ${form.length}\r\n\r\n`;
  expect(await ask(rig.port('page'), `${request}${form}`)).toContain(`location: /st;st=${result}\r\n`);
});
