/** The words behind `sluice lbaas`: one row per option. */
import os from 'node:os';
import { suggest } from '../../engine/config/suggest.ts';
import { parseIp } from '../../engine/io/address.ts';
import { parseSubnet, type Subnet } from '../../engine/lbaas/networks.ts';

export interface LbaasOptions {
  command: 'serve' | 'status';
  listen: { readonly host: string; readonly port: number };
  state: string;
  /** Base URL of an etcd's HTTP gateway; null = a database in the state folder. */
  etcd: string | null;
  subnets: Subnet[];
  zones: string[];
  /** Null = neither asked for. */
  netns: 'auto' | 'none';
  bridge: string | null;
  gateway: string | null;
  vipDevice: string | null;
  token: string | null;
  keystone: string | null;
  force: boolean;
  certificates: string | null;
  barbican: string | null;
  /** For containers that nobody asks for at the moment: of a load balancer that another controller ran. */
  barbicanToken: string | null;
  host: string;
  io: string | null;
  /** Load balancers in one process. */
  perProcess: number;
  pollMs: number;
  ttlSeconds: number;
  quiet: boolean;
  url: string;
}

interface Row {
  readonly option: string;
  /** Shown behind the option; without it the option stands alone. */
  readonly argument?: string;
  readonly doc: string;
  /** @returns what is wrong with the argument, if anything */
  readonly set: (o: LbaasOptions, given: string) => string | undefined;
}

const text =
  (
    name:
      | 'barbican'
      | 'barbicanToken'
      | 'bridge'
      | 'certificates'
      | 'host'
      | 'keystone'
      | 'state'
      | 'token'
      | 'url'
      | 'vipDevice',
  ) =>
  (o: LbaasOptions, given: string): string | undefined => {
    if (given === '') return 'must not be empty';
    o[name] = given;
    return undefined;
  };

const on = (name: 'force' | 'quiet') => (o: LbaasOptions) => {
  o[name] = true;
  return undefined;
};

const number =
  (name: 'perProcess' | 'pollMs' | 'ttlSeconds', least: number, most: number) =>
  (o: LbaasOptions, given: string): string | undefined => {
    if (!/^\d{1,7}$/.test(given) || Number(given) < least || Number(given) > most) return `expects ${least} to ${most}`;
    o[name] = Number(given);
    return undefined;
  };

const ROWS: readonly Row[] = [
  {
    option: '--listen',
    argument: '<address:port>',
    doc: 'where the API is (default 127.0.0.1:9876)',
    set: (o, given) => {
      const [, host, port] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(given) ?? [];
      if (host === undefined || parseIp(host, 0) === null || Number(port) > 65_535)
        return 'expects an IP address and a port';
      o.listen = { host, port: Number(port) };
      return undefined;
    },
  },
  { option: '--state', argument: '<dir>', doc: 'the state folder (default /var/lib/sluice)', set: text('state') },
  {
    option: '--store',
    argument: 'sqlite|etcd://<host:port>',
    doc: 'where items are kept: the state folder, or an etcd that several controllers share (default sqlite)',
    set: (o, given) => {
      if (given === 'sqlite') o.etcd = null;
      else if (/^etcd:\/\/[\w.:[\]-]+$/.test(given)) o.etcd = given.replace('etcd://', 'http://');
      else return "expects 'sqlite' or 'etcd://host:port'";
      return undefined;
    },
  },
  {
    option: '--subnet',
    argument: '<name=cidr>',
    doc: 'a subnet for VIPs; may be repeated (default local=127.0.0.0/8)',
    set: (o, given) => {
      const subnet = parseSubnet(given);
      if (subnet === null) return "expects a name and a prefix, as 'private=10.0.0.0/24'";
      o.subnets.push(subnet);
      return undefined;
    },
  },
  {
    option: '--zone',
    argument: '<name>',
    doc: 'an availability zone; may be repeated',
    set: (o, given) => void o.zones.push(given),
  },
  {
    option: '--netns',
    argument: 'auto|none',
    doc: 'auto: a network namespace per load balancer, on --bridge; none: in our own (default none, auto with --bridge)',
    set: (o, given) => {
      if (given !== 'auto' && given !== 'none') return "expects 'auto' or 'none'";
      o.netns = given;
      return undefined;
    },
  },
  {
    option: '--bridge',
    argument: '<device>',
    doc: 'the bridge that namespaces are connected to',
    set: (o, given) => {
      o.netns = 'auto';
      return text('bridge')(o, given);
    },
  },
  {
    option: '--gateway',
    argument: '<address>',
    doc: "the namespaces' default route",
    set: (o, given) => {
      if (parseIp(given, 0) === null) return 'expects an IP address';
      o.gateway = given;
      return undefined;
    },
  },
  {
    option: '--vip-device',
    argument: '<device>',
    doc: 'puts VIPs on this device and announces them',
    set: text('vipDevice'),
  },
  { option: '--token', argument: '<token>', doc: 'the X-Auth-Token that clients must send', set: text('token') },
  {
    option: '--keystone',
    argument: '<url>',
    doc: 'the Keystone that validates tokens: http://host:5000/v3',
    set: text('keystone'),
  },
  {
    option: '--auth',
    argument: 'none',
    doc: 'asks for no token (the default on loopback)',
    set: (_o, given) => (given === 'none' ? undefined : "expects 'none'; see --token and --keystone"),
  },
  {
    option: '--force',
    doc: 'serves without a token on other addresses than loopback',
    set: on('force'),
  },
  {
    option: '--certificates',
    argument: '<dir>',
    doc: 'TLS containers: <name>.pem (default: in the state folder)',
    set: text('certificates'),
  },
  {
    option: '--barbican',
    argument: '<url>',
    doc: "the Barbican that has TLS containers: http://host:9311; asked with the caller's token",
    set: (o, given) => (/^https?:\/\/[^/]/.test(given) ? text('barbican')(o, given) : "expects 'http://host:9311'"),
  },
  {
    option: '--barbican-token',
    argument: '<token>',
    doc: 'for containers of load balancers that are taken over from another controller',
    set: text('barbicanToken'),
  },
  {
    option: '--host',
    argument: '<name>',
    doc: 'the name of this controller (default: the host name)',
    set: text('host'),
  },
  {
    option: '--io',
    argument: 'net|uring',
    doc: 'how the processes serve sockets',
    set: (o, given) => {
      if (given !== 'net' && given !== 'uring') return "expects 'net' or 'uring'";
      o.io = given;
      return undefined;
    },
  },
  {
    option: '--per-process',
    argument: '<number>',
    doc: 'load balancers that share a process, to save memory (default 1)',
    set: number('perProcess', 1, 500),
  },
  {
    option: '--poll',
    argument: '<ms>',
    doc: 'how often processes are looked at (default 1000)',
    set: number('pollMs', 50, 60_000),
  },
  {
    option: '--ttl',
    argument: '<s>',
    doc: 'with etcd: after how long a silent controller is dead (default 5)',
    set: number('ttlSeconds', 2, 600),
  },
  { option: '--quiet', doc: 'logs nothing but errors', set: on('quiet') },
  {
    option: '--url',
    argument: '<url>',
    doc: 'status: the API to ask (default http://127.0.0.1:9876)',
    set: text('url'),
  },
];

function defaults(): LbaasOptions {
  return {
    command: 'serve',
    listen: { host: '127.0.0.1', port: 9876 },
    state: '/var/lib/sluice',
    etcd: null,
    subnets: [],
    zones: [],
    netns: 'none',
    bridge: null,
    gateway: null,
    vipDevice: null,
    token: null,
    keystone: null,
    force: false,
    certificates: null,
    barbican: null,
    barbicanToken: null,
    host: os.hostname(),
    io: null,
    perProcess: 1,
    pollMs: 1_000,
    ttlSeconds: 5,
    quiet: false,
    url: 'http://127.0.0.1:9876',
  };
}

/** @param words behind `lbaas`. The second of the pair says what is wrong with them, or null. */
export function parseLbaas(words: readonly string[]): { options: LbaasOptions; error: string | null } {
  const options = defaults();
  const fail = (error: string) => ({ options, error });
  const rest = [...words];
  if (rest[0] === 'status' || rest[0] === 'serve') options.command = rest.shift() as 'serve' | 'status';
  while (rest.length > 0) {
    const word = rest.shift()!;
    const [name = '', glued] = word.split(/=(.*)/s);
    const row = ROWS.find(({ option }) => option === name);
    if (row === undefined) {
      const near = suggest(
        name,
        ROWS.map(({ option }) => option),
      );
      return fail(`unknown option '${word}'${near === null ? '.' : `; did you mean '${near}' maybe ?`}`);
    }
    const given = row.argument === undefined ? '' : (glued ?? rest.shift());
    if (given === undefined) return fail(`'${name}' expects ${row.argument} as argument.`);
    const wrong = row.set(options, given);
    if (wrong !== undefined) return fail(`${name}: ${wrong}`);
  }
  if (options.subnets.length === 0) options.subnets.push(parseSubnet('local=127.0.0.0/8')!);
  if (options.zones.length === 0) options.zones.push('nova');
  return { options, error: wrongTogether(options) };
}

function wrongTogether(o: LbaasOptions): string | null {
  const loopback = /^(127\.|::1$)/.test(o.listen.host);
  if (o.token !== null && o.keystone !== null) return '--token and --keystone exclude each other.';
  if (o.command === 'serve' && !loopback && !o.force && o.token === null && o.keystone === null) {
    return `without --token or --keystone anybody who reaches ${o.listen.host} could change everything; --force does it nevertheless.`;
  }
  if (o.netns === 'auto' && o.bridge === null) return "'--netns auto' needs a --bridge to connect the namespaces to.";
  if (o.netns === 'auto' && o.perProcess > 1) return 'load balancers in namespaces of their own share no process.';
  if (o.barbicanToken !== null && o.barbican === null) return "'--barbican-token' needs a --barbican.";
  if (o.netns === 'auto' && o.vipDevice !== null) return '--vip-device is for --netns none.';
  return null;
}

export function lbaasUsage(program: string): string {
  const rows = ROWS.map(
    ({ option, argument, doc }) => `        ${argument === undefined ? option : `${option} ${argument}`} ${doc}\n`,
  );
  return `Usage : ${program} lbaas [serve|status] [options]\n${rows.join('')}`;
}
