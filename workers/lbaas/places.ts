/**
 * Where the process of a load balancer runs, and how its addresses come to it:
 *
 *   none       in our own network namespace, on addresses that are there already
 *   device     the same, with the addresses put on a device, and announced by gratuitous ARP
 *   namespace  in one of its own, `qlbaas-<id>`, by a pair of devices to a bridge
 */
import { parseIp } from '../../engine/io/address.ts';
import { must, run } from './run.ts';

export interface Vip {
  readonly address: string;
  /** Length of the subnet's prefix, in bits. */
  readonly prefix: number;
}

export interface Place {
  /** Words before a program that is to run there. */
  inside(id: string): readonly string[];
  /** Makes the place and its addresses; what is there stays. */
  up(id: string, vips: readonly Vip[]): Promise<void>;
  /** Tells the neighbours that the addresses are here. */
  announce(id: string, vips: readonly Vip[]): Promise<void>;
  /** Takes the addresses away, and the place. */
  down(id: string, vips: readonly Vip[]): Promise<void>;
}

export const HOST: Place = {
  inside: () => [],
  up: async () => {},
  announce: async () => {},
  down: async () => {},
};

/** `up` of something that is up: the program's complaint says so. */
const THERE = /File exists|exists/;
const GONE = /Cannot assign|No such|Cannot find/;
const COMMAND_MS = 10_000;

async function tolerate(words: readonly string[], fine: RegExp): Promise<void> {
  const { code, err } = await run(words, COMMAND_MS);
  if (code !== 0 && !fine.test(err)) throw new Error(`${words.join(' ')}: ${err.trim()}`);
}

/** Gratuitous ARP, or unsolicited neighbour advertisements (RFC 5227, RFC 4861): caches forget the former host. */
async function arp(inside: readonly string[], device: string, vips: readonly Vip[]): Promise<void> {
  const v4 = vips.filter(({ address }) => parseIp(address, 0)?.family === 4);
  // Two of a kind: some hosts take notice of requests only, some of answers.
  const words = (flag: string, address: string) => [
    ...inside,
    'arping',
    flag,
    '-c',
    '1',
    '-w',
    '1',
    '-I',
    device,
    address,
  ];
  await Promise.all(v4.flatMap(({ address }) => ['-U', '-A'].map(flag => run(words(flag, address), COMMAND_MS))));
}

export function onDevice(device: string): Place {
  return {
    inside: () => [],
    up: async (_id, vips) => {
      // A host address: the subnet's own route belongs to the device's own address.
      for (const { address } of vips) await must(['ip', 'addr', 'replace', host(address), 'dev', device]);
    },
    announce: (_id, vips) => arp([], device, vips),
    down: async (_id, vips) => {
      for (const { address } of vips) await tolerate(['ip', 'addr', 'del', host(address), 'dev', device], GONE);
    },
  };
}

function host(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** The device inside; outside it is `lb` and the beginning of the id, as names of devices end at 15 characters. */
const INSIDE = 'eth0';
const outside = (id: string) => `lb${id.replaceAll('-', '').slice(0, 12)}`;

function namespaceName(id: string): string {
  return `qlbaas-${id}`;
}

/** @param gateway of the namespaces' default route; null = they reach their own subnet only */
export function inNamespace(bridge: string, gateway: string | null): Place {
  const inside = (id: string) => ['ip', 'netns', 'exec', namespaceName(id)];
  return {
    inside,
    up: async (id, vips) => {
      const name = namespaceName(id);
      await tolerate(['ip', 'netns', 'add', name], THERE);
      await tolerate(['ip', 'link', 'add', outside(id), 'type', 'veth', 'peer', 'name', INSIDE, 'netns', name], THERE);
      await must(['ip', 'link', 'set', outside(id), 'master', bridge, 'up']);
      await must(['ip', '-n', name, 'link', 'set', 'lo', 'up']);
      await must(['ip', '-n', name, 'link', 'set', INSIDE, 'up']);
      for (const { address, prefix } of vips) {
        const more = address.includes(':') ? ['nodad'] : [];
        await must(['ip', '-n', name, 'addr', 'replace', `${address}/${prefix}`, 'dev', INSIDE, ...more]);
      }
      if (gateway !== null) await must(['ip', '-n', name, 'route', 'replace', 'default', 'via', gateway]);
    },
    announce: (id, vips) => arp(inside(id), INSIDE, vips),
    down: async id => {
      await tolerate(['ip', 'link', 'del', outside(id)], GONE);
      await tolerate(['ip', 'netns', 'del', namespaceName(id)], GONE);
    },
  };
}
