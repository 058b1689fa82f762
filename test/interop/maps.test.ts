/** Maps, ACLs and variables at run time: the same commands and requests to HAProxy and to Sluice give the same answers. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { folder, freePort, start } from '../workers/sluice.ts';
import { ask as command } from './cli-client.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('maps.test: skipped, no haproxy in PATH to compare with');

const FILES = {
  'h.map': '# hosts\na.com be1\nb.com  be2 with spaces \n\na.com be3\n',
  'n.map': '10.0.0.0/8 x\n10.1.0.0/16 y\n',
  'i.map': 'x 1\ny 2\n',
  'p.acl': '/a\n/b c\n',
  'q.acl': '/q\n',
};

const config = (socket: string, port: number) => `global
  stats socket ${socket} level admin
  set-var proc.foo str(bar)
  set-var proc.n int(5),add(2)
  set-var-fmt proc.f "%[int(3)]-x"
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${port}
  acl pa path -f p.acl
  acl pa path /zz /yy
  acl pb path_beg -i -f p.acl
  acl pm hdr(host) -M -f h.map
  acl ipx src 10.0.0.0/8 192.168.1.1
  acl ids src -u 77 1.2.3.4
  acl bare always_true
  acl num req.hdr_val(x-n) gt 5
  acl num2 req.hdr_val(x-n) ge 5 le 9 3
  acl fnd hdr(x) -m found
  acl re path -m reg -i ^/a /b
  acl bi path -m bin 4142
  acl le path -m len 3 4:5
  acl two path -f p.acl -f q.acl /x
  http-request set-map(h.map) %[path] %[hdr(host)] if { path_beg /set }
  http-request del-map(h.map) %[path,regsub(/del,/set)] if { path_beg /del }
  http-request add-acl(p.acl) %[path] if { path_beg /add }
  http-request del-acl(p.acl) %[path,regsub(/rem,/add)] if { path_beg /rem }
  http-request set-map(n.map) %[path] y if { path /bad }
  http-request set-map(none.map) %[path] y if { path /none }
  http-request set-var(proc.last) path
  http-request set-header m %[src,map_ip(n.map,def)]
  http-request set-header i %[hdr(host),map_str_int(i.map,5)]
  http-request return status 200 content-type text/plain lf-string "%[hdr(host),map(h.map,def)] %[path,map(h.map,none)] %[hdr(host),map_beg(h.map,def)] %[var(proc.foo)] %[var(proc.n)] %[var(proc.f)] %[var(proc.z)]" if pa or pb or pm or ipx or ids or num or num2 or re or bi or le or two
  http-request return status 200 content-type text/plain string "no" if !fnd || bare
`;

/** Commands of the runtime API, and paths that are asked for; in this order. */
const STEPS = `
show map
show acl
show map h.map
show map #0
show map foo
show acl p.acl
show acl #0
show acl h.map
show acl #2
show acl #77
show acl 77
show acl @1
get map h.map a.com
get map h.map b.comx
get map h.map
get map
get map foo x
get acl p.acl /a
get acl p.acl /az
get acl p.acl zz
get map n.map 10.1.2.3
get map n.map xyz
get map i.map x
get acl h.map a.com
get acl #77 1.2.3.4
/b c
/hello
add map h.map k
add map h.map k v
add map h.map k v w
add map h.map
add map
add map foo k v
add map n.map zz v
add acl p.acl
add acl p.acl /new
/new
add acl h.map foo
add acl foo x
add acl p.acl a b
set map h.map k
set map h.map
set map
set map h.map nokey v
set map h.map a.com v9
show map h.map
set map h.map #0x1 v
set map h.map #zz v
set map foo a b
set map @1 h.map a b
del map h.map
del map h.map nokey
del map h.map k
del map foo k
del acl p.acl /new
/new
del acl p.acl
del acl p.acl nn
del acl foo x
del map h.map #0x1
del map h.map #zz
show map h.map
/set1
/set1
/set2
show map h.map
/del1
/set2/
show map h.map
/add1
/add1
show acl p.acl
/rem1
show acl p.acl
/bad
show map n.map
/none
prepare map h.map
prepare acl p.acl
prepare acl h.map
prepare map
prepare acl
prepare map foo
prepare acl foo
add map @1 h.map v1 x
add map @9 h.map v1 x
show map @1 h.map
show map h.map
show map @9 h.map
show map @x h.map
clear map @9 h.map
clear map @1 h.map
show map @1 h.map
add map @1 h.map v1 x
commit map h.map
commit map
commit map @1
commit map @7 h.map
commit map @x h.map
commit map @1 foo
commit map @1 h.map
commit map @1 h.map
show map h.map
commit map @2 h.map
show map h.map
add acl @1 p.acl /hhh
/hhh
commit acl @1 p.acl
/hhh
/a
show acl p.acl
commit acl @1 p.acl
commit acl
clear acl
clear map
clear acl foo
clear map foo
clear acl p.acl
show acl p.acl
/hhh
add acl #1 /in
/in
show acl #1
clear map h.map
show map h.map
get acl
get acl foo x
get var
get var proc.foo
get var proc.n
get var proc.f
get var proc.last
get var proc.none
get var txn.x
get var foo
set var proc.x int(5)
experimental-mode on;set var proc.x int(5)
experimental-mode on;set var proc.x str(5)
experimental-mode on;set var proc.y expr str(5)
experimental-mode on;set var proc.z fmt %[var(proc.x)]-a
/a
experimental-mode on;set var proc.z fmt
experimental-mode on;set var proc.l fmt %H|%Tw|%ST|%s|%ts|%{+X}lc|%{+Q}H
get var proc.l
experimental-mode on;set var proc.l fmt %HM
experimental-mode on;set var txn.z int(4)
experimental-mode on;set var proc.q foo
experimental-mode on;set var proc.q
experimental-mode on;set var
experimental-mode on;set var proc.x int(7) junk
get var proc.z
get var proc.x
user;add map h.map u v;show map h.map;clear map h.map;add acl p.acl z;get var proc.x
`
  .split('\n')
  .filter(line => line !== '');

/** What cannot be the same: addresses of entries, the name of the configuration, what is HAProxy's own. */
function plain(answer: string): string {
  const own = answer.replace(/0x[0-9a-f]+/g, '0x').replace(/file '\S*\.cfg'/g, "file 'cfg'");
  const lines = own.split('\n').filter(line => !line.includes("file 'httpclient'"));
  return `${lines.join('\n').trimEnd()}\n`;
}

function get(port: number, uri: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path: uri.replaceAll(' ', '%20'), headers: { host: 'a.com' } });
    request.on('error', reject);
    request.on('response', response => {
      let text = '';
      response.setEncoding('latin1');
      response.on('data', piece => {
        text += piece;
      });
      response.on('end', () => resolve(text));
    });
  });
}

/** All answers, in the order of the steps. */
async function answers(socket: string, port: number): Promise<string[]> {
  const all: string[] = [];
  for (const step of STEPS) {
    if (!step.startsWith('/')) all.push(plain(await command(socket, step)));
    else all.push(await get(port, step));
  }
  return all;
}

test.skipIf(version === null)('every answer is HAProxy’s', { timeout: 60_000 }, async () => {
  const dir = folder();
  for (const [name, text] of Object.entries(FILES)) fs.writeFileSync(path.join(dir, name), text);
  const run = async (name: string, begin: (file: string) => void): Promise<string[]> => {
    const port = await freePort();
    const file = path.join(dir, `${name}.cfg`);
    const socket = path.join(dir, name);
    fs.writeFileSync(
      file,
      config(socket, port).replaceAll(/\b[hnipq]\.(map|acl)\b/g, found => path.join(dir, found)),
    );
    begin(file);
    return (await answers(socket, port)).map(text => text.replaceAll(`${dir}/`, ''));
  };
  for (let i = 0; i < STEPS.length; i++) {
    if (!STEPS[i]!.startsWith('/'))
      STEPS[i] = STEPS[i]!.replace(/\b[hnipq]\.(map|acl)\b/, found => path.join(dir, found));
  }
  const ours = await run('sluice', file => void start(['-f', file]));
  const theirs = await run('haproxy', file => {
    const haproxy: ChildProcess = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    onTestFinished(() => void haproxy.kill('SIGKILL'));
  });
  const differ = STEPS.map((step, i) => ({ step, haproxy: theirs[i], sluice: ours[i] }));
  expect(differ.filter(({ haproxy, sluice }) => haproxy !== sluice)).toEqual([]);
});
