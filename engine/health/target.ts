/** A server as checks and states see it, and its shared words. */
import type { Model } from '../config/model.ts';
import type { Server } from '../config/server-model.ts';
import type { Memory, Topology } from '../shm/memory.ts';
import { SERVER } from '../shm/words.ts';
import type { Log } from './log.ts';

export interface StateEnv {
  readonly model: Model;
  readonly memory: Memory;
  readonly topology: Topology;
  readonly log: Log;
  /** Milliseconds of the shared clock. */
  now(): number;
}

/** A server, with its proxy and its number over the whole configuration. */
export interface Target {
  readonly proxy: Model['proxies'][number];
  readonly server: Server;
  readonly number: number;
}

const AT = SERVER.at;

export function targetOf(env: StateEnv, proxy: Target['proxy'], server: Server): Target {
  return { proxy, server, number: env.topology.firstServer[proxy.index]! + server.index };
}

export function serverWord(memory: Memory, t: Target, field: keyof typeof AT): number {
  return Atomics.load(memory.words, memory.server(t.number) + AT[field]);
}

export function setServerWord(memory: Memory, t: Target, field: keyof typeof AT, value: number): void {
  Atomics.store(memory.words, memory.server(t.number) + AT[field], value);
}

export function addServerWord(memory: Memory, t: Target, field: keyof typeof AT, value: number): void {
  Atomics.add(memory.words, memory.server(t.number) + AT[field], value);
}
