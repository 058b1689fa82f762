/** Names of servers and the sections that resolve them. */
import { describe, expect, test } from 'vitest';
import type { Server } from '../../engine/config/server-model.ts';
import { addressText, isNowhere, parseIp } from '../../engine/io/address.ts';
import { load } from './load-text.ts';

const HOSTS = { 'known.test': parseIp('10.0.0.1', 0)! };
const STATE = `1
# be_id be_name srv_id srv_name srv_addr ...
3 b 1 s 10.0.0.7 2 0 5 10 77 8 2 1 6 6 0 0 known.test 8080 - 0 0 - - 0
`;

function said(text: string): string[] {
  return load(text, { hosts: HOSTS }).diagnostics.list.map(d => `${d.severity}: ${d.message}`);
}

/** The server of a backend with this line, and where it begins. */
function server(line: string, files: Record<string, string> = {}, head = ''): Server {
  const { model, diagnostics } = load(`${head}\nbackend b\n${line}\n`, { hosts: HOSTS, files });
  if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
  return model.proxies[0]!.servers[0]!;
}

describe('init-addr', () => {
  const where = (options: string, files: Record<string, string> = {}): string => {
    const name = options.startsWith('!') ? 'lost.test' : 'known.test';
    const more = `load-server-state-from-file local\nserver s ${name}:80 ${options.replace('!', '')}`;
    const { address } = server(more, files);
    return isNowhere(address) ? `none:${address.port}` : addressText(address);
  };

  test.each([
    ['', '10.0.0.1:80'],
    ['init-addr libc', '10.0.0.1:80'],
    ['init-addr none', 'none:80'],
    ['init-addr 10.0.0.9', '10.0.0.9:80'],
    ['! init-addr libc,none', 'none:80'],
    ['! init-addr last,libc,10.0.0.9', '10.0.0.9:80'],
  ])('%s begins at %s', (options, address) => {
    expect(where(options)).toBe(address);
  });

  test('last is what a state file has kept', () => {
    expect(where('', { b: STATE })).toBe('10.0.0.7:80');
    expect(where('init-addr libc', { b: STATE })).toBe('10.0.0.1:80');
    expect(where('init-addr last,none')).toBe('none:80');
  });

  test('a name without any address is an error, unless there is something to fall back to', () => {
    const text = (options: string) => `backend b\nserver s lost.test:80 ${options}\n`;
    expect(said(text(''))).toContain("alert: 'server b/s': could not resolve address 'lost.test'");
    const not = "warning: 'server b/s': could not resolve address 'lost.test'";
    expect(said(text('init-addr libc,none'))).toContain(`${not}, disabling server`);
    expect(said(text('init-addr libc,10.0.0.9'))).toContain(`${not}, falling back to configured address`);
    expect(said(text('init-addr none')).filter(line => line.includes('lost.test'))).toEqual([]);
  });
});

describe('servers with resolvers', () => {
  const SECTION = 'resolvers r\nnameserver n 127.0.0.1\n';

  test('have all that is needed to resolve them', () => {
    const { naming, hostname } = server(
      'server s known.test:80 resolvers r resolve-prefer ipv4 resolve-net 10.0.0.0/8 resolve-opts allow-dup-ip,ignore-weight',
      {},
      SECTION,
    );
    expect(hostname).toBe('known.test');
    expect(naming).toMatchObject({ resolvers: 0, service: null, prefer: 4, allowDuplicates: true, ignoreWeight: true });
    expect(naming!.networks).toMatchObject([{ prefixBits: 8 }]);
    expect(server('server s 127.0.0.1:80 resolvers r', {}, SECTION).naming).toBeNull();
  });

  test('of a service have no address, no name and no port before its records come', () => {
    const s = server('server s _http._tcp.a.test resolvers r check', {}, SECTION);
    expect([isNowhere(s.address), s.address.port, s.hostname, s.portRelative]).toEqual([true, 0, null, false]);
    expect(s.naming!.service).toBe('_http._tcp.a.test');
    const checked = server('server s _http._tcp.a.test resolvers r check port 7', {}, SECTION);
    expect(checked.check!.address.port).toBe(7);
  });

  test('of a template are all alike', () => {
    const { model } = load(`${SECTION}backend b\nserver-template t 2-4 known.test:80 resolvers r init-addr none\n`);
    expect(model!.proxies[0]!.servers.map(s => [s.name, s.hostname])).toEqual([
      ['t2', 'known.test'],
      ['t3', 'known.test'],
      ['t4', 'known.test'],
    ]);
  });

  test('name sections that are there', () => {
    expect(said('backend b\nserver s known.test:80 resolvers r\n')).toContain(
      "alert: 'server b/s': unable to find required resolvers 'r'",
    );
    expect(said('backend b\nserver s _http._tcp.a.test\n')).toContain(
      "alert: 'server b/s': '_http._tcp.a.test' names SRV records, for which 'resolvers' is needed",
    );
    const rule = 'backend b\nmode http\nhttp-request do-resolve(txn.ip,dsn) hdr(host)\nserver s 0.0.0.0:0\n';
    expect(said(`resolvers dns\n${rule}`)).toContain("alert: unable to find resolvers 'dsn'");
    expect(said(rule.replace('dsn', 'default')).filter(line => line.startsWith('alert'))).toEqual([]);
  });
});

describe('resolvers sections', () => {
  test('have the defaults of the manual', () => {
    const { model } = load('resolvers r\n nameserver a 127.0.0.1\n nameserver b tcp@[::1]:54\n');
    const [section] = model!.resolvers;
    expect(section).toMatchObject({ name: 'r', retries: 3, resolveMs: 1000, retryMs: 1000, payloadBytes: 512 });
    expect(section!.hold).toEqual({
      ...{ validMs: 10_000, nxMs: 30_000, refusedMs: 30_000, timeoutMs: 30_000, otherMs: 30_000, obsoleteMs: 0 },
    });
    expect(section!.nameservers.map(n => [n.name, addressText(n.address), n.transport])).toEqual([
      ['a', '127.0.0.1:53', 'udp'],
      ['b', '::1:54', 'tcp'],
    ]);
  });

  test('are made of /etc/resolv.conf where the file is', () => {
    const files = {
      '/etc/resolv.conf': '# x\nnameserver 10.0.0.53\nsearch a\nnameserver fe80::1%eth0\nnameserver ::1\n',
    };
    const names = (text: string) => {
      return load(text, { files }).model!.resolvers.map(r => [r.name, r.nameservers.map(n => n.name)]);
    };
    expect(names('backend b\n')).toEqual([['default', ['10.0.0.53', '::1']]]);
    expect(names('resolvers default\n nameserver n 127.0.0.1\n')).toEqual([['default', ['n']]]);
    expect(names('resolvers r\n parse-resolv-conf\n')).toEqual([
      ['r', ['10.0.0.53', '::1']],
      ['default', ['10.0.0.53', '::1']],
    ]);
    expect(load('backend b\n').model!.resolvers).toEqual([]);
  });

  test('and their servers have one name each', () => {
    expect(said('resolvers r\nresolvers r\n')).toEqual([
      "alert: resolvers 'r' has the same name as another one, declared at test.cfg:1",
    ]);
    expect(said('resolvers r\nnameserver n [::1]\nnameserver n [::1]\n')).toEqual([
      "alert: name server 'n' is already in resolvers 'r'",
    ]);
    expect(said('resolvers r\nparse-resolv-conf\n')).toEqual([
      "alert: 'parse-resolv-conf': cannot read /etc/resolv.conf",
    ]);
  });
});
