/** What rules of responses see of requests, and names that mean the message whose rule it is. */
import { describe, expect, test } from 'vitest';
import { listen, origin } from '../proxy/listen.ts';
import { ask, ok } from '../proxy/wire.ts';

/** The answer's header x; the server's response has `x-side: server` and sets the cookie c. */
async function valueOf(...rules: string[]): Promise<string | undefined> {
  const server = await origin(() => ok('', 'x-side: server\r\nset-cookie: c=server; path=/\r\n'));
  const rig = await listen(['acl here path /a', ...rules, `server s 127.0.0.1:${server.port}`]);
  const headers = 'connection: close\r\nx-side: client\r\ncookie: c=client\r\n';
  const answer = await ask(rig.port('web'), `GET /a?b HTTP/1.1\r\nhost: a\r\n${headers}\r\n`);
  return /^x: (.*)$/m.exec(answer)?.[1];
}

describe('hdr and cookie', () => {
  test.each([
    ['http-response set-header x %[hdr(x-side)]', 'server'],
    ['http-after-response set-header x %[hdr(x-side)]', 'server'],
    ['http-response set-header x %[cookie(c)]', 'server'],
    ['http-request set-var(txn.x) hdr(x-side)\n http-response set-header x %[var(txn.x)]', 'client'],
    ['http-request set-var(txn.x) cookie(c)\n http-response set-header x %[var(txn.x)]', 'client'],
    // As an ACL it is the request's.
    ['http-response set-header x yes if { hdr(x-side) server }', undefined],
    ['http-response set-header x yes if { hdr_beg(x-side) s }', undefined],
    ['http-response set-header x yes if { res.hdr(x-side) server }', 'yes'],
  ])('%s', async (rules, expected) => {
    expect(await valueOf(rules)).toBe(expected);
  });
});

describe('the request has left', () => {
  test.each([
    ['http-response set-header x yes if here', undefined],
    ['http-after-response set-header x yes if { req.hdr(host) a }', undefined],
    ['http-response set-header x yes unless here', 'yes'],
    [
      'http-response set-header x "%[method] %[capture.req.uri] %[capture.req.ver] %[capture.res.ver]"',
      'GET /a?b HTTP/1.1 HTTP/1.1',
    ],
  ])('%s', async (rules, expected) => {
    expect(await valueOf(rules)).toBe(expected);
  });

  test('capture.req.uri is what came', async () => {
    expect(await valueOf('http-request set-uri /new', 'http-response set-header x %[capture.req.uri]')).toBe('/a?b');
  });
});

describe('what carries the stream', () => {
  test.each([
    ['fc_glitches', '0'],
    ['bc_glitches', '0'],
    ['fc_settings_streams_limit', '1'],
    ['bc_settings_streams_limit', '1'],
    ['fs.aborted', '0'],
    ['bs.aborted', '0'],
    ['res.cache_hit', '0'],
    ['res.cache_name', ''],
    ['fs.rst_code', ''],
    ['int(10),x509_v_err_str', 'X509_V_ERR_CERT_HAS_EXPIRED'],
    ['int(0),x509_v_err_str', 'X509_V_OK'],
    ['int(-3),x509_v_err_str', '-3'],
    ['int(9999),x509_v_err_str', '9999'],
  ])('%s is %s', async (expression, value) => {
    expect(await valueOf(`http-response set-header x "<%[${expression}]>"`)).toBe(`<${value}>`);
  });
});
