/** What HAProxy and we tell a server in a PROXY header of version 2, byte by byte; and what we read from one. */
import { readFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import tls from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { haproxyVersion, type Peer, type Setup, startHaproxy, startSluice } from './peers.ts';

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

const OPTIONS: Readonly<Record<string, string>> = {
  plain: 'send-proxy-v2',
  ssl: 'send-proxy-v2-ssl',
  cn: 'send-proxy-v2-ssl-cn',
  all: 'send-proxy-v2 proxy-v2-options ssl,cert-cn,ssl-cipher,cert-sig,cert-key,authority,crc32c,unique-id',
  authority: 'send-proxy-v2 proxy-v2-options authority,crc32c',
};

let haproxy: Peer;
let sluice: Peer;
let origin: net.Server;
let client: Buffer;
/** Headers as the origin got them, in hexadecimal. */
let heard: string[] = [];

beforeAll(async () => {
  if (version === null) return;
  const ca = pemFile({ name: 'TestCA', ca: true });
  const site = pemFile({ name: 'site.example.org', names: ['site.example.org'], key: 'rsa', issuer: ca });
  client = readFileSync(pemFile({ name: 'client.one', issuer: ca }));
  origin = net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', (data: Buffer) => {
      heard.push(data.subarray(0, 16 + data.readUInt16BE(14)).toString('hex'));
      socket.end('HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
  });
  await new Promise<void>(done => origin.listen(0, '127.0.0.1', done));
  const { port } = origin.address() as AddressInfo;
  const ciphers = 'ssl-default-bind-ciphersuites TLS_AES_128_GCM_SHA256';
  const bind = `ssl crt ${site} alpn http/1.1 ca-file ${ca} verify optional`;
  const id = 'unique-id-format same-%[src]';
  const sections = Object.entries(OPTIONS).flatMap(([name, options]) => [
    { name, bind, lines: [id, `server s 127.0.0.1:${port} ${options}`] },
    { name: `${name}-clear`, bind: '', lines: [id, `server s 127.0.0.1:${port} ${options}`] },
  ]);
  const tell = '%[fc_pp_authority]|%[fc_pp_unique_id]|%[src]|%[fc_rcvd_proxy]';
  const more = '|%[fc_pp_tlv(0x22)]|%[fc_pp_tlv(SSL_VERSION)]|%[fc_pp_tlv(0xea)]';
  const returns = (text: string) => [`http-request return status 200 content-type text/plain lf-string "${text}"`];
  const setup: Setup = {
    global: [ciphers],
    defaults: ['mode http', 'timeout client 5s', 'timeout server 5s', 'timeout connect 2s'],
    sections: [...sections, { name: 'reads', bind: 'accept-proxy', lines: returns(tell) }],
  };
  const fields = `server s 127.0.0.1:${port} send-proxy-v2 set-proxy-v2-tlv-fmt(0xea) %[src]-%[int(7)] set-proxy-v2-tlv-fmt(0xeb) text`;
  const own = [
    ...setup.sections,
    { name: 'more', bind: 'accept-proxy', lines: returns(tell + more) },
    { name: 'own', bind: '', lines: [id, fields] },
  ];
  [haproxy, sluice] = await Promise.all([startHaproxy(setup), startSluice({ ...setup, sections: own })]);
});

afterAll(async () => {
  origin?.close();
  await Promise.all([haproxy?.stop(), sluice?.stop()]);
});

/** Sends `bytes`, and gives the answer. */
function exchange(socket: net.Socket, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.on('error', reject);
    socket.on('data', data => (text += data));
    socket.on('close', () => resolve(text));
    socket.write(bytes);
  });
}

const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');

/** The header that a server got, without ports and checksum, and whether that was right. */
async function header(peer: Peer, section: string, options: tls.ConnectionOptions | null): Promise<string> {
  heard = [];
  const to = { port: peer.port(section), host: '127.0.0.1' };
  const socket = options === null ? net.connect(to) : tls.connect({ ...to, rejectUnauthorized: false, ...options });
  await exchange(socket, REQUEST);
  const bytes = Buffer.from(heard[0]!, 'hex');
  bytes.fill(0, 24, 28);
  if (bytes[28] === 3) bytes.fill(0, 31, 35);
  return bytes.toString('latin1');
}

const CLIENTS = (): Readonly<Record<string, tls.ConnectionOptions | null>> => ({
  'nothing to tell': {},
  'a name and ALPN': { servername: 'A.example.org', ALPNProtocols: ['http/1.1'] },
  'a certificate': { cert: client, key: client, maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' },
});

describe.skipIf(version === null)('as in HAProxy', () => {
  for (const section of Object.keys(OPTIONS)) {
    for (const name of ['nothing to tell', 'a name and ALPN', 'a certificate']) {
      test(`${section}: a client with ${name}`, async () => {
        const theirs = await header(haproxy, section, CLIENTS()[name]!);
        expect(await header(sluice, section, CLIENTS()[name]!)).toBe(theirs);
      });
    }

    test(`${section}: a client without TLS`, async () => {
      const theirs = await header(haproxy, `${section}-clear`, null);
      expect(await header(sluice, `${section}-clear`, null)).toBe(theirs);
    });
  }

  test('fields that the line sets itself: in no HAProxy as old as this one', async () => {
    const end = Buffer.from(await header(sluice, 'own', null), 'latin1').subarray(28);
    const fields = [
      [0xea, '127.0.0.1-7'],
      [0xeb, 'text'],
    ] as const;
    const bytes = fields.map(([type, text]) => Buffer.concat([Uint8Array.of(type, 0, text.length), Buffer.from(text)]));
    expect(end).toEqual(Buffer.concat(bytes));
  });

  test('the checksum is right: we take our own header, and refuse a changed one', async () => {
    heard = [];
    const to = { port: sluice.port('all'), host: '127.0.0.1', rejectUnauthorized: false, servername: 'b.example.org' };
    await exchange(tls.connect(to), REQUEST);
    const own = Buffer.from(heard[0]!, 'hex');
    for (const peer of [haproxy, sluice]) {
      const answer = await exchange(net.connect(peer.port('reads'), '127.0.0.1'), Buffer.concat([own, REQUEST]));
      expect(answer.split('\r\n\r\n')[1]).toBe('b.example.org|same-127.0.0.1|127.0.0.1|1');
      const changed = Buffer.from(own);
      changed[20] = changed[20]! ^ 1;
      const refused = await exchange(
        net.connect(peer.port('reads'), '127.0.0.1'),
        Buffer.concat([changed, REQUEST]),
      ).catch(() => '');
      expect(refused).toBe('');
    }
    const told = await exchange(net.connect(sluice.port('more'), '127.0.0.1'), Buffer.concat([own, REQUEST]));
    expect(told.split('\r\n\r\n')[1]).toBe('b.example.org|same-127.0.0.1|127.0.0.1|1||TLSv1.3|');
  });
});
