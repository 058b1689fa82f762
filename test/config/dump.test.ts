import { expect, test } from 'vitest';
import { hashed, hashedAddress } from '../../engine/config/anonymous.ts';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { dumpConfiguration } from '../../engine/config/dump.ts';
import { lex } from '../../engine/config/lexer.ts';

const CONFIG = `# a comment
global
  maxconn 100      # another
  stats socket /run/s.sock mode 600
  log 10.0.0.1:514 local0
  user joe
defaults
  timeout client 5s
  no option httpclose
frontend "web"
  bind :80,10.1.2.3:443 ssl crt /etc/secret.pem
  acl is_x path -m beg /x
  http-request set-header X-Y "a b" if is_x
  use_backend app if is_x
  default_backend app
backend app
  server s1 10.0.0.2:80 check weight 3
`;

const lines = (text: string) => lex('f', text, {}, new Diagnostics());

test('as it was read: no comments, one indent', () => {
  expect(dumpConfiguration(lines(CONFIG), 0)).toBe(`global
\tmaxconn 100
\tstats socket /run/s.sock mode 600
\tlog 10.0.0.1:514 local0
\tuser joe
defaults
\ttimeout client 5s
\tno option httpclose
frontend web
\tbind :80,10.1.2.3:443 ssl crt /etc/secret.pem
\tacl is_x path -m beg /x
\thttp-request set-header X-Y "a b" if is_x
\tuse_backend app if is_x
\tdefault_backend app
backend app
\tserver s1 10.0.0.2:80 check weight 3
`);
});

test('a dump can be read again, and is the same then', () => {
  const odd = 'global\n\tdescription "a # b" \'c\\d\' e\\ f $x "" "\\""\n';
  const once = dumpConfiguration(lines(odd), 0);
  expect(dumpConfiguration(lines(once), 0)).toBe(once);
  expect(lines(once)[1]!.words.map(w => w.text)).toEqual(lines(odd)[1]!.words.map(w => w.text));
});

test('with a key: names and addresses are hashes, the rest is cut', () => {
  const h = (text: string) => hashed(text, 7);
  expect(dumpConfiguration(lines(CONFIG), 7)).toBe(`global
\tmaxconn 100
\tstats socket PATH(${h('/run/s.sock')}) [...]
\tlog IPV4(${h('10.0.0.1')}):514 [...]
\tuser ${h('joe')}
defaults
\ttimeout client 5s
\tno option httpclose
frontend ${h('web')}
\tbind :80,IPV4(${h('10.1.2.3')}):443 [...]
\tacl ${h('is_x')} path [...]
\thttp-request [...]
\tuse_backend ${h('app')} if [...]
\tdefault_backend ${h('app')}
backend ${h('app')}
\tserver ${h('s1')} IPV4(${h('10.0.0.2')}):80 [...]
`);
});

test('hashes: 24 bits, of the key and the name', () => {
  expect(hashed('web', 7)).toMatch(/^[0-9a-f]{6}$/);
  expect(hashed('web', 7)).toBe(hashed('web', 7));
  expect(hashed('web', 7)).not.toBe(hashed('web', 8));
  expect(hashed('', 7)).toBe('');
  expect(hashed('web', 0)).toBe('web');
});

test('addresses', () => {
  const h = (text: string) => hashed(text, 1);
  expect(hashedAddress('unix@/run/x', 1)).toBe(`unix@PATH(${h('/run/x')})`);
  expect(hashedAddress('ipv4@h.example:1-9', 1)).toBe(`ipv4@HOST(${h('h.example')}):1-9`);
  expect(hashedAddress('[2001:db8::1]:80', 1)).toBe(`IPV6(${h('[2001:db8::1]')}):80`);
  expect(hashedAddress('127.0.0.1:80,*:90,fd@3', 1)).toBe('127.0.0.1:80,*:90,fd@3');
  expect(hashedAddress('10.0.0.1', 0)).toBe('10.0.0.1');
});
