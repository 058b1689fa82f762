/** Values that Debian's HAProxy cannot judge: what is newer than it, variables, conditions that wait. */
import { describe, expect, test } from 'vitest';
import { proxyRules } from '../../engine/proxy/rules.ts';
import { compileCondition, MAYBE, NO, parseVariable, YES } from '../../engine/sample/index.ts';
import { ProcVars } from '../../engine/sample/proc-vars.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { holds } from './conditions.ts';
import { MAP_FILES } from './vector-specs.ts';
import { World } from './world.ts';

const SOH = '\x01';
const FIX_BODY = `35=A${SOH}49=ME${SOH}`;
const FIX_HEAD = `8=FIX.4.4${SOH}9=${FIX_BODY.length}${SOH}`;
const FIX_SUM = [...Buffer.from(FIX_HEAD + FIX_BODY)].reduce((sum, b) => sum + b, 0) % 256;
const FIX = Buffer.from(`${FIX_HEAD}${FIX_BODY}10=${String(FIX_SUM).padStart(3, '0')}${SOH}`).toString('hex');
/** CONNECT of MQTT 3.1.1: client `c`, user `u`, password `p`. */
const MQTT = '101300044d51545404c2003c0001630001750001700000';
/** A SYN: 10.0.0.1:1000 to 10.0.0.2:80, TTL 64, DF, MSS 1460, SACK, timestamp, window scale 7. */
const SYN_TCP = '03e8005000000001000000 00a0 02faf0 00000000 020405b4 0402 080a0000000500000000 01 030307'.replaceAll(
  ' ',
  '',
);
const SYN_IP = `4500003c000040004006${'0000'}0a0000010a000002${SYN_TCP}`;
const SYN_ETH = `0102030405060708090a0b0c${'0800'}${SYN_IP}`;

describe('newer converters', () => {
  test.each([
    ['str(a=b&c=d&a=r),param(a)', 'b'],
    ['str(a&b=c),param(a)', ''],
    ['str(a=&b&c=a),param(b)', ''],
    ['str(a=1;b=2;c=4),param(b,;)', '2'],
    ['str(example.com),reverse', 'moc.elpmaxe'],
    ['str(mail.example.com.),reverse_dom', 'com.example.mail'],
    ['str(a..b),reverse_dom', null],
    ['str(xx),hex2i', '0'],
    ['str(FR),language(fr)', null],
    ['str(fr-FR),language(fr)', 'fr'],
    ["str('en;level=1;q=0.5,fr;q=0.6'),language(en;fr)", 'en'],
    ['tgroup', '0'],
    ['var(psess.a)', null],
    ['var(preq.a,none)', 'none'],
    ['bin(05),base2', '00000101'],
    ['bin(01020304050607),le2dec(:,2)', '513:1027:1541:7'],
    ['bin(7f000001),le2dec(.,1)', '127.0.0.1'],
    ["str('Sun, 06 Nov 1994 08:49:37 GMT'),date", '784111777'],
    ["str('Sunday, 06-Nov-94 08:49:37 GMT'),date", '784111777'],
    ["str('Sun Nov  6 08:49:37 1994'),date", '784111777'],
    ['int(1700000000123),ms_utime(%S.%3N)', '20.123'],
    ['int(1700000000123),ms_utime(%%3N %-I %_m)', '%3N 10 11'],
    ['int(1699000000),utime(%-d %_d %05d %-j %e %-e %0e %5a %^a %#p %#Z)', '3  3 00003 307  3 3 03   Fri FRI am gmt'],
    ['int(1700000000123456),us_utime(%S.%6N)', '20.123456'],
    ['bin(610d),has_ctl', '1'],
    ['bin(6109),has_ctl', '0'],
    ['bin(6109),has_ctl(any)', '1'],
    ['bin(617f),has_ctl(http)', '0'],
    ['str("proto=https;host=\\"haproxy.org:80\\""),rfc7239_field(host)', 'haproxy.org:80'],
    ['str(for=127.0.0.1;proto=http),rfc7239_is_valid', '1'],
    ['str(proto=custom),rfc7239_is_valid', '0'],
    ['str(127.0.0.1:9999),rfc7239_n2nn', '127.0.0.1'],
    ['str([ab:cd:ff:ff:ff:ff:ff:ff]:9998),rfc7239_n2np', '9998'],
    ['str(_name:_port),rfc7239_n2np', '_port'],
    ['ipv6(ab:cd:ff:ff:ff:ff:ff:ff),rfc7239_nn', '[ab:cd:ff:ff:ff:ff:ff:ff]'],
    ['str(),rfc7239_nn', 'unknown'],
    ['int(12),rfc7239_np', '12'],
    [`bin(${FIX}),fix_is_valid`, '1'],
    [`bin(${FIX.slice(0, -4)}01),fix_is_valid`, '0'],
    [`bin(${FIX}),fix_tag_value(SenderCompID)`, 'ME'],
    [`bin(${FIX}),fix_tag_value(99)`, null],
    [`bin(${MQTT.slice(0, -4)}),mqtt_is_valid`, '1'],
    [`bin(${MQTT}),mqtt_is_valid`, '1'],
    ['int(9),set-var(txn.fresh,ifnotset)', '9'],
    ['int(7),set-var(txn.seven),add(2),set-var(txn.seven,ifgt)', null],
    ['int(7),set-var(txn.seven),sub(2),set-var(txn.seven,ifgt)', '5'],
    ['int(9),set-var(proc.fresh,ifnotexists)', null],
    ['bin(200500000219),mqtt_is_valid', null],
    ['bin(20050000022100),mqtt_is_valid', '0'],
    ['bin(20020000c000),mqtt_is_valid', '1'],
    ['bin(101f00044d5154540506003c00000163000005746f70696300077061796c6f6164),mqtt_field_value(connect,18)', '0'],
    [
      'bin(102400044d5154540506003c000001630518000000070005746f70696300077061796c6f6164),mqtt_field_value(connect,24)',
      '7',
    ],
    [
      'bin(102400044d5154540506003c000001630518000000070005746f70696300077061796c6f6164),mqtt_field_value(connect,18)',
      '7',
    ],
    [`bin(${FIX}00),fix_is_valid`, '1'],
    [`bin(${MQTT.slice(0, -4)}),mqtt_field_value(connect,username)`, 'u'],
    [`bin(${MQTT.slice(0, -4)}),mqtt_field_value(1,protocol_version)`, '4'],
    [`bin(${SYN_ETH}),eth.proto`, '2048'],
    [`bin(${SYN_ETH}),eth.src,hex`, '0708090A0B0C'],
    [`bin(${SYN_ETH}),eth.data,ip.src`, '10.0.0.1'],
    [`bin(${SYN_IP}),ip.dst`, '10.0.0.2'],
    [`bin(${SYN_IP}),ip.ttl`, '64'],
    [`bin(${SYN_IP}),ip.df`, '1'],
    [`bin(${SYN_IP}),ip.data,tcp.dst`, '80'],
    [`bin(${SYN_TCP}),tcp.src`, '1000'],
    [`bin(${SYN_TCP}),tcp.flags`, '2'],
    [`bin(${SYN_TCP}),tcp.options.mss`, '1460'],
    [`bin(${SYN_TCP}),tcp.options.wscale`, '7'],
    [`bin(${SYN_TCP}),tcp.options.tsval`, '5'],
    [`bin(${SYN_TCP}),tcp.options_list,hex`, '0204080103'],
    [`bin(${SYN_IP}),ip.fp(1),hex`, '0050A8FAF005B44740'],
    [`str('{"a":[1,"2"]}'),json_query('$.a')`, '[1,"2"]'],
    [`str('{"a":"1"}'),json_query('$.a',int),length`, '1'],
    ['query', null],
    ['uuid(7),length', '36'],
    ['str(www.example.org),map_end_key(end.map)', '.org'],
    ['str(10.1.9.9),map_ip_key(ip.map)', '10.1.0.0/16'],
    ['str(none),map_str_key(str.map)', null],
    ['env(NAME)', 'value'],
    ['env(OTHER)', null],
  ])('%s is %s', (expression, value) => {
    expect(new World({ files: MAP_FILES }).text(expression)).toBe(value);
  });

  test('AES there and back', () => {
    const world = new World();
    const key = 'MDEyMzQ1Njc4OWFiY2RlZg==';
    expect(world.text(`str(secret),aes_cbc_enc(128,${key},${key}),aes_cbc_dec(128,${key},${key})`)).toBe('secret');
    expect(
      world.text(`str(secret),aes_gcm_enc(128,${key},${key},txn.tag),aes_gcm_dec(128,${key},${key},txn.tag)`),
    ).toBe('secret');
    expect(world.text(`str(x),aes_gcm_dec(128,${key},${key},txn.tag)`)).toBe(null);
  });
});

test('a user without a password is never let in', () => {
  const config = 'userlist u\n  user joe groups g\n  group g\nlisten l\n  bind :1\n  mode http\n';
  for (const given of ['joe:', 'joe:*', 'joe:x']) {
    const authorization = Buffer.from(given).toString('base64');
    const world = new World(
      { request: `GET / HTTP/1.1\r\nHost: a\r\nAuthorization: Basic ${authorization}\r\n\r\n` },
      config,
    );
    expect(world.text('http_auth(u)')).toBe('0');
  }
});

describe('variables', () => {
  test('keep value and type by scope and name', () => {
    const world = new World();
    world.text('int(5),set-var(txn.n)');
    world.text('str(a),set-var(sess.n)');
    expect(world.text('var(txn.n),add(1)')).toBe('6');
    expect(world.text('var(sess.n)')).toBe('a');
    expect(world.text('int(2),mul(txn.n)')).toBe('10');
    expect(world.text('var(req.n)')).toBe(null);
    world.text('str(x),unset-var(txn.n)');
    expect(world.text('var(txn.n,none)')).toBe('none');
  });

  test('are told all at once, by scope and by how their names begin', () => {
    const world = new World();
    for (const set of [
      'int(-5),set-var(txn.n)',
      `str('a "b" \\'),set-var(txn.text)`,
      'bin(0aff),set-var(req.bytes)',
      'bool(true),set-var(sess.yes)',
      'ipv4(192.0.2.1),set-var(proc.address)',
      'method,set-var(txn.verb)',
      'meth(FOO),set-var(txn.verb2)',
    ]) {
      world.text(set);
    }
    const txn = 'txn.n=-5, txn.text="a \\"b\\" \\\\", txn.verb="GET", txn.verb2="FOO"';
    expect(world.text('dump_all_vars')).toBe(`sess.yes=true, ${txn}, req.bytes=x0aff, proc.address=192.0.2.1`);
    expect(world.text('dump_all_vars(txn)')).toBe(txn);
    expect(world.text('dump_all_vars(txn,verb,|)')).toBe('txn.verb="GET"|txn.verb2="FOO"');
    expect(world.text("dump_all_vars(txn,n,', ')")).toBe('txn.n=-5');
    expect(world.text('dump_all_vars(res)')).toBe('');
  });

  // [condition, what a variable that was 1 is then, what one that was not set is then]
  test.each([
    ['ifexists', '2', null],
    ['ifnotexists', '1', '2'],
    ['ifempty', '1', null],
    ['ifnotempty', '2', '2'],
    ['ifset', '2', null],
    ['ifnotset', '1', '2'],
    ['ifgt', '1', '2'],
    ['iflt', '2', '2'],
  ])('set-var under %s', (condition, set, unset) => {
    const world = new World();
    world.text('int(1),set-var(txn.set)');
    world.text(`int(2),set-var(txn.set,${condition})`);
    world.text(`int(2),set-var(txn.unset,${condition})`);
    expect([world.text('var(txn.set)'), world.text('var(txn.unset)')]).toEqual([set, unset]);
  });

  // [limits, variables set in this order, which of them are]; 80 bytes each, and their texts
  test.each([
    ['tune.vars.txn-max-size 90', ['str(abcdefghij),set-var(txn.a)', 'int(1),set-var(txn.b)'], ['txn.a']],
    ['tune.vars.txn-max-size 89', ['str(abcdefghij),set-var(txn.a)', 'int(1),set-var(txn.b)'], ['txn.b']],
    ['tune.vars.reqres-max-size 80', ['int(1),set-var(req.a)', 'int(1),set-var(res.b)'], ['req.a']],
    [
      'tune.vars.txn-max-size 170',
      ['int(1),set-var(req.a)', 'int(1),set-var(txn.b)', 'int(1),set-var(txn.c)'],
      ['req.a', 'txn.b'],
    ],
    ['tune.vars.sess-max-size 10', ['int(1),set-var(txn.a)', 'int(1),set-var(sess.b)'], []],
    ['tune.vars.sess-max-size 100', ['int(1),set-var(sess.a)', 'int(1),set-var(txn.b)'], ['sess.a']],
    ['tune.vars.proc-max-size 100', ['int(1),set-var(proc.a)', 'int(1),set-var(proc.b)'], ['proc.a']],
    ['tune.vars.global-max-size 100', ['int(1),set-var(proc.a)', 'int(1),set-var(txn.b)'], ['proc.a']],
  ])('%s', (limits, sets, there) => {
    const world = new World({}, `global\n  ${limits}\nlisten l\n  bind :1\n  mode http\n`);
    for (const set of sets) world.text(set);
    const names = sets.map(set => /set-var\((.*)\)/.exec(set)![1]!);
    expect(names.filter(name => world.text(`var(${name})`) !== null)).toEqual(there);
  });

  test('those of the process are the same in all threads', () => {
    const buffers = createChanges(3);
    const configured = [{ name: 'c', type: 2 as const, int: 7, wide: null, bytes: new Uint8Array(0) }];
    const [a, b] = [0, 1].map(number => new ProcVars(configured, new ChangeLog(buffers, number))) as [
      ProcVars,
      ProcVars,
    ];
    const text = (s: string) => ({ type: 6 as const, int: 0, wide: null, bytes: Buffer.from(s) });
    a.set('x', text('one'));
    b.set('x', text('two'));
    a.set('wide', { type: 2, int: 2 ** 60, wide: 2n ** 60n + 1n, bytes: new Uint8Array(0) });
    b.delete('c');
    const late = new ProcVars(configured, new ChangeLog(buffers, 2));
    for (const vars of [a, b, late]) {
      expect(Buffer.from(vars.get('x')!.bytes).toString()).toBe('two');
      expect(vars.get('wide')!.wide).toBe(2n ** 60n + 1n);
      expect(vars.has('c')).toBe(false);
    }
  });

  test('names', () => {
    expect(parseVariable('txn.a.b')).toEqual({ scope: 'txn', name: 'a.b' });
    expect(parseVariable('foo.a')).toContain("invalid variable name 'foo.a'");
    expect(parseVariable('txn.a-b')).toBe("invalid syntax at char '-b'");
  });
});

describe('conditions', () => {
  const ACLS = ['acl yes always_true', 'acl no always_false', 'acl some always_false', 'acl some always_true'];

  test.each([
    ['{ always_true } { always_false }', false],
    ['{ always_false } or { always_true }', true],
    ['{ always_false } || !{ always_false }', true],
    ['!{ always_true } { always_true } or { always_true } ! { always_false }', true],
    ['{ acl(yes,!no) }', true],
    ['{ acl(yes,no) }', false],
    ['{ str(a),when(acl,yes) -m found }', true],
    ['{ str(a),when(acl,no) -m found }', false],
    ['{ acl(some) }', true],
    ['{ int(5) -m int eq -- 5 }', true],
    ['{ int(4) -m int eq -- 5 }', false],
    // Of a range an operator says nothing.
    ['{ int(3) ge 2-5 }', true],
    ['{ int(6) ge 2-5 }', false],
    ['{ int(5) gt 5- }', true],
    ['{ int(2) lt 2:5 }', true],
    ['{ int(-1) gt -1 }', false],
  ])('%s: %s', (condition, value) => {
    expect(holds(condition, {}, ACLS)).toBe(value);
  });

  test('wait for more bytes only as long as more may come', () => {
    const config = `
defaults
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen web
  bind 127.0.0.1:80
  monitor fail if { req.len gt 5 }
  monitor fail if { req.len gt 5 } || WAIT_END
  monitor fail if !{ req.payload(0,1) -m found }
  monitor fail if { req.len ge 1 }
`;
    const verdicts = (final: boolean): number[] => {
      const world = new World({ http: false, body: Uint8Array.of(1), final }, config);
      const [proxy] = world.model.proxies;
      const { acls } = proxyRules(world.env.worker, proxy!);
      return proxy!.monitorFail.map(condition => compileCondition(condition, acls)(world.ctx));
    };
    expect(verdicts(false)).toEqual([MAYBE, MAYBE, NO, YES]);
    expect(verdicts(true)).toEqual([NO, YES, NO, YES]);
  });
});
