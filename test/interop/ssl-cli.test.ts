/** The commands of certificates to HAProxy's runtime API and to Sluice's: the answers must be the same. */
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { config, folder, start } from '../workers/sluice.ts';
import { ask } from './cli-client.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('ssl-cli.test: skipped, no haproxy in PATH to compare with');

const CA_CONFIG = `[ca]
default_ca = d
[d]
database = index
crlnumber = number
default_md = sha256
default_crl_days = 30
`;

/** Files of one authority: a certificate that it has signed, its own, and a list where one is revoked. */
function files(dir: string): void {
  const at = (name: string) => path.join(dir, name);
  fs.mkdirSync(at('folder'));
  const ca = pemFile({ name: 'CA', ca: true });
  fs.copyFileSync(pemFile({ name: 'a.org', names: ['a.org', '*.a.org'], issuer: ca }), at('a.pem'));
  fs.copyFileSync(pemFile({ name: 'b.org', names: ['b.org'], key: 'rsa' }), at('b.pem'));
  const own = fs.readFileSync(ca, 'utf8');
  fs.writeFileSync(at('ca.crt'), own.slice(0, own.indexOf('-----BEGIN PRIVATE')));
  fs.writeFileSync(at('chained.pem'), fs.readFileSync(at('a.pem'), 'utf8') + fs.readFileSync(at('ca.crt'), 'utf8'));
  fs.writeFileSync(at('b.key'), fs.readFileSync(at('b.pem'), 'utf8').replace(/^.*?(?=-----BEGIN PRIVATE)/s, ''));
  fs.writeFileSync(at('b.crt'), fs.readFileSync(at('b.pem'), 'utf8').replace(/-----BEGIN PRIVATE.*/s, ''));
  fs.writeFileSync(at('cnf'), CA_CONFIG);
  fs.writeFileSync(at('index'), 'R\t300101000000Z\t260101000000Z\t1008\tunknown\t/CN=gone\n');
  fs.writeFileSync(at('number'), '01\n');
  fs.writeFileSync(at('sctl.b64'), Buffer.of(0, 5, 0, 3, 1, 2, 3).toString('base64'));
  const crl = ['ca', '-config', 'cnf', '-gencrl', '-keyfile', ca, '-cert', ca, '-out', 'crl.pem'];
  execFileSync('openssl', crl, { cwd: dir, stdio: 'pipe' });
  // Answers of the authority: for a.pem, for b.pem, which it has not signed, and for both at once.
  fs.copyFileSync(at('ca.crt'), at('a.pem.issuer'));
  const serial = execFileSync('openssl', ['x509', '-in', at('a.pem'), '-noout', '-serial'], { encoding: 'utf8' });
  const number = serial.trim().slice('serial='.length);
  fs.writeFileSync(at('good'), `V\t350101000000Z\t\t${number}\tunknown\t/CN=a.org\n`);
  const ocsp = (name: string, ...more: string[]) => {
    const own = [
      'ocsp',
      '-index',
      'good',
      '-rsigner',
      ca,
      '-CA',
      ca,
      '-issuer',
      'ca.crt',
      '-noverify',
      '-cert',
      'a.pem',
    ];
    execFileSync('openssl', [...own, '-respout', name, ...more], { cwd: dir, stdio: 'pipe' });
    fs.writeFileSync(at(`${name}.b64`), fs.readFileSync(at(name)).toString('base64'));
  };
  ocsp('a.pem.ocsp', '-ndays', '7');
  ocsp('again', '-ndays', '9');
  ocsp('both', '-ndays', '7', '-serial', '0x77');
  ocsp('endless');
  fs.writeFileSync(at('keys'), [1, 2, 3].map(n => `${Buffer.alloc(48, n).toString('base64')}\n`).join(''));
  fs.writeFileSync(at('list'), 'a.pem [verify none ssl-min-ver TLSv1.2] a.org !x.a.org\nb.pem *.b.org\n');
}

const KEY = Buffer.alloc(48, 9).toString('base64');

/** In this order. `D/` is the folder; `<< file` a payload. */
const COMMANDS = [
  ...['show ssl ocsp-response', 'show ssl ocsp-response nope', 'show ssl cert D/a.pem.ocsp', 'show tls-keys'],
  ...[
    'set ssl ocsp-response',
    'set ssl ocsp-response x',
    'set ssl ocsp-response aGVsbG8=',
    'set ssl ocsp-response << both.b64',
  ],
  ...['set ssl ocsp-response << endless.b64', 'set ssl ocsp-response << again.b64', 'show ssl cert D/a.pem.ocsp'],
  ...['show tls-keys *', 'show tls-keys #0', 'show tls-keys D/keys', 'show tls-keys nope', 'show tls-keys #7'],
  ...[
    'set ssl tls-key',
    'set ssl tls-key #0',
    'set ssl tls-key nope x',
    'set ssl tls-key #0 x',
    'set ssl tls-key #0 aGVsbG8=',
  ],
  ...[`set ssl tls-key #0 ${KEY}`, `set ssl tls-key D/keys ${KEY}`, 'show tls-keys *'],
  ...['show ssl cert', 'show ssl cert D/a.pem', 'show ssl cert nope', 'show ssl cert *nope'],
  ...[
    'show ssl ca-file D/ca.crt',
    'show ssl ca-file D/ca.crt:1',
    'show ssl ca-file nope',
    'show ssl ca-file D/ca.crt:2',
  ],
  ...['show ssl crl-file', 'show ssl crl-file D/crl.pem', 'show ssl crl-file nope', 'show ssl crl-file D/crl.pem:2'],
  ...['show ssl crt-list', 'show ssl crt-list D/list', 'show ssl crt-list -n D/list', 'show ssl crt-list nope'],
  ...['show ssl crt-list -n', 'show ssl providers', 'set ssl cert', 'set ssl cert x', 'set ssl cert nope << a.pem'],
  ...['set ssl cert D/a.pem << b.crt', 'show ssl cert', 'commit ssl cert', 'commit ssl cert nope'],
  ...['commit ssl cert D/a.pem', 'commit ssl cert D/b.pem', 'set ssl cert D/a.pem << chained.pem'],
  ...['show ssl cert *D/a.pem', 'commit ssl cert D/a.pem', 'show ssl cert D/a.pem', 'abort ssl cert'],
  ...['abort ssl cert nope', 'set ssl cert D/a.pem << a.pem', 'abort ssl cert D/b.pem', 'abort ssl cert D/a.pem'],
  ...['set ssl cert D/a.pem.sctl << sctl.b64', 'abort ssl cert D/a.pem'],
  ...['show ssl cert D/a.pem', 'commit ssl cert D/a.pem'],
  ...['new ssl cert', 'new ssl cert D/a.pem', 'new ssl cert D/n.pem', 'new ssl cert D/n.pem', 'show ssl cert'],
  ...['show ssl cert D/n.pem', 'commit ssl cert D/n.pem', 'add ssl crt-list D/list D/n.pem'],
  ...['set ssl cert D/n.pem << b.crt', 'commit ssl cert D/n.pem', 'set ssl cert D/n.pem.key << b.key'],
  ...['commit ssl cert D/n.pem', 'show ssl cert D/n.pem', 'add ssl crt-list', 'add ssl crt-list x'],
  ...['add ssl crt-list nope n.pem', 'add ssl crt-list D/list nope.pem', 'add ssl crt-list D/list n.pem'],
  'add ssl crt-list D/list <<\nn.pem [verify none ssl-min-ver TLSv1.2] n.org !m.org\n',
  ...['show ssl crt-list -n D/list', 'show ssl crt-list D/list', 'show ssl cert D/n.pem', 'del ssl cert D/n.pem'],
  ...['set ssl cert D/n.pem << a.pem', 'commit ssl cert D/n.pem', 'del ssl cert', 'del ssl cert nope'],
  ...['del ssl crt-list', 'del ssl crt-list x', 'del ssl crt-list nope n.pem', 'del ssl crt-list D/list nope'],
  ...['del ssl crt-list D/list D/n.pem', 'del ssl crt-list D/list D/n.pem:9', 'del ssl crt-list D/list D/n.pem:3'],
  ...['del ssl crt-list D/list D/n.pem', 'show ssl crt-list -n D/list', 'del ssl crt-list D/list D/a.pem'],
  ...['del ssl cert D/n.pem', 'del ssl cert D/a.pem', 'show ssl cert'],
  ...['new ssl cert D/folder/n.pem', 'set ssl cert D/folder/n.pem << a.pem', 'commit ssl cert D/folder/n.pem'],
  ...['add ssl crt-list D/folder D/a.pem', 'add ssl crt-list D/folder D/folder/n.pem', 'show ssl crt-list -n D/folder'],
  ...['add ssl crt-list D/folder D/folder/n.pem', 'del ssl crt-list D/folder D/folder/n.pem'],
  ...['new ssl ca-file', 'new ssl ca-file n.ca', 'new ssl ca-file n.ca', 'new ssl ca-file D/ca.crt', 'set ssl ca-file'],
  ...['set ssl ca-file x', 'set ssl ca-file nope << ca.crt', 'set ssl ca-file n.ca << ca.crt'],
  ...['show ssl ca-file *n.ca', 'commit ssl ca-file', 'commit ssl ca-file nope', 'commit ssl ca-file n.ca'],
  ...['show ssl ca-file n.ca', 'abort ssl ca-file', 'abort ssl ca-file n.ca', 'set ssl ca-file D/ca.crt << ca.crt'],
  ...['abort ssl ca-file nope', 'commit ssl ca-file D/ca.crt', 'del ssl ca-file', 'del ssl ca-file nope'],
  ...['del ssl ca-file D/ca.crt', 'del ssl ca-file n.ca', 'new ssl crl-file', 'new ssl crl-file n.crl'],
  ...['new ssl crl-file n.crl', 'new ssl crl-file D/crl.pem', 'set ssl crl-file', 'show ssl crl-file'],
  ...['set ssl crl-file nope << crl.pem', 'set ssl crl-file n.crl << crl.pem', 'commit ssl crl-file nope'],
  ...['commit ssl crl-file n.crl', 'show ssl crl-file n.crl', 'abort ssl crl-file n.crl', 'del ssl crl-file'],
  ...['del ssl crl-file nope', 'del ssl crl-file D/crl.pem', 'del ssl crl-file n.crl', 'show ssl crl-file'],
];

test.skipIf(version === null)('answers are the same', { timeout: 60_000 }, async () => {
  const dir = folder();
  files(dir);
  const text = (who: string) => `global
  stats socket ${dir}/${who} mode 600 level admin
  ca-base ${dir}
  crt-base ${dir}
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind unix@${dir}/${who}.f ssl crt a.pem ca-file ca.crt crl-file crl.pem verify optional tls-ticket-keys ${dir}/keys
  bind unix@${dir}/${who}.g ssl crt-list ${dir}/list
  bind unix@${dir}/${who}.h ssl crt ${dir}/folder strict-sni
  http-request return status 200
`;
  const own = path.join(dir, 'h.cfg');
  fs.writeFileSync(own, text('h'));
  const haproxy = spawn('haproxy', ['-f', own, '-db', '-q'], { stdio: 'ignore', cwd: dir });
  onTestFinished(() => void haproxy.kill('SIGKILL'));
  start(['-f', config(text('s'), dir)]);

  const lineOf = (command: string): string => {
    const [words, file] = command.replaceAll('D/', `${dir}/`).split(' << ');
    return file === undefined ? words! : `${words} <<\n${fs.readFileSync(path.join(dir, file), 'utf8')}`;
  };
  for (const command of COMMANDS) {
    const line = lineOf(command);
    const answers = await Promise.all(['s', 'h'].map(who => ask(`${dir}/${who}`, line)));
    const [ours, theirs] = answers.map(answer =>
      answer
        .replaceAll('sluice.cfg', 'h.cfg')
        .replace(/(- )\S*\/h.cfg/, '$1h.cfg')
        .replace(/^Certificate path : .*\n/m, ''),
    );
    expect(`${command}\n${ours}`).toBe(`${command}\n${theirs!.replace(`${dir}/h.cfg`, 'h.cfg')}`);
  }
});
