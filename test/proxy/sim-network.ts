/**
 * The simulated network under the tests of the data path. Its seed decides how bytes are cut and merged, how late they are, and
 * who is first: all that a test may not depend on. Nothing is lost and no connection breaks by itself.
 *
 *   test: await until(...)  ──►  steps of the network, one by one  ──►  done, or `ms` of virtual time are over
 *                                     ▲           │
 *                                     └───────────┘ a turn of Node's loop, for doorbells, streams and promises
 */
import { createSim, type Sim, type SimOptions } from '../../engine/io/sim.ts';
import type { Network } from './network.ts';
import { SimSocket } from './sim-socket.ts';

const LOOPBACK = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 } as const;
const CONNECT = { source: LOOPBACK, tfo: false } as const;
/** Of networks, by turns. */
const MOODS: readonly SimOptions[] = [
  // Most is cut or late, and little is under way.
  { latencyMs: [0.01, 3], windowBytes: [500, 8_000], disorder: 0.85 },
  { latencyMs: [0.01, 1], windowBytes: [4_096, 262_144], disorder: 0.4 },
];
/** A doorbell rings no later than this, virtual ms. */
const DOORBELL_MS = 0.05;
/** Turns of Node's loop that a doorbell may take, with one that rang while nobody listened. */
const HEARING_TURNS = 2;
const BURST = 64;

interface Wait {
  readonly done: () => boolean;
  readonly deadline: number;
  readonly resolve: (done: boolean) => void;
  readonly reject: (error: unknown) => void;
}

/** Moves time while somebody waits. */
class Clock {
  readonly #sim: Sim;
  #waits: Wait[] = [];
  #running = false;
  /** All that was said outside of the network before this virtual time has been heard. */
  #heard = 0;
  /** A test's socket has something to say, or a wait is over: Node's loop has its turn. */
  due = false;

  constructor(sim: Sim) {
    this.#sim = sim;
  }

  wait(done: () => boolean, ms: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      this.#waits.push({ done, deadline: this.#sim.now() + ms, resolve, reject });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    for (;;) {
      this.#look();
      if (this.due || this.#sim.nextAt > this.#heard + DOORBELL_MS) await this.#hear();
      else if (this.#waits.length > 0) this.#step();
      else break;
    }
    this.#running = false;
  }

  async #hear(): Promise<void> {
    this.due = false;
    this.#heard = this.#sim.nextAt;
    for (let turn = 0; turn < HEARING_TURNS; turn++) await new Promise(resolve => setImmediate(resolve));
  }

  #step(): void {
    try {
      this.#sim.step(this.#waits.reduce((least, wait) => Math.min(least, wait.deadline), Infinity));
      this.#heard = Math.min(this.#heard, this.#sim.now());
    } catch (error) {
      for (const wait of this.#waits.splice(0)) wait.reject(error);
    }
  }

  /** Ends the waits that are over. */
  #look(): void {
    const now = this.#sim.now();
    this.#waits = this.#waits.filter(wait => {
      const done = this.#isDone(wait);
      if (!done && now < wait.deadline) return true;
      wait.resolve(done);
      this.due = true;
      return false;
    });
  }

  #isDone(wait: Wait): boolean {
    try {
      return wait.done();
    } catch (error) {
      wait.reject(error);
      return true;
    }
  }
}

export function simNetwork(seed: number, resets: number): Network {
  const sim = createSim(seed, { ...MOODS[seed % MOODS.length], resets });
  const clients = sim.host();
  const servers = sim.host();
  const clock = new Clock(sim);
  const happened = () => {
    clock.due = true;
  };
  const socket = (allowHalfOpen: boolean) => new SimSocket(allowHalfOpen, happened);
  return {
    now: () => sim.now(),
    io: () => sim.host(),
    bind(bind) {
      if (bind.address === null) throw new Error('sim: there are no inherited descriptors');
      const fd = sim.bind({ ...bind.address, port: 0 }, bind.backlog === 0 ? undefined : bind.backlog);
      return { fd, port: sim.nameOf(fd).port };
    },
    dup: fd => sim.dup(fd),
    close: fd => sim.closeFd(fd),
    connect(port, allowHalfOpen) {
      const made = socket(allowHalfOpen);
      made.over(clients.connect({ ...LOOPBACK, port }, CONNECT, made));
      return made;
    },
    async serve(allowHalfOpen, accept) {
      const fd = sim.bind(LOOPBACK);
      const listening = servers.listen(fd, BURST, conn => {
        const made = socket(allowHalfOpen);
        made.over(conn);
        accept(made);
      });
      return { port: sim.nameOf(fd).port, close: () => listening.close() };
    },
    wait: (done, ms) => clock.wait(done, ms),
    wake: happened,
  };
}
