/** Changes states and weights of all servers at random, as an operator on the statistics page of this worker would. */
import { workerData } from 'node:worker_threads';
import { forceHealth, setDrain, setMaint, setReady, setWeight } from '../../engine/health/state.ts';
import { targetOf } from '../../engine/health/target.ts';
import { Memory, topology } from '../../engine/shm/memory.ts';
import { modelOf, type ServerOptions } from './fixture.ts';

const { buffer, servers, go, steps } = workerData as {
  buffer: SharedArrayBuffer;
  servers: ServerOptions[];
  go: Int32Array;
  steps: number;
};
const model = modelOf(servers);
const memory = Memory.attach(buffer);
const env = { model, memory, topology: topology(model), log: () => {}, now: () => 1_000_000 };
const proxy = model.proxies[0]!;
const pick = (n: number) => Math.floor(Math.random() * n);

Atomics.add(go, 0, 1);
while (Atomics.load(go, 0) < 2);
for (let i = 0; i < steps; i++) {
  const t = targetOf(env, proxy, proxy.servers[pick(servers.length)]!);
  [
    () => setMaint(env, t),
    () => setReady(env, t),
    () => setDrain(env, t),
    () => setWeight(env, t, pick(3)),
    () => forceHealth(env, t, pick(2) ? 'up' : 'down', ''),
  ][pick(5)]!();
}
