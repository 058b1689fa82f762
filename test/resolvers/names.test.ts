import dgram from 'node:dgram';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { hostText } from '../../engine/io/address.ts';
import { ADMIN_NAMED, ADMIN_RESOLUTION_MAINT, OPER_RUNNING, OPER_STOPPED } from '../../engine/shm/words.ts';
import { NameServer } from './name-server.ts';
import { type NamesWorld, startWorld, until } from './names-world.ts';

let ns: NameServer;
let world: NamesWorld | null;

beforeEach(async () => {
  ns = await new NameServer().start();
  world = null;
});
afterEach(async () => {
  await world?.stop();
  await ns.stop();
});

const HOLDS = 'hold nx 0\nhold timeout 0\nhold refused 0\nhold other 0';

function start(servers: string, section = HOLDS, more = ''): NamesWorld {
  world = startWorld(`global
dns-accept-family ipv4,ipv6
resolvers r
nameserver n1 127.0.0.1:${ns.port}
timeout resolve 20
timeout retry 60
${section}
${more}
backend b
${servers}
`);
  return world;
}

/** The servers are there. */
const at = (w: NamesWorld, ...where: string[]) =>
  until(
    () => w.where(),
    now => String(now) === String(where),
  );

const ONE = 'server s1 one.test:80 resolvers r init-addr none';

describe('a server with a name', () => {
  test('follows it, out of maintenance and back', async () => {
    const w = start(ONE);
    expect([w.word('s1', 'admin'), w.word('s1', 'oper')]).toEqual([ADMIN_RESOLUTION_MAINT, OPER_STOPPED]);
    ns.addresses('A', 'one.test', '127.0.0.10');
    await at(w, '127.0.0.10:80');
    expect([w.word('s1', 'admin'), w.word('s1', 'oper')]).toEqual([0, OPER_RUNNING]);
    ns.addresses('A', 'one.test', '127.0.0.11');
    await at(w, '127.0.0.11:80');
    ns.addresses('AAAA', 'one.test', '::1');
    await at(w, '::1:80');
    ns.forget('one.test');
    await at(w, '-:80');
    expect(w.word('s1', 'oper')).toBe(OPER_STOPPED);
    expect(w.lines).toEqual([
      'b/s1 changed its IP from (none) to 127.0.0.10 by r/n1.',
      "Server b/s1 ('one.test') is UP/READY (resolves again).",
      'Server b/s1 administratively READY thanks to valid DNS answer.',
      'b/s1 changed its IP from 127.0.0.10 to 127.0.0.11 by r/n1.',
      'b/s1 changed its IP from 127.0.0.11 to ::1 by r/n1.',
      'Server b/s1 is going DOWN for maintenance (DNS NX status). 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      'backend b has no server available!',
    ]);
    expect(w.count('update')).toBe(3);
  });

  test.each([
    ['REFUSED', 'DNS refused status', 'refused'],
    ['SERVFAIL', 'unspecified DNS error', 'other'],
    ['NOERROR', 'unspecified DNS error', 'any_err'],
  ] as const)('is lost when the answer is %s', async (rcode, cause, counter) => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    const w = start(ONE);
    await at(w, '127.0.0.10:80');
    ns.otherwise = rcode;
    ns.forget('one.test');
    await at(w, '-:80');
    expect(w.lines.at(-2)).toContain(`(${cause})`);
    expect(w.count(counter)).toBeGreaterThan(0);
  });

  test('is lost when nobody answers, after all the tries', async () => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    const w = start(`${ONE} resolve-prefer ipv4`);
    await at(w, '127.0.0.10:80');
    const before = w.count('timeout');
    ns.silent = true;
    await at(w, '-:80');
    expect(w.lines.at(-2)).toContain('(DNS timeout status)');
    expect(w.count('timeout') - before).toBeGreaterThanOrEqual(3);
  });

  test('is kept as long as `hold` says', async () => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    const w = start(ONE, 'hold nx 10s');
    await at(w, '127.0.0.10:80');
    ns.forget('one.test');
    const nx = w.count('nx');
    await until(
      () => w.count('nx'),
      count => count > nx + 12,
    );
    expect(w.where()).toEqual(['127.0.0.10:80']);
  });

  test('keeps an old address for `hold obsolete`', async () => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    const w = start(ONE, 'hold obsolete 300');
    await at(w, '127.0.0.10:80');
    ns.addresses('A', 'one.test', '127.0.0.11');
    const valid = w.count('valid');
    await until(
      () => w.count('valid'),
      count => count > valid + 3,
    );
    expect(w.where()).toEqual(['127.0.0.10:80']);
    await at(w, '127.0.0.11:80');
  });

  test('begins where `init-addr` says and can get another name', async () => {
    ns.addresses('A', 'two.test', '127.0.0.20');
    const w = start('server s1 one.test:80 resolvers r init-addr 127.0.0.9', 'hold nx 10s');
    expect(w.where()).toEqual(['127.0.0.9:80']);
    expect(w.names.rename(w.target('s1'), 'a..b')).toBe('bad name');
    expect(w.names.rename(w.target('s1'), 'ONE.test')).toBe('same');
    expect(w.names.rename(w.target('s1'), 'two.test')).toBe('renamed');
    await at(w, '127.0.0.20:80');
    expect(w.names.originOf(w.target('s1'))).toEqual({ name: 'two.test', service: null });
    expect(w.word('s1', 'admin')).toBe(ADMIN_NAMED);
  });
});

describe('servers with one name', () => {
  const template = (options = '') => `server-template t 3 one.test:80 resolvers r init-addr none ${options}`;
  const hosts = (w: NamesWorld): string[] =>
    w
      .where()
      .map(text => text.replace(':80', ''))
      .sort();

  test('have an address each, as long as there are some', async () => {
    ns.addresses('A', 'one.test', '127.0.0.1', '127.0.0.2');
    const w = start(template());
    await until(
      () => hosts(w),
      seen => String(seen) === '-,127.0.0.1,127.0.0.2',
    );
    ns.addresses('A', 'one.test', '127.0.0.3', '127.0.0.2', '127.0.0.1');
    await until(
      () => hosts(w),
      seen => String(seen) === '127.0.0.1,127.0.0.2,127.0.0.3',
    );
    const before = w.where();
    ns.addresses('A', 'one.test', '127.0.0.4', '127.0.0.2', '127.0.0.3');
    const after = await until(
      () => w.where(),
      seen => seen.includes('127.0.0.4:80'),
    );
    // Only the one whose address is gone has moved.
    expect(after).toEqual(before.map(text => (text === '127.0.0.1:80' ? '127.0.0.4:80' : text)));
    ns.addresses('A', 'one.test', '127.0.0.2');
    await until(
      () => hosts(w),
      seen => String(seen) === '-,-,127.0.0.2',
    );
    expect(w.lines.at(-1)).toContain('(No IP for server )');
  });

  test('share addresses if they may', async () => {
    ns.addresses('A', 'one.test', '127.0.0.1', '127.0.0.2');
    const w = start(template('resolve-opts allow-dup-ip'));
    const seen = await until(
      () => hosts(w),
      list => !list.includes('-'),
    );
    expect([...new Set(seen)]).toEqual(['127.0.0.1', '127.0.0.2']);
  });

  test('do not share them for being on other ports', async () => {
    ns.addresses('A', 'one.test', '127.0.0.1');
    const w = start(
      'server s1 one.test:80 resolvers r init-addr none\n server s2 one.test:81 resolvers r init-addr none',
    );
    const seen = await until(
      () => w.where(),
      list => list.some(text => !text.startsWith('-')),
    );
    expect(seen.toSorted()).toEqual(['-:81', '127.0.0.1:80']);
  });

  test('prefer networks', async () => {
    ns.addresses('A', 'one.test', '127.0.0.1', '127.0.2.9', '127.0.0.2', '127.0.2.1');
    const w = start('server s1 one.test:80 resolvers r init-addr none resolve-net 127.0.3.0/24,127.0.2.0/29');
    await at(w, '127.0.2.1:80');
  });
});

describe('servers of a service', () => {
  const NAME = '_http._tcp.one.test';
  const record = (target: string, port: number, weight: number, address?: string) => {
    return { target, port, weight, priority: 1, ...(address === undefined ? {} : { address }) };
  };

  test('have a record each: host, port, weight', async () => {
    ns.services(NAME, record('a.test', 8001, 10, '127.0.1.1'), record('b.test', 8002, 1000));
    ns.addresses('A', 'b.test', '127.0.1.2');
    const w = start(`server-template t 3 ${NAME} resolvers r init-addr none`);
    await at(w, '127.0.1.1:8001', '127.0.1.2:8002', '-:0');
    expect([w.word('t1', 'uweight'), w.word('t2', 'uweight')]).toEqual([1, 4]);
    expect(w.names.originOf(w.target('t2'))).toEqual({ name: 'b.test', service: NAME });
    expect(w.lines).toContain('b/t1 changed its IP from (none) to 127.0.1.1 by DNS additional record.');
    expect(w.lines).toContain("b/t2 changed its FQDN from (null) to b.test by 'SRV record'");
    ns.services(NAME, record('c.test', 8003, 0, '127.0.1.3'), record('b.test', 8002, 65_535));
    await at(w, '127.0.1.3:8003', '127.0.1.2:8002', '-:0');
    await until(
      () => [w.word('t1', 'uweight'), w.word('t2', 'uweight')],
      seen => String(seen) === '0,256',
    );
    expect(
      w.lines.some(line => line.includes('t1 is going DOWN for maintenance (entry removed from SRV record)')),
    ).toBe(true);
    ns.forget(NAME);
    await at(w, '-:0', '-:0', '-:0');
    expect(w.names.rename(w.target('t1'), 'x.test')).toBe('a service');
  });

  test('keep their weight if they are to', async () => {
    ns.services(NAME, record('a.test', 8001, 1000, '127.0.1.1'));
    const w = start(`server t1 ${NAME} resolvers r weight 7 resolve-opts ignore-weight`);
    await at(w, '127.0.1.1:8001');
    expect(w.word('t1', 'uweight')).toBe(7);
  });
});

describe('name servers', () => {
  test('are asked over TCP when the answer is too long', async () => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    ns.truncates = true;
    const w = start(`${ONE} resolve-prefer ipv4`);
    await at(w, '127.0.0.10:80');
    expect(ns.asked.slice(0, 2).map(({ tcp }) => tcp)).toEqual([false, true]);
    expect(w.count('truncated')).toBeGreaterThan(0);
  });

  test('are asked over TCP only, if that is their protocol', async () => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    const more = `resolvers t\nnameserver n1 tcp@127.0.0.1:${ns.port}\ntimeout resolve 20\ntimeout retry 60`;
    const w = start('server s1 one.test:80 resolvers t init-addr none', '', more);
    await at(w, '127.0.0.10:80');
    ns.addresses('A', 'one.test', '127.0.0.11');
    await at(w, '127.0.0.11:80');
    expect(ns.asked.every(({ tcp }) => tcp)).toBe(true);
  });

  test('are all asked: one good answer is enough', async () => {
    const bad = await new NameServer().start();
    bad.otherwise = 'REFUSED';
    ns.addresses('A', 'one.test', '127.0.0.10');
    ns.delayMs = 15;
    const w = start(ONE, `${HOLDS}\nnameserver n2 127.0.0.1:${bad.port}`);
    await at(w, '127.0.0.10:80');
    const refused = w.count('refused', 0, 1);
    await until(
      () => w.count('refused', 0, 1),
      count => count > refused + 2,
    );
    expect(w.where()).toEqual(['127.0.0.10:80']);
    await bad.stop();
  });

  test('that lie are not believed, and the truth counts that comes after', async () => {
    ns.addresses('A', 'one.test', '127.0.0.66');
    const lies = [
      { id: 1 },
      { questions: [{ type: 'A', name: 'two.test' }] },
      { questions: [] },
      { type: 'query' },
      { flags: 1 << 11 },
    ] as const;
    let told = 0;
    ns.lie = honest => ({ ...honest, ...lies[told++ % lies.length] }) as typeof honest;
    const w = start(`${ONE} resolve-prefer ipv4`);
    await until(
      () => told,
      count => count > 10,
    );
    expect(w.where()).toEqual(['-:80']);
    expect(w.count('invalid')).toBeGreaterThan(0);
    expect(w.count('outdated')).toBeGreaterThan(0);
    ns.lie = null;
    await at(w, '127.0.0.66:80');
  });

  test('that send anything at all do no harm, over UDP and TCP', async () => {
    ns.addresses('A', 'one.test', '127.0.0.66');
    let told = 0;
    ns.lie = ({ id = 0, ...more }) => {
      // Every third one is a call for TCP, so that it gets its share of nonsense.
      if (told++ % 3 === 0) return { id, ...more, flags: 0x200 };
      return Uint8Array.from({ length: (told * 37) % 700 }, (_, i) =>
        i === 0 ? id >> 8 : i === 1 ? id : told * i * 31,
      );
    };
    const w = start(`${ONE} resolve-prefer ipv4`, `${HOLDS}\nnameserver t tcp@127.0.0.1:${ns.port}`);
    await until(
      () => told,
      count => count > 30,
    );
    expect(w.where()).toEqual(['-:80']);
    ns.lie = null;
    await at(w, '127.0.0.66:80');
  });

  test('are not asked for a thousand names at once', async () => {
    const hosts = Array.from({ length: 300 }, (_, i) => `n${i}.test`);
    for (const [i, name] of hosts.entries()) ns.addresses('A', name, `127.1.${i >> 8}.${i & 255}`);
    const lines = hosts.map((name, i) => `server s${i} ${name}:80 resolvers r init-addr none resolve-prefer ipv4`);
    const w = start(lines.join('\n'), `${HOLDS}\ntimeout resolve 10s\ntimeout retry 2s`);
    const first = w.count('sent');
    expect(first).toBeLessThanOrEqual(66);
    await until(
      () => w.where(),
      where => where.every(text => text !== '-:80'),
    );
    expect(w.count('timeout')).toBe(0);
  });

  test('are not taken for others', async () => {
    const stranger = dgram.createSocket('udp4');
    await new Promise<void>(resolve => stranger.bind(0, '127.0.0.1', resolve));
    ns.addresses('A', 'one.test', '127.0.0.66');
    ns.divert = (answer, port) => stranger.send(answer, port, '127.0.0.1');
    const w = start(`${ONE} resolve-prefer ipv4`);
    await until(
      () => ns.asked.length,
      count => count > 4,
    );
    expect([w.where(), w.count('outdated'), w.count('valid')]).toEqual([['-:80'], 0, 0]);
    stranger.close();
  });

  test('that are not there are no reason to stop', async () => {
    const { port } = ns;
    await ns.stop();
    const w = start(ONE);
    await until(
      () => w.count('snd_error'),
      count => count > 2,
    );
    ns = new NameServer();
    ns.addresses('A', 'one.test', '127.0.0.10');
    await ns.start(port);
    await at(w, '127.0.0.10:80');
  });

  test('are counted from zero after `clear counters all`', async () => {
    ns.addresses('A', 'one.test', '127.0.0.10');
    const w = start(ONE, 'timeout resolve 10s');
    await at(w, '127.0.0.10:80');
    w.names.clearCounters();
    expect([w.count('sent'), w.count('valid')]).toEqual([0, 0]);
  });
});

describe('names that rules ask for', () => {
  const lookUp = async (w: NamesWorld, name: string, prefer: 4 | 6 = 4) => {
    const address = await new Promise<Parameters<typeof hostText>[0] | null>(resolve => {
      w.names.lookUp(0, name, prefer, resolve);
    });
    return address === null ? null : hostText(address);
  };

  test('are asked for once while their answer holds', async () => {
    ns.addresses('A', 'x.test', '10.0.0.1', '10.0.0.2');
    const w = start('server s1 127.0.0.1:80', 'hold valid 100');
    const both = await Promise.all([lookUp(w, 'x.test'), lookUp(w, 'X.test.')]);
    expect(new Set(both)).toEqual(new Set(['10.0.0.1', '10.0.0.2']));
    await lookUp(w, 'x.test');
    expect(ns.asked.length).toBe(1);
    await new Promise(resolve => setTimeout(resolve, 120));
    await lookUp(w, 'x.test');
    expect(ns.asked.length).toBe(2);
  });

  test('have no address when nobody knows one, or they are no names', async () => {
    const w = start('server s1 127.0.0.1:80');
    expect(await lookUp(w, 'none.test')).toBeNull();
    expect(await lookUp(w, 'no name')).toBeNull();
    ns.silent = true;
    expect(await lookUp(w, 'silent.test')).toBeNull();
    ns.silent = false;
    ns.addresses('AAAA', 'six.test', '::6');
    expect(await lookUp(w, 'six.test', 4)).toBe('::6');
  });
});
