/** Stick tables shared by real processes: HAProxy and Sluice in one `peers` section. */
import net from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { farm, KEY_STEMS, type Member, SHARED_DATA, until } from './peer-farm.ts';
import { haproxyVersion } from './peers.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const HAPROXY = haproxyVersion();

const skipped = !INTEROP ? 'SLUICE_INTEROP is not set' : HAPROXY === null ? 'haproxy is not installed' : null;
if (skipped !== null) console.log(`peers.test: skipped, ${skipped}`);

/** All hold the same, or the test fails with what they hold. */
async function converge(members: readonly Member[]): Promise<string[]> {
  const same = async () => {
    const [first, ...others] = await Promise.all(members.map(member => member.tables()));
    return others.every(other => other.join() === first!.join());
  };
  await until(same, 'equal tables').catch(() => {});
  const [first, ...others] = await Promise.all(members.map(member => member.tables()));
  for (const other of others) expect(other).toEqual(first);
  return first!;
}

const KEYS = Array.from({ length: 8 }, (_, i) => i);

/** Each member is asked for keys that only it is asked for. */
async function round(members: readonly Member[]): Promise<void> {
  await Promise.all(members.flatMap(member => KEYS.map(key => member.get(`${member.name}${key}`))));
}

describe.skipIf(skipped !== null)('HAProxy and Sluice', () => {
  test('two HAProxys and a Sluice learn each other’s entries', { timeout: 60_000 }, async () => {
    const members = await farm({ a: 'haproxy', b: 'haproxy', s: 'sluice' });
    await Promise.all(members.map(member => member.start()));
    for (let i = 0; i < 5; i++) await round(members);
    const lines = await converge(members);
    // Each of 24 keys is an entry of each table, and was counted five times, wherever it was counted.
    expect(lines).toHaveLength(4 * 24);
    for (const line of lines.filter(line => line.startsWith('counts: '))) expect(line).toContain('http_req_cnt=5 ');
    for (const line of lines.filter(line => line.startsWith('sticky: '))) expect(line).toMatch(/server_key=srv[123]/);
  });

  test('keys and data of all types', { timeout: 60_000 }, async () => {
    const members = await farm({ a: 'haproxy', s: 'sluice' });
    await Promise.all(members.map(member => member.start()));
    const values = Object.entries(SHARED_DATA);
    const set = values.map(([name, value]) => `data.${name} ${value}`).join(' ');
    const keys = Object.entries(KEY_STEMS).flatMap(([type, stem]) =>
      members.map((member, i) => ({ member, table: `all_${type}`, key: `${stem}${i + 1}` })),
    );
    for (const { member, table, key } of keys) {
      expect((await member.say(`set table ${table} key ${key} ${set}`)).trim()).toBe('');
    }
    for (const member of members) {
      for (const { table, key } of keys) {
        const line = () => member.say(`show table ${table} key ${key}`);
        await until(async () => (await line()).includes(`key=${key} `), `${key} in ${table}`);
        const shown = (await line()).replaceAll('(1000000)', '').split(/\s+/);
        expect(shown, `${member.name}: ${key}`).toEqual(
          expect.arrayContaining(values.map(([name, value]) => `${name}=${value}`)),
        );
      }
    }
  });

  test('under load, each of them crashing and starting anew', { timeout: 120_000 }, async () => {
    const members = await farm({ a: 'haproxy', b: 'haproxy', s: 'sluice' });
    await Promise.all(members.map(member => member.start()));
    let loaded = true;
    let rounds = 0;
    const load = members.map(async member => {
      for (; loaded; rounds++) await round([member]).catch(() => new Promise(resolve => setTimeout(resolve, 50)));
    });
    for (const member of members) {
      await new Promise(resolve => setTimeout(resolve, 2500));
      await member.kill();
      await member.start();
    }
    await new Promise(resolve => setTimeout(resolve, 7000));
    loaded = false;
    await Promise.all(load);
    // Lessons are over: a last word of everybody about what it knows best.
    await round(members);
    const lines = await converge(members);
    expect(lines).toHaveLength(4 * 24);
    expect(rounds).toBeGreaterThan(20);
  });

  test('a hostile peer is left alone; the tables and the others are unharmed', { timeout: 60_000 }, async () => {
    const hostile = net.createServer(conn => {
      conn.on('error', () => {});
      conn.once('data', () => conn.write('200\n\x0a\x82\xff\xff\xff\xff\x7f garbage', 'latin1'));
    });
    await new Promise<void>(resolve => hostile.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void hostile.close());
    const { port } = hostile.address() as net.AddressInfo;
    const members = await farm({ a: 'haproxy', s: 'sluice', x: 'haproxy' }, (_, to, own) => (to === 'x' ? port : own));
    const [a, s] = members as [Member, Member];
    await Promise.all([a.start(), s.start()]);
    const line = 'Peers section p: connection with peer x ended, next in 5s: message too long.';
    await until(() => s.output().includes(line), line);
    await round([a, s]);
    expect(await converge([a, s])).toHaveLength(4 * 16);
    expect(await s.say('show peers p')).toMatch(/id=x\(remote,inactive\).*\n.* proto_err=1 /);
  });
});

describe.skipIf(!INTEROP)('two Sluices', () => {
  test('one goes on with what both have counted when the other is gone', { timeout: 60_000 }, async () => {
    const members = await farm({ a: 'sluice', b: 'sluice' });
    const [a, b] = members as [Member, Member];
    await Promise.all(members.map(member => member.start()));
    for (let i = 0; i < 3; i++) await round([a]);
    await converge(members);
    const server = await a.get('a1');
    await converge(members);
    await a.kill();
    // The user of `a1` stays on its server, and its count goes on.
    expect(await b.get('a1')).toBe(server);
    expect((await b.tables()).find(line => line.startsWith('counts: key=a1 '))).toContain('http_req_cnt=5 ');
    await a.start();
    expect((await converge(members)).find(line => line.startsWith('counts: key=a1 '))).toContain('http_req_cnt=5 ');
  });

  test('a process learns from the one that it takes over from', { timeout: 60_000 }, async () => {
    const [only] = (await farm({ a: 'sluice' })) as [Member];
    await only.start();
    await round([only]);
    const before = await only.tables();
    expect(before).toHaveLength(4 * 8);
    const old = only.pid();
    await only.start('-sf', String(old));
    await until(() => isGone(old), 'the end of the old process');
    expect(await only.tables()).toEqual(before);
    expect(await only.say('show peers')).toContain('flags=0x3 ');
  });
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
