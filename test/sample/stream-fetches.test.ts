/** What a stream tells of itself, in its log line: times, rules, queues, errors, the kernel's counters. */
import { describe, expect, test } from 'vitest';
import { GET, listen, start } from '../log/world.ts';

async function logged(format: string, lines = '', request = GET('/'), server?: string): Promise<string> {
  const world = await start(listen(`${lines}\n log-format "${format}"`, server));
  await world.send('l', request);
  return world.next();
}

test.each([
  ['%[req.timer.idle] %[req.timer.hdr] %[req.timer.tq] %[req.timer.queue]', '%Ti %TR %Tq %Tw'],
  ['%[bc.timer.connect] %[res.timer.hdr] %[res.timer.data]', '%Tc %Tr %Td'],
  ['%[fc.timer.handshake] %[fc.timer.total] %[txn.timer.total] %[txn.timer.user]', '%Th %Tt %Ta %Tu'],
  ['%[bc_be_queue] %[bc_srv_queue] %[txn.sess_term_state] %[txn.status]', '%bq %sq %ts %ST'],
])('%s is %s', async (expressions, variables) => {
  const [left, right] = (await logged(`${expressions} | ${variables} | %B`)).split(' | ');
  expect(left).toBe(right);
});

test('a version of HTTP is told only where HTTP is spoken', async () => {
  expect(await logged('%[fc_http_major] %[bc_http_major]')).toBe('1 1');
  expect(await logged('%[fc_http_major]|%[bc_http_major]|%B', 'mode tcp')).toMatch(/^-\|-\|\d+$/);
});

test('bytes on all four ways', async () => {
  const line = await logged('%[req.bytes_in] %[req.bytes_out] %[res.bytes_in] %[res.bytes_out] %B');
  const [fromClient, toServer, fromServer, toClient, sent] = line.split(' ').map(Number);
  expect(fromClient).toBe(GET('/').length);
  // The server's connection is kept: what the client said of its own does not go on.
  expect(toServer).toBeGreaterThan(20);
  expect(fromServer).toBe('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'.length);
  expect(toClient).toBe(sent);
});

describe('the last final rule', () => {
  test.each([
    ['http-request deny if { path /a }\n http-request allow', '/a'],
    ['http-request set-var(txn.a) int(1)\n http-response set-header a b\n http-request allow', '/'],
  ])('%s', async (rules, uri) => {
    const line = await logged('%[last_rule_file]:%[last_rule_line] %[last_entity] %B', rules, GET(uri));
    const [one, two] = line.split(' ');
    expect(one).toMatch(/^test\.cfg:\d+$/);
    expect(two).toBe(one);
  });

  test('none', async () => {
    expect(await logged('%[last_rule_line] %[waiting_entity]')).toBe('- -');
  });
});

test('errors of connections', async () => {
  const none = await logged('%[fc_err] %[fc_err_name] %[fc_err_str] %[bc_err]');
  expect(none).toBe('0 - Success 0');
  const server = 'server s 127.0.0.1:$DEAD';
  expect(await logged('%[bc_err] %[bc_err_name] %[bc_err_str] %B', '', GET('/'), server)).toMatch(
    /^46 EREFUSED ECONNREFUSED returned by OS \d+$/,
  );
  const world = await start(
    listen('error-log-format "%[fc_err] %[fc_err_name]"').replace('127.0.0.1:1', '127.0.0.1:1 accept-proxy'),
  );
  await world.send('l', GET('/'));
  expect(await world.next()).toBe('15 PRX_NOT_HDR');
});

test("the kernel's counters, where a descriptor can be had", async () => {
  const line = await logged('%[fc_rtt(us)] %[fc_rttvar(us)] %[fc_unacked] %[fc_lost] %[fc_retrans]');
  expect(line).toMatch(/^(- - - - -|\d+ \d+ \d+ 0 0)$/);
});
