/** Client certificates: who may come, what the members are told of them, and L7 rules about them. */
import { createHash, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import { expect, test } from 'vitest';
import { INSERTABLE } from '../../engine/lbaas/octavia-checks.ts';
import { revocationList } from '../tls/authority.ts';
import { FOLDER, pemFile } from '../tls/certificates.ts';
import { getTls } from './certificates.ts';
import { V2 } from './desk.ts';
import { balancer, eventually, farm, site } from './farm.ts';

const container = (file: string) => `file://${file}`;

async function standing(more: object) {
  const authority = pemFile({ name: 'authority', ca: true });
  const clients = ['good', 'revoked'].map(name => pemFile({ name, issuer: authority }));
  const [good, revoked, stranger] = [...clients, pemFile({ name: 'stranger' })].map(file => {
    const pem = fs.readFileSync(file);
    return { cert: pem, key: pem, file };
  });
  const f = await farm(undefined, ['--certificates', FOLDER]);
  const a = await site('a');
  const made = await balancer(f, [a.port], {
    listener: {
      ...{ protocol: 'TERMINATED_HTTPS', default_tls_container_ref: container(pemFile({ name: 'server' })) },
      ...{ client_ca_tls_container_ref: container(authority), ...more },
    },
  });
  const status = async (client: object = {}) => {
    try {
      return (await getTls(made.vip, 'server', client)).status;
    } catch {
      return 0;
    }
  };
  return { f, a, authority, good: good!, revoked: revoked!, stranger: stranger!, status, ...made };
}

test('OPTIONAL: members are told all that can be said', async () => {
  const headers = Object.fromEntries(Object.keys(INSERTABLE).map(name => [name, 'true']));
  const { a, good, stranger, status } = await standing({ client_authentication: 'OPTIONAL', insert_headers: headers });
  expect([await status(), await status(good), await status(stranger)]).toEqual([200, 200, 0]);
  const [none, known] = a.requests.map(request => request.headers);
  expect(none).toMatchObject({
    'x-ssl-client-has-cert': '0',
    'x-ssl-client-verify': '0',
    'x-forwarded-proto': 'https',
  });
  const x509 = new X509Certificate(good.cert);
  const time = (text: string) =>
    new Date(text)
      .toISOString()
      .replaceAll(/[-:T]|\.000/g, '')
      .slice(2);
  expect(known).toMatchObject({
    ...{ 'x-ssl-client-has-cert': '1', 'x-ssl-client-verify': '0', 'x-ssl-client-cn': 'good' },
    ...{ 'x-ssl-client-dn': '/CN=good', 'x-ssl-issuer': '/CN=authority' },
    'x-ssl-client-sha1': createHash('sha1').update(x509.raw).digest('hex').toUpperCase(),
    ...{ 'x-ssl-client-not-before': time(x509.validFrom), 'x-ssl-client-not-after': time(x509.validTo) },
  });
});

test('MANDATORY, and who has been revoked', async () => {
  const { f, listener, authority, good, revoked, stranger, status } = await standing({
    client_authentication: 'MANDATORY',
  });
  const all = () => Promise.all([{}, good, revoked, stranger].map(status));
  expect(await all()).toEqual([0, 200, 200, 0]);
  const list = container(revocationList(authority, [revoked.file]));
  await f.do('PUT', `${V2}/listeners/${listener}`, { listener: { client_crl_container_ref: list } });
  await eventually(async () => expect(await all()).toEqual([0, 200, 0, 0]));
  await f.do('PUT', `${V2}/listeners/${listener}`, {
    listener: { client_authentication: 'NONE', client_crl_container_ref: null, client_ca_tls_container_ref: null },
  });
  await eventually(async () => expect(await all()).toEqual([200, 200, 200, 200]));
});

test('rules about client certificates', { timeout: 90_000 }, async () => {
  const { f, listener, good, revoked, status } = await standing({ client_authentication: 'OPTIONAL' });
  const rule = (type: string, compare_type: string, value: string, more: object = {}) => ({
    ...{ type, compare_type, value },
    ...more,
  });
  const cn = (compare: string, value: string) => rule('SSL_DN_FIELD', compare, value, { key: 'CN' });
  const all = () => Promise.all([{}, good, revoked].map(status));
  const rows: [object[], number[]][] = [
    [[rule('SSL_CONN_HAS_CERT', 'EQUAL_TO', 'True')], [200, 403, 403]],
    [[rule('SSL_CONN_HAS_CERT', 'EQUAL_TO', 'True', { invert: true })], [403, 200, 200]],
    [[rule('SSL_VERIFY_RESULT', 'EQUAL_TO', '0', { invert: true })], [200, 200, 200]],
    [[cn('EQUAL_TO', 'good')], [200, 403, 200]],
    [[cn('CONTAINS', 'voke')], [200, 200, 403]],
    [[cn('ENDS_WITH', 'd')], [200, 403, 403]],
    [[cn('STARTS_WITH', 'rev')], [200, 200, 403]],
    [[cn('REGEX', '^g?ood$')], [200, 403, 200]],
    [
      [cn('ENDS_WITH', 'd'), { ...cn('EQUAL_TO', 'good'), invert: true }],
      [200, 200, 403],
    ],
  ];
  for (const [rules, expected] of rows) {
    const { l7policy } = await f.do('POST', `${V2}/l7policies`, {
      l7policy: { listener_id: listener, action: 'REJECT', rules },
    });
    await eventually(async () => expect([rules, await all()]).toEqual([rules, expected]));
    await f.do('DELETE', `${V2}/l7policies/${l7policy.id}`);
  }
});
