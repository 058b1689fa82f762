/** Processes that share tables, on a simulated network. */
import type { Address } from '../../engine/io/contract.ts';
import type { Sim } from '../../engine/io/sim.ts';
import { randomFrom } from '../../engine/io/sim-events.ts';
import { type PeersEnv, Section, type SectionSpec } from '../../engine/peers/section.ts';
import type { Call } from '../../engine/proxy/streamless.ts';
import { TimerWheel } from '../../engine/time.ts';
import { columnsOf, FakeTable } from './fake-table.ts';

/** Where peer number `n` listens. */
export const addressOf = (n: number): Address => ({ family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 1000 + n });

/** As a line without words does it. */
export const call: Call = (io, address, handler) => io.connect(address, { source: null, tfo: false }, handler);

export interface Town {
  readonly section: Section;
  readonly table: FakeTable;
  readonly log: string[];
  /** Changes an entry here, and tells the peers. */
  set(key: string, value: number): void;
  /** It leaves; the function it gives tells whether it has handed over. */
  leave(): () => boolean;
}

export interface TownOptions extends Partial<Pick<SectionSpec, 'shards' | 'succeeds'>> {
  /** The shard of each peer. */
  readonly shard?: readonly number[];
  readonly table?: FakeTable;
  /** It does not listen: its new self does. */
  readonly deaf?: boolean;
}

/** Starts the process of peer `me` among the peers called `names`. */
export function start(sim: Sim, names: string, me: string, options: TownOptions = {}): Town {
  const io = sim.host();
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const log: string[] = [];
  const env: PeersEnv = {
    ...{
      io,
      wheel,
      pid: 7,
      updatesAtOnce: 5,
      now: () => io.now(),
      log: (_level, _section, text) => void log.push(text),
    },
    random: randomFrom(sim.seed + me.charCodeAt(0)),
  };
  const table = options.table ?? new FakeTable('t', columnsOf('gpc0', 'server_key'), 'string', 512);
  const section = new Section(env, {
    index: 0,
    name: 'p',
    localName: me,
    shards: options.shards ?? 0,
    succeeds: options.succeeds ?? false,
    tables: [table],
    peers: [...names].map((name, n) => {
      return { name, address: addressOf(n), shard: options.shard?.[n] ?? 0, call };
    }),
  });
  if (!options.deaf) section.listen(sim.bind(addressOf(names.indexOf(me))), 16);
  return {
    section,
    table,
    log,
    set(key, value) {
      table.set(key, value, `srv${value % 7}`);
      io.wake();
      section.push();
    },
    leave() {
      let done = 0;
      io.wake();
      section.handOver(() => done++);
      return () => done === 1;
    },
  };
}
