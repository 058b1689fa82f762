/** `sni-auto` and `check-sni-auto`: which name is sent to servers where no line says. */
import { get } from 'node:http';
import { expect, test } from 'vitest';
import { parseModel, startRig } from '../proxy/rig.ts';
import { pemFile } from './certificates.ts';

const SITE = pemFile({ name: 'localhost', names: ['localhost'] });

function server(words: string, check = '') {
  const text = `backend b\n  mode http\n  ${check}\n  server s 127.0.0.1:1 ssl verify none check ${words}\n`;
  return parseModel(text).proxies[0]!.servers[0]!;
}

test('checks send the Host of their request', () => {
  const name = (words: string, check: string) => server(words, check).checkTls!.sniName;
  const check = 'option httpchk GET / HTTP/1.1\n  http-check send hdr Host a.org:8443';
  expect(name('check-sni-auto', check)).toBe('a.org');
  expect(name('check-sni-auto check-sni b.org', check)).toBe('b.org');
  expect(name('check-sni-auto no-check-sni-auto', check)).toBeNull();
  expect(name('', check)).toBe('a.org');
  expect(name('check-sni-auto', 'option httpchk')).toBeNull();
  expect(name('', check.replace('a.org', '192.0.2.1'))).toBeNull();
  expect(
    name('check-sni-auto', 'option httpchk\n  http-check connect ssl\n  http-check send hdr Host a.org'),
  ).toBeNull();
});

test('requests send their Host without its port', async () => {
  const behind = await startRig(`
frontend f
  mode http
  timeout client 5s
  bind 127.0.0.1:1 ssl crt ${SITE}
  http-request return status 200 content-type text/plain lf-string "%[ssl_fc_sni]"
`);
  const seen = async (words: string, host = 'a.org:80'): Promise<string> => {
    const rig = await startRig(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 2s
listen l
  bind 127.0.0.1:1
  server s 127.0.0.1:${behind.port('f')} ssl verify none ${words}
`);
    try {
      const headers = { host };
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      get({ port: rig.port('l'), host: '127.0.0.1', headers }, response => {
        let text = '';
        response.on('data', piece => (text += piece));
        response.on('end', () => resolve(text));
      }).on('error', reject);
      return await promise;
    } finally {
      await rig.stop();
    }
  };
  try {
    expect(await seen('')).toBe('a.org');
    expect(await seen('no-sni-auto sni-auto')).toBe('a.org');
    // An address is no name (RFC 6066 3).
    expect(await seen('', '127.0.0.1:80')).toBe('');
    expect(await seen('', '[::1]:80')).toBe('');
    expect(await seen('sni-auto sni str(b.org)')).toBe('b.org');
    expect(await seen('sni-auto no-sni-auto')).toBe('');
  } finally {
    await behind.stop();
  }
});
