/** Names resolved in this thread, over real sockets of the loopback, with a name server of the test's own. */
import { initialise } from '../../engine/health/initialise.ts';
import { type StateEnv, serverWord, type Target, targetOf } from '../../engine/health/target.ts';
import { hostText } from '../../engine/io/address.ts';
import { openDatagrams } from '../../engine/io/datagram.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { type Names, startNames } from '../../engine/resolvers/index.ts';
import type { Counter } from '../../engine/resolvers/nameserver.ts';
import { Memory, shapeOf, topology } from '../../engine/shm/memory.ts';
import { LiveAddress } from '../../engine/shm/server-address.ts';
import type { SERVER } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';
import { load } from '../config/load-text.ts';

/** How long something may take that should happen. Milliseconds. */
const PATIENCE_MS = 5_000;

export interface NamesWorld {
  readonly names: Names;
  readonly lines: readonly string[];
  target(server: string): Target;
  /** `<address>:<port>`, `-` = none, of the servers in the order of the configuration. */
  where(): string[];
  word(server: string, field: keyof typeof SERVER.at): number;
  count(counter: Counter, section?: number, nameserver?: number): number;
  stop(): Promise<void>;
}

/** `text`: sections of a configuration. */
export function startWorld(text: string): NamesWorld {
  const { model, diagnostics } = load(text);
  if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
  const io = createNetIo();
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const memory = Memory.create(shapeOf(model, 1));
  initialise(memory, model, io.now());
  const lines: string[] = [];
  const log = (_level: number, _proxy: number, line: string): void => void lines.push(line);
  const env: StateEnv = { model, memory, topology: topology(model), log, now: () => io.now() };
  const names = startNames({ ...env, io, wheel, openDatagrams, hasIpv6: () => true });
  io.wake();
  const targets = model.proxies.flatMap(proxy => proxy.servers.map(server => targetOf(env, proxy, server)));
  const target = (name: string): Target => targets.find(t => t.server.name === name)!;
  return {
    names,
    lines,
    target,
    where: () =>
      targets.map(({ number, server }) => {
        const { address } = new LiveAddress(memory, number, server);
        return `${hostText(address) || '-'}:${address.port}`;
      }),
    word: (name, field) => serverWord(memory, target(name), field),
    count: (counter, section = 0, nameserver = 0) => names.sections[section]!.nameservers[nameserver]!.counted(counter),
    stop: async () => {
      names.stop();
      await io.stop();
    },
  };
}

/** Looks until it is so, and fails with the last thing seen. */
export async function until<T>(look: () => T, good: (seen: T) => boolean): Promise<T> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const seen = look();
    if (good(seen)) return seen;
    if (performance.now() > deadline) throw new Error(`it stayed ${JSON.stringify(seen)}`);
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}
