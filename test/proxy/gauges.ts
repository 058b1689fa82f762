/** What must be back at nothing once all clients have gone. */
import { COUNTERS, type CounterName } from '../../engine/shm/counters.ts';
import type { RowKind } from '../../engine/shm/memory.ts';
import { LISTENER, PROCESS, PROXY, SERVER } from '../../engine/shm/words.ts';
import { network } from './network.ts';
import type { Rig } from './rig.ts';

/** Idle connections may stay in the pools. */
const GAUGES: readonly CounterName[] = [
  'cur_sess',
  'cur_paused',
  'cur_queued',
  'queue_head',
  'cur_idle_private',
  'cur_used',
  'cur_h1_conns',
  'cur_h1_streams',
];

/** Every gauge of every worker that is not zero, by name. */
export function heldGauges({ memory, model }: Pick<Rig, 'memory' | 'model'>): Record<string, number> {
  const held: Record<string, number> = {};
  const note = (name: string, n: number) => {
    if (n !== 0) held[name] = n;
  };
  const row = (kind: RowKind, index: number) => {
    for (const gauge of GAUGES) note(`${kind} ${index} ${gauge}`, memory.sum(kind, index, COUNTERS.at[gauge]));
  };
  row('process', 0);
  note('process conns', memory.words[memory.process + PROCESS.at.conns]!);
  note('process waiting', memory.words[memory.process + PROCESS.at.waiting]!);
  let listeners = 0;
  let servers = 0;
  for (const proxy of model.proxies) {
    row('frontend', proxy.index);
    row('backend', proxy.index);
    for (const word of ['fe_conns', 'be_sess', 'be_served', 'be_queued', 'be_total_queued'] as const) {
      note(`${proxy.name} ${word}`, memory.words[memory.proxy(proxy.index) + PROXY.at[word]]!);
    }
    for (const _ of proxy.binds) {
      row('listener', listeners);
      note(`listener ${listeners} conns`, memory.words[memory.listener(listeners) + LISTENER.at.conns]!);
      listeners++;
    }
    for (const server of proxy.servers) {
      row('server', servers);
      for (const word of ['served', 'queued'] as const) {
        note(`${proxy.name}/${server.name} ${word}`, memory.words[memory.server(servers) + SERVER.at[word]]!);
      }
      servers++;
    }
  }
  return held;
}

/** Waits until nothing is held any more; after `ms` gives what still is. */
export async function settled(rig: Pick<Rig, 'memory' | 'model'>, ms = 3000): Promise<Record<string, number>> {
  await network().wait(() => Object.keys(heldGauges(rig)).length === 0, ms);
  return heldGauges(rig);
}
