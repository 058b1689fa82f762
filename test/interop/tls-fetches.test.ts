/** What fetches tell of TLS connections and certificates: the same clients at Debian's HAProxy and here get the same answers. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FOLDER, pemFile } from '../tls/certificates.ts';
import { haproxyVersion, type Peer, type Setup, startHaproxy, startSluice } from './peers.ts';

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

/** A client certificate with a name of many parts, signed by an intermediate authority. */
const CONFIG = `
[req]
distinguished_name = dn
prompt = no
string_mask = utf8only
utf8 = yes
[dn]
C = FR
O = "Übung, Söhne + Co"
0.OU = first
1.OU = "second; <part>"
emailAddress = a@example.org
0.1.3.6.1.4.1.99999.7 = unknown
CN = client one
[ext]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:c.example.org,IP:127.0.0.1,IP:::1,URI:http://example.org/a,email:x@y.z,RID:1.2.3.4
certificatePolicies = 0.4.0.1862.1.4,1.2.3.4.5
`;

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

function clientCertificate(ca: string): string {
  const at = (name: string) => join(FOLDER, name);
  writeFileSync(at('client.cnf'), CONFIG);
  const key = ['-newkey', 'rsa:2048', '-nodes', '-keyout', at('client.key')];
  openssl('req', '-new', ...key, '-config', at('client.cnf'), '-out', at('client.csr'));
  const sign = ['-CA', ca, '-CAkey', ca, '-set_serial', '0x00c0ffee1234567890ab', '-days', '20000', '-sha384'];
  const ext = ['-extfile', at('client.cnf'), '-extensions', 'ext'];
  openssl('x509', '-req', '-in', at('client.csr'), ...sign, ...ext, '-out', at('client.crt'));
  writeFileSync(at('client.pem'), [at('client.key'), at('client.crt'), ca].map(file => readFileSync(file)).join(''));
  return at('client.pem');
}

const DN = ['', '(CN)', '(cn)', '(OU)', '(OU,2)', '(OU,-1)', '(OU,3)', '(OU,0)', '(,0,rfc2253)', '(emailAddress)'];
const DNS = [...DN, '(1.3.6.1.4.1.99999.7)', '(L)'];
const NAMES = (prefix: string) => DNS.flatMap(args => [`${prefix}_s_dn${args}`, `${prefix}_i_dn${args}`]);
const CERTIFICATE = (prefix: string) => [
  ...['serial', 'sha1', 'der'].map(end => `${prefix}_${end},hex`),
  ...['notafter', 'notbefore', 'key_alg', 'sig_alg', 'version'].map(end => `${prefix}_${end}`),
  ...NAMES(prefix),
];
const CONNECTION = ['', '_alg_keysize', '_use_keysize', '_cipher', '_protocol', '_is_resumed', '_alpn', '_npn'];
const HELLO = [
  ...['bin(0)', 'bin(1)'].map(end => `ssl_fc_cipherlist_${end},hex`),
  ...['hex', 'hex(1)', 'str', 'str(1)', 'xxh'].map(end => `ssl_fc_cipherlist_${end}`),
  ...['extlist_bin', 'extlist_bin(1)', 'eclist_bin', 'eclist_bin(1)', 'ecformats_bin'].map(end => `ssl_fc_${end},hex`),
  'ssl_fc_protocol_hello_id',
];

const FRONT = [
  ...CONNECTION.map(end => `ssl_fc${end}`),
  ...CERTIFICATE('ssl_c'),
  ...CERTIFICATE('ssl_f'),
  ...['ssl_c_chain_der,hex', 'ssl_c_used', 'ssl_c_verify', 'ssl_c_err', 'ssl_c_ca_err', 'ssl_c_ca_err_depth'],
  ...['ssl_fc_has_crt', 'ssl_fc_has_sni', 'ssl_fc_sni', 'ssl_fc_has_early', 'ssl_fc_err', 'ssl_fc_err_str'],
  ...HELLO,
];
/** Another one for each connection: how long they are. */
const LENGTHS = ['session_id', 'session_key', 'unique_id', 'client_random', 'server_random'];
const SECRETS = [
  ...['client_handshake_traffic_secret', 'client_traffic_secret_0', 'server_handshake_traffic_secret'],
  ...['server_traffic_secret_0', 'exporter_secret', 'early_exporter_secret', 'client_early_traffic_secret'],
];
const BACK = [
  ...CONNECTION.map(end => `ssl_bc${end}`),
  ...CERTIFICATE('ssl_s'),
  'ssl_s_chain_der,hex',
  ...LENGTHS.map(end => `ssl_bc_${end},hex,length`),
];

const CIPHERS = 'ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:AES128-SHA';

/** A line per expression; `-` where it finds nothing. */
function answer(expressions: readonly string[]): string {
  const lines = expressions.map(text => `${text.replaceAll(',', ';')} = %[${text}]`);
  return `"${lines.join('\\n')}"`;
}

let haproxy: Peer;
let sluice: Peer;
let origin: tls.Server;
let client: Buffer;

/** What Debian's version does not have. */
const NEWER = ['ssl_c_san', 'ssl_c_policies', 'ssl_c_policies(1.2.3.4.5)', 'ssl_c_policies(1.2)', 'ssl_c_r_dn'];

beforeAll(async () => {
  if (version === null) return;
  const ca = pemFile({ name: 'TestCA', ca: true });
  const site = pemFile({ name: 'site.example.org', names: ['site.example.org', '*.example.com'], issuer: ca });
  const pair = readFileSync(pemFile({ name: 'origin', key: 'rsa', issuer: ca }));
  client = readFileSync(clientCertificate(ca));
  origin = tls.createServer({ key: pair, cert: pair }, socket => {
    socket.on('error', () => {});
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n'));
  });
  await new Promise<void>(done => origin.listen(0, '127.0.0.1', done));
  const { port } = origin.address() as AddressInfo;
  const front = (rules: string[], bind = '') => ({ bind: `ssl crt ${site} ${bind}`, lines: rules });
  const tell = (expressions: readonly string[]) => [
    `http-request return status 200 content-type text/plain lf-string ${answer(expressions)}`,
  ];
  const verify = `ca-file ${ca} verify optional crt-ignore-err all ca-ignore-err all`;
  const lengths = LENGTHS.flatMap(end => [`ssl_fc_${end},hex,length`, `ssl_fc_${end},hex`]);
  const setup: Setup = {
    global: [
      ...['tune.ssl.keylog on', 'tune.ssl.capture-buffer-size 96', 'tune.ssl.default-dh-param 2048'],
      `ssl-default-bind-ciphers ${CIPHERS}`,
      'ssl-default-bind-ciphersuites TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256',
      `ssl-default-server-ciphers ECDHE-RSA-AES256-GCM-SHA384`,
    ],
    defaults: ['mode http', 'timeout client 5s', 'timeout server 5s', 'timeout connect 2s'],
    sections: [
      { name: 'plain', ...front(tell(FRONT), 'alpn http/1.1') },
      { name: 'client', ...front(tell(FRONT), verify) },
      { name: 'secrets', ...front(tell([...lengths, ...SECRETS.map(end => `ssl_fc_${end}`)])) },
      {
        name: 'back',
        bind: '',
        lines: [
          ...BACK.map((text, i) => `http-response set-header x-${i} '%[${text}]'`),
          `server s 127.0.0.1:${port} ssl verify none sni str(x.example.org) force-tlsv12`,
        ],
      },
    ],
  };
  const newer = [...NEWER, 'ssl_c_r_dn(CN)', 'ssl_fc_curve', 'ssl_fc_crtname', 'ssl_fc_supported_versions_bin,hex'];
  const ours = [...setup.sections, { name: 'newer', ...front(tell(newer), verify) }];
  [haproxy, sluice] = await Promise.all([startHaproxy(setup), startSluice({ ...setup, sections: ours })]);
});

afterAll(async () => {
  origin?.close();
  await Promise.all([haproxy?.stop(), sluice?.stop()]);
});

interface Got {
  readonly lines: Record<string, string>;
  /** The client's own Finished message. */
  readonly finished: Buffer | undefined;
  readonly keylog: string;
}

/** The answer to a request over TLS, line by line. */
function get(port: number, options: tls.ConnectionOptions): Promise<Got> {
  return new Promise((resolve, reject) => {
    const socket = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options });
    let text = '';
    let keylog = '';
    let finished: Buffer | undefined;
    socket.on('keylog', line => (keylog += line));
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      finished = socket.getFinished();
      socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    });
    socket.on('data', data => (text += data.toString('latin1')));
    socket.on('end', () => resolve({ lines: parsed(text.slice(text.indexOf('\r\n\r\n') + 4)), finished, keylog }));
  });
}

function parsed(body: string): Record<string, string> {
  return Object.fromEntries(body.split('\n').map(line => [line.split(' = ')[0], line.slice(line.indexOf(' = ') + 3)]));
}

const CLIENTS: Readonly<Record<string, tls.ConnectionOptions>> = {
  'TLS 1.2': { maxVersion: 'TLSv1.2', ciphers: CIPHERS },
  'TLS 1.3': { minVersion: 'TLSv1.3', ciphers: 'TLS_AES_256_GCM_SHA384' },
  'a name and ALPN': { servername: 'A.example.com', ALPNProtocols: ['h3', 'http/1.1'], ecdhCurve: 'P-256' },
};

describe.skipIf(version === null)('as in HAProxy', () => {
  for (const [name, options] of Object.entries(CLIENTS)) {
    test(`a client with ${name}`, async () => {
      const [theirs, ours] = await Promise.all([haproxy, sluice].map(peer => get(peer.port('plain'), options)));
      expect(ours!.lines).toEqual(theirs!.lines);
    });

    test(`a client with ${name} and a certificate`, async () => {
      const own = { ...options, cert: client, key: client };
      const [theirs, ours] = await Promise.all([haproxy, sluice].map(peer => get(peer.port('client'), own)));
      expect(theirs!.lines.ssl_c_used).toBe('1');
      expect(ours!.lines).toEqual(theirs!.lines);
    });
  }

  test('what newer versions tell', async () => {
    const options = { cert: client, key: client, ecdhCurve: 'P-256', minVersion: 'TLSv1.3' } as const;
    const { lines } = await get(sluice.port('newer'), options);
    expect(lines.ssl_c_san).toBe(
      'DNS:c.example.org, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1, URI:http://example.org/a, email:x@y.z, ' +
        'Registered ID:1.2.3.4',
    );
    expect(lines.ssl_c_policies).toBe('0.4.0.1862.1.4,1.2.3.4.5');
    expect(lines['ssl_c_policies(1.2.3.4.5)']).toBe('1.2.3.4.5');
    expect(lines['ssl_c_policies(1.2)']).toBe('');
    expect(lines.ssl_c_r_dn).toBe('/CN=TestCA');
    expect(lines['ssl_c_r_dn(CN)']).toBe('TestCA');
    expect(lines.ssl_fc_curve).toBe('secp256r1');
    expect(lines.ssl_fc_crtname).toMatch(/site\.example\.org-ec\.pem$/);
    expect(lines['ssl_fc_supported_versions_bin;hex']).toBe('0304');
  });

  test('what a server has shown', async () => {
    const [theirs, ours] = await Promise.all(
      [haproxy, sluice].map(async peer => {
        const { headers } = await fetch(`http://127.0.0.1:${peer.port('back')}/`);
        return Object.fromEntries(BACK.map((text, i) => [text, headers.get(`x-${i}`)]));
      }),
    );
    expect(ours).toEqual(theirs);
  });

  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    test(`secrets of ${version} are those of the client`, async () => {
      const options = { minVersion: version, maxVersion: version };
      const [theirs, ours] = await Promise.all([haproxy, sluice].map(peer => get(peer.port('secrets'), options)));
      for (const end of LENGTHS) {
        const name = `ssl_fc_${end};hex;length`;
        expect([name, ours!.lines[name]]).toEqual([name, theirs!.lines[name]]);
      }
      for (const { lines, keylog, finished } of [theirs!, ours!]) {
        const known = Object.fromEntries(keylog.split('\n').map(line => [line.split(' ')[0], line.split(' ')[2]]));
        for (const end of SECRETS) expect(lines[`ssl_fc_${end}`] ?? '').toBe(known[end.toUpperCase()] ?? '');
        const random = keylog.split(' ')[1]!.toUpperCase();
        expect(lines['ssl_fc_client_random;hex']).toBe(random);
        if (version !== 'TLSv1.2') continue;
        expect(lines['ssl_fc_session_key;hex']).toBe(known.CLIENT_RANDOM!.toUpperCase());
        expect(lines['ssl_fc_unique_id;hex']).toBe(finished!.toString('hex').toUpperCase());
      }
    });
  }
});
