/** Formats with expressions and encodings, and what log profiles, steps and rules make of lines. */
import { describe, expect, test } from 'vitest';
import { GET, listen, start } from './world.ts';

const lineOf = async (lines: string, request = GET('/x?y')): Promise<string> => {
  const world = await start(listen(lines));
  await world.send('l', request);
  return world.next();
};

describe('expressions', () => {
  test.each([
    ['%[src] %[method] %[txn.status] %[str(a)]', '127.0.0.1 GET 200 a'],
    ['%[var(txn.none)] %{+Q}[var(txn.none)] %{-M}[var(txn.none)]|', '- "" |'],
    ['%{+Q,+E}[str(a]b)]', '"a\\]b"'],
    ['%[capture.res.hdr(0)]/%[capture.req.hdr(0),upper]', '5/A'],
    ['%[str(kept),capture-req(0)]/%[capture.req.hdr(0)]/%[str(x),capture-res(3)]', 'kept/kept/-'],
  ])('%s', async (format, expected) => {
    const captures = 'capture request header host len 9\n capture response header content-length len 9\n';
    expect(await lineOf(`${captures} log-format "${format}"`)).toBe(expected);
  });

  test('in the structured data, in errors and in unique ids', async () => {
    const unique = 'unique-id-format %{+X}o-%[req.hdr(host),upper]\n unique-id-header x-id\n log-format %ID';
    expect(await lineOf(unique)).toBe('-A');
    expect(await lineOf('log-format -\n error-log-format "E %[src]"', 'X\r\n\r\n')).toBe('E 127.0.0.1');
  });
});

test('quotes of expressions stand in lines, not in what rules write into messages', async () => {
  const rule =
    'http-request set-header x-a "%{+Q}[str(a)] %{+Q}s %{+Q}[var(txn.none)]"\n http-request set-var(txn.a) req.fhdr(x-a)';
  expect(await lineOf(`${rule}\n log-format "%{+Q}[str(a)] %[var(txn.a)]"`)).toBe('"a" a "<NOSRV>"');
});

test('variables of the request and of the response are there while it is processed', async () => {
  const rules = [
    'http-request set-var(res.a) str(x)',
    'http-request set-var(txn.a) var(res.a)',
    'http-request set-var(req.b) str(x)',
    'http-response set-var(txn.b) var(req.b)',
    'http-response set-var(res.c) str(z)',
    'log-format "%[var(txn.a)] %[var(txn.b)] %[var(res.c)]"',
  ];
  expect(await lineOf(rules.join('\n'))).toBe('- - z');
});

describe('what answers in the place of a server', () => {
  test.each([
    ['GET', '/st', 'l/<STATS> 200'],
    ['HEAD', '/st', 'l/<STATS> 200'],
    ['POST', '/st', 'l/<STATS> 303'],
    ['GET', '/m', 'l/<PROMEX> 200'],
    ['HEAD', '/m', 'l/<PROMEX> 200'],
    ['GET', '/m?scope=x', 'l/<PROMEX> 400'],
    ['GET', '/sa', 'l/<STATS> 401'],
    ['GET', '/r', 'l/<NOSRV> 302'],
    ['GET', '/d', 'l/<NOSRV> 403'],
    ['HEAD', '/204', 'l/<NOSRV> 204'],
  ])('%s %s', async (method, path, expected) => {
    const rules = [
      'stats uri /s',
      'stats http-request auth if { path /sa }',
      'http-request use-service prometheus-exporter if { path /m }',
      'http-request redirect location /x if { path /r }',
      'http-request deny if { path /d }',
      'http-request return status 204 if { path /204 }',
      'log-format "%b/%s %ST"',
    ].join('\n');
    const request = `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
    expect(await lineOf(rules, request)).toBe(expected);
  });
});

test.each([
  ['GET', '/', '- n f p -'],
  ['GET', '/st', '- n - p a'],
  ['HEAD', '/st', '- n - p a'],
  ['GET', '/r', '- n - - -'],
  ['GET', '/d', 'e - - - -'],
  ['GET', '/500', 'e - - - -'],
])('what became of the request: %s %s', async (method, path, expected) => {
  const rules = [
    'stats uri /st',
    'http-request redirect location /x if { path /r }',
    'http-request deny if { path /d }',
    'http-request return status 500 if { path /500 }',
    `log-format "${['error', 'normal', 'forwarded', 'processed'].map(w => `%[str(${w[0]}),when(${w})]`).join(' ')} %[str(a),when(toapplet)]"`,
  ].join('\n');
  expect(await lineOf(rules, `${method} ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`)).toBe(expected);
});

test.each(['GET', 'HEAD', 'POST'])('the page has the times of a server: %s', async method => {
  const request = `${method} /st HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;
  expect(await lineOf('stats uri /st\n log-format "%Tw/%Tc/%Tr/%Td"', request)).toMatch(/^\d+\/\d+\/\d+\/\d+$/);
});

test('a listen section has no default backend but one that is named, a listener no name but its own', async () => {
  expect(await lineOf('log-format "%[fe_defbe] %[so_name] %[ssl_fc_is_resumed]"')).toBe('- - 0');
});

test.each([
  ['%hr %hrl %hs %hsl', '{x#22y\\] |} x#22y\\] - {5} 5'],
  ['%{+Q}hr %{+Q}hrl %{+Q}hs', '"{x#22y\\] |}" "x#22y\\]" "" "{5}"'],
  ['%{+E}hr %{+Q,+E}hrl', '{x#22y\\\\\\]|} "x#22y\\\\\\]" ""'],
])('captures in quotes and escaped, as the flags say: %s', async (format, expected) => {
  const request =
    'declare capture request len 9\n declare capture request len 9\n http-request capture req.hdr(x-a) id 0\n';
  const lines = `${request} capture response header content-length len 9\n log-format '${format}'`;
  expect(await lineOf(lines, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: x"y\\]\r\n\r\n')).toBe(expected.replace('] |', ']|'));
});

describe('encodings', () => {
  test('json: items with labels, each as its type', async () => {
    const format =
      '%{+json}o text %(status)ST %(line)r %ci %(dest:str)fp %(no)CC %(flag)[bool(true)] %(n:sint)[str(12)] %(q)[str("a\\"b")]';
    const line = await lineOf(`log-format '${format}'`);
    const fp = /"dest": "(\d+)"/.exec(line)![1];
    expect(JSON.parse(line)).toEqual({
      ...{ status: 200, line: 'GET /x?y HTTP/1.1', dest: fp, no: null, flag: true, n: 12, q: 'a"b' },
    });
  });

  test('json of one item', async () => {
    expect(await lineOf('log-format "{ %{+json}r, %{+json}[int(5)] }"')).toBe('{ "GET /x?y HTTP/1.1", 5 }');
  });

  test('bytes that are no text are still JSON', async () => {
    const line = await lineOf("log-format '%{+json}o %(b)[bin(c3a9ff010022),hex] %(u)[str(é)] %(bad)[bin(ff41)]'");
    const text = Buffer.from(line, 'latin1').toString('utf8');
    expect(JSON.parse(text)).toEqual({ b: 'C3A9FF010022', u: 'é', bad: '\u00ffA' });
  });

  test('cbor in digits', async () => {
    // RFC 8949: bf .. ff a map, 61 61 "a", 18 c8 200, 20 -1, f5 true, f6 null
    const line = await lineOf('log-format "%{+cbor}o %(a)ST %(b)[int(-1)] %(c)[bool(1)] %(d)CC %(e)HM"');
    expect(line).toBe('BF616118C8616220 6163F5 6164F6 616563474554FF'.replaceAll(' ', ''));
  });
});

describe('log profiles', () => {
  test('other words, another tag, nothing at all', async () => {
    const world = await start(`
      log-profile p
        log-tag own
        on any format "P %OG %ST"
      log-profile quiet
        on close drop
      ${listen('log 127.0.0.1:$LOG profile p local0\n log 127.0.0.1:$LOG profile quiet local0\n log-format "L %ST %B"')}`);
    await world.send('l', GET('/'));
    expect(await world.nextRaw()).toMatch(/haproxy\[42\]: L 200 \d+\n$/);
    expect(await world.nextRaw()).toMatch(/own\[42\]: P txn_close 200\n$/);
    await world.send('l', GET('/'));
    expect(await world.next()).toMatch(/^L 200 /);
  });

  test('lines about one step add up, the exact step goes before any, drop before all', async () => {
    const world = await start(`
      log-profile p
        on any format "A %OG"
        on any sd "[a]"
        on close format "C"
        on error sd "[e]"
        on connect format "no"
        on connect drop
      ${listen('log 127.0.0.1:$LOG profile p format rfc5424 local0\n log-steps all\n log-format "L %OG"\n log-format-sd "[l]"').replace('log 127.0.0.1:$LOG local0', '')}`);
    const said = async () => (await world.nextRaw()).replace(/.* haproxy 42 - /, '').trim();
    await world.send('l', GET('/'));
    expect([await said(), await said(), await said(), await said()]).toEqual([
      '[a] A txn_accept',
      '[a] A txn_request',
      '[a] A txn_response',
      '[l] C',
    ]);
    await world.send('l', 'GARBAGE\r\n\r\n');
    expect(await said()).toBe('[e] L sess_error');
  });

  test('log-steps: a line at each', async () => {
    const world = await start(listen('log-steps all\n log-format "%OG %ST %HU"'));
    await world.send('l', GET('/a'));
    const lines = [];
    for (let i = 0; i < 5; i++) lines.push(await world.next());
    expect(lines).toEqual([
      'txn_accept -1 /a',
      'txn_request -1 /a',
      'txn_connect -1 /a',
      'txn_response 200 /a',
      'txn_close 200 /a',
    ]);
  });

  test('do-log in each rule set', async () => {
    const world = await start(
      `
      log-profile mine
        on http-req format "mine %[path] %[req.hdr(x)]"
      ${listen(`
        log-format "%OG %ci %Tt"
        tcp-request connection do-log
        tcp-request session do-log
        tcp-request content do-log
        http-request do-log profile mine
        http-response do-log
        http-after-response do-log`)}`.replace(' %[req.hdr(x)]', ''),
    );
    await world.send('l', GET('/a'));
    const lines = [];
    for (let i = 0; i < 7; i++) lines.push((await world.next()).replace(/ \d+$/, ''));
    expect(lines).toEqual([
      'tcp-req-conn 127.0.0.1',
      'tcp-req-sess 127.0.0.1',
      'tcp-req-cont 127.0.0.1',
      'mine /a',
      'http-res 127.0.0.1',
      'http-after-res 127.0.0.1',
      'txn_close 127.0.0.1',
    ]);
  });

  test('do-log with a profile: its tag goes before that of the target and of its profile', async () => {
    const tagged = 'log-profile p\n log-tag own\nlog-profile q\n log-tag asked\nlog-profile none\n on any sd "[a]"\n';
    const rules = ['q', 'none'].map(name => `http-request do-log profile ${name}`).join('\n');
    const world = await start(
      tagged +
        listen(
          `log 127.0.0.1:$LOG profile p sample 1-2:3 local0\n log-tag proxy\n log-format "%OG"\n ${rules}`,
        ).replace('log 127.0.0.1:$LOG local0', ''),
    );
    await world.send('l', GET('/'));
    await world.send('l', GET('/'));
    const said = async () => (await world.nextRaw()).replace(/^<\d+>.{15} /, '').trim();
    // The third line of a round is not sent, whoever speaks.
    expect([await said(), await said(), await said(), await said()]).toEqual([
      'asked[42]: http-req',
      'proxy[42]: http-req',
      'asked[42]: http-req',
      'proxy[42]: http-req',
    ]);
  });

  test('a profile that is not there', async () => {
    await expect(start(listen('log 127.0.0.1:$LOG profile nope local0'))).rejects.toThrow(/unknown log-profile 'nope'/);
  });
});

test('sample: some lines of each round', async () => {
  const config = listen('log-format %HU').replace(
    'log 127.0.0.1:$LOG local0',
    'log 127.0.0.1:$LOG sample 1,3-4:4 local0',
  );
  const world = await start(config);
  for (let i = 1; i <= 6; i++) await world.send('l', GET(`/${i}`));
  const lines = [];
  for (let i = 0; i < 4; i++) lines.push(await world.next());
  expect(lines).toEqual(['/1', '/3', '/4', '/5']);
});
