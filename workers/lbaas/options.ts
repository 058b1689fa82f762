/** The words behind `sluice lbaas`: what they mean together, what is wrong with them. */
import os from 'node:os';
import { suggest } from '../../engine/config/suggest.ts';
import { parseSubnet } from '../../engine/lbaas/networks.ts';
import { type LbaasOptions, ROWS } from './option-rows.ts';

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
    keepalived: null,
    keepalivedPid: '/run/keepalived.pid',
    routerId: null,
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
  if (o.netns === 'auto' && o.perProcess > 1) {
    return "a process is in one network namespace: with '--netns auto' each load balancer has its own, so '--per-process' is 1.";
  }
  if (o.barbicanToken !== null && o.barbican === null) return "'--barbican-token' needs a --barbican.";
  if (o.keepalived !== null && o.vipDevice === null) return "'--keepalived' needs a --vip-device.";
  if (o.netns === 'auto' && o.vipDevice !== null) return '--vip-device is for --netns none.';
  return null;
}

export function lbaasUsage(program: string): string {
  const rows = ROWS.map(
    ({ option, argument, doc }) => `        ${argument === undefined ? option : `${option} ${argument}`} ${doc}\n`,
  );
  return `Usage : ${program} lbaas [serve|status] [options]\n${rows.join('')}`;
}
