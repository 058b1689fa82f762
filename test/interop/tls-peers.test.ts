/** Peers over TLS: Sluice and Debian's HAProxy in one section. */
import { describe, expect, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { farm, type Program, until } from './peer-farm.ts';
import { haproxyVersion } from './peers.ts';

const HAPROXY = haproxyVersion();
if (HAPROXY === null) console.log('tls-peers.test: skipped in part, haproxy is not installed');

const PEM = pemFile({ name: 'localhost', names: ['localhost'], ca: true });

async function learn(members: Readonly<Record<string, Program>>): Promise<void> {
  const all = await farm(members, undefined, PEM);
  for (const member of all) await member.start();
  for (const member of all) await member.get(`from-${member.name}`);
  const tables = async () => (await Promise.all(all.map(member => member.tables()))).map(lines => lines.join('\n'));
  await until(async () => {
    const dumps = await tables();
    return dumps.every(dump => dump === dumps[0] && all.every(({ name }) => dump.includes(`from-${name}`)));
  }, 'equal tables').catch(() => {});
  const dumps = await tables();
  expect(dumps[1]).toBe(dumps[0]);
  for (const { name } of all) expect(dumps[0]).toContain(`from-${name}`);
}

describe('peers over TLS', () => {
  test('two Sluices', () => learn({ a: 'sluice', b: 'sluice' }), 40_000);
  test.skipIf(HAPROXY === null)('a Sluice and a HAProxy', () => learn({ a: 'sluice', b: 'haproxy' }), 40_000);
});
