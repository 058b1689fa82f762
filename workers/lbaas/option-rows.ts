/** The options of `sluice lbaas`: a row each. */
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
  /** The file that keepalived includes; null = addresses are put up without it. */
  keepalived: string | null;
  keepalivedPid: string;
  /** Null = made of the host's name. */
  routerId: number | null;
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

export interface Row {
  readonly option: string;
  /** Shown behind the option; without it the option stands alone. */
  readonly argument?: string;
  readonly doc: string;
  /** @returns what is wrong with the argument, if anything */
  readonly set: (o: LbaasOptions, given: string) => string | undefined;
}

type TextOption =
  | 'barbican'
  | 'barbicanToken'
  | 'bridge'
  | 'certificates'
  | 'host'
  | 'keepalived'
  | 'keepalivedPid'
  | 'keystone'
  | 'state'
  | 'token'
  | 'url'
  | 'vipDevice';

const text =
  (name: TextOption) =>
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
  (name: 'perProcess' | 'pollMs' | 'routerId' | 'ttlSeconds', least: number, most: number) =>
  (o: LbaasOptions, given: string): string | undefined => {
    if (!/^\d{1,7}$/.test(given) || Number(given) < least || Number(given) > most) return `expects ${least} to ${most}`;
    o[name] = Number(given);
    return undefined;
  };

export const ROWS: readonly Row[] = [
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
  {
    option: '--keepalived',
    argument: '<file>',
    doc: "has keepalived put VIPs on --vip-device: writes this file, for keepalived's 'include'",
    set: text('keepalived'),
  },
  {
    option: '--keepalived-pid',
    argument: '<file>',
    doc: 'the pid file of keepalived (default /run/keepalived.pid)',
    set: text('keepalivedPid'),
  },
  {
    option: '--router-id',
    argument: '<1-255>',
    doc: "with keepalived: this host's own number on its network (default: made of its name)",
    set: number('routerId', 1, 255),
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
