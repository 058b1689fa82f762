/** What signals have told: SIGHUP the states of servers and proxies, in HAProxy's lines, SIGQUIT the use of memory. */
import { isBackend, isThere } from '../engine/config/model.ts';
import type { Proxy } from '../engine/config/proxy-model.ts';
import type { Server } from '../engine/config/server-model.ts';
import { LOG_NOTICE } from '../engine/health/log.ts';
import { returnFreeBlocks } from '../engine/io/process.ts';
import { CUM_SESS } from '../engine/shm/counters.ts';
import { type Memory, topology } from '../engine/shm/memory.ts';
import { ADMIN_MAINT, OPER_STOPPED, PROXY, SERVER } from '../engine/shm/words.ts';
import type { Generation } from './generation.ts';
import type { Say } from './say.ts';

/** To the terminal, and to the logs of each proxy. */
export function dumpStates(generation: Generation, say: Say): void {
  const { model, memory } = generation;
  const { firstServer } = topology(model);
  const received = 'SIGHUP received, dumping servers states';
  say('warning', `${received}.`);
  for (const proxy of model.proxies.filter(isThere)) {
    const tell = (text: string): void => generation.tell(LOG_NOTICE, proxy.index, text);
    generation.log(LOG_NOTICE, proxy.index, `${received} for proxy ${proxy.name}.`);
    for (const server of proxy.servers) {
      if (!server.removed) tell(serverLine(memory, proxy, server, firstServer[proxy.index]! + server.index));
    }
    tell(proxyLine(memory, proxy));
  }
}

/** Gives back to the system what is free, and shows what is in use. */
export function dumpPools(generation: Generation, say: Say): void {
  returnFreeBlocks();
  const start = {
    level: 'admin',
    expert: false,
    experimental: false,
    exposeFd: false,
    severityOutput: 'none',
  } as const;
  const decoder = new TextDecoder();
  generation.cli('show pools\n', start, bytes => {
    if (bytes !== null) say.raw(decoder.decode(bytes, { stream: true }));
  });
}

function serverLine(memory: Memory, proxy: Proxy, { name }: Server, number: number): string {
  const word = (field: keyof typeof SERVER.at) => Atomics.load(memory.words, memory.server(number) + SERVER.at[field]);
  const up = word('oper') !== OPER_STOPPED && (word('admin') & ADMIN_MAINT) === 0;
  const conns = `${word('served')} act, ${word('queued')} pend, ${memory.sum('server', number, CUM_SESS)} tot`;
  return `SIGHUP: Server ${proxy.name}/${name} is ${up ? 'UP' : 'DOWN'}. Conn: ${conns}.`;
}

function proxyLine(memory: Memory, proxy: Proxy): string {
  const { index } = proxy;
  const word = (field: keyof typeof PROXY.at) => Atomics.load(memory.words, memory.proxy(index) + PROXY.at[field]);
  const totals = `tot(FE+BE): ${memory.sum('frontend', index, CUM_SESS)}+${memory.sum('backend', index, CUM_SESS)}`;
  const queued = `${word('be_total_queued')} pend (${word('be_queued')} unass)`;
  const conns = `Conn: act(FE+BE): ${word('fe_conns')}+${word('be_sess')}, ${queued}, ${totals}.`;
  return `SIGHUP: Proxy ${proxy.name} ${serversText(proxy, word('act'), word('bck'))} ${conns}`;
}

function serversText(proxy: Proxy, active: number, backups: number): string {
  const servers = isBackend(proxy) ? proxy.servers.filter(({ removed }) => !removed) : [];
  if (servers.length === 0) return 'has no servers.';
  if (active > 0) return `has ${active} active servers and ${backups} backup servers available.`;
  return backups > 0 ? `is running on ${backups} backup servers.` : 'has no server available !';
}
