/** The runtime API before a real data path: what is asked goes to the workers of a rig (test/proxy/rig.ts). */
import net from 'node:net';
import { DynamicCookies } from '../../engine/balance/dynamic-cookies.ts';
import { Asker } from '../../engine/cli/asker.ts';
import { startCli } from '../../engine/cli/index.ts';
import type { Bind } from '../../engine/config/model.ts';
import { openListener } from '../../engine/io/bind.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { Traces } from '../../engine/log/traces.ts';
import { PatternBooks } from '../../engine/sample/book.ts';
import { ProcVars } from '../../engine/sample/proc-vars.ts';
import { ChangeLog } from '../../engine/shm/change-log.ts';
import { topology } from '../../engine/shm/memory.ts';
import { WORKER } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';
import { TlsChanges } from '../../engine/tls/changes.ts';
import { tlsStore } from '../../engine/tls/store.ts';
import { PLAIN_SPEC } from '../io/plain-spec.ts';
import { type Rig, startRig } from '../proxy/rig.ts';
import { NO_NAMES } from '../resolvers/no-names.ts';

const LOOPBACK = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 } as const;

export interface CliRig {
  readonly rig: Rig;
  /** Workers that say nothing. */
  readonly stuck: Set<number>;
  /** What was to be logged, and the codes that the process was to end with. */
  readonly logged: string[];
  readonly exits: number[];
  /** Sends a line, half-closes, and gives all that comes. */
  ask(input: string): Promise<string>;
  stop(): Promise<void>;
}

export async function startCliRig(config: string, workers = 1): Promise<CliRig> {
  const rig = await startRig(config, { workers });
  const { model, memory, view } = rig;
  for (let w = 0; w < workers; w++) Atomics.store(memory.words, memory.worker(w) + WORKER.at.alive, 1);
  const io = createNetIo();
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const stuck = new Set<number>();
  const now = () => io.now();
  const post = {
    ask: (worker: number, id: number, question: Parameters<Rig['workers'][number]['ask']>[0]) => {
      if (stuck.has(worker)) return;
      setImmediate(() => {
        io.wake();
        asker.answered(id, structuredClone(rig.workers[worker]!.ask(structuredClone(question))));
      });
    },
    place: (id: number) => setImmediate(() => asker.answered(id, null)),
    expose: () => {},
    forget: () => {},
    sockets: (id: number) => setImmediate(() => asker.answered(id, null)),
  };
  const asker = new Asker(post, memory, wheel, now);
  const listener = openListener({ ...PLAIN_SPEC, address: LOOPBACK });
  if (!('fd' in listener)) throw new Error(listener.message);
  const { port } = listener.address;
  const changes = new ChangeLog(rig.changes, workers);
  const dynamicCookies = new DynamicCookies(model.proxies, changes);
  view.dynamicCookies = dynamicCookies;
  const logged: string[] = [];
  const exits: number[] = [];
  const bind = { level: 'admin', address: LOOPBACK, inheritedFd: null, tls: null, severityOutput: 'none' };
  const cli = startCli(
    {
      ...{ io, wheel, asker, model, memory, view, dynamicCookies, now },
      tables: rig.tables,
      books: new PatternBooks(model.patternRefs, changes),
      procVars: new ProcVars(model.global.procVars, changes),
      traces: new Traces(changes),
      ocsp: { entries: [], update: () => 'nobody asks here' },
      tls: new TlsChanges(tlsStore(model.tls), changes),
      topology: topology(model),
      log: (_level, _proxy, text) => void logged.push(text),
      rings: { list: [], watch: () => () => {} },
      checks: { add() {}, remove() {}, tellAgent() {} },
      names: NO_NAMES,
      peers: [],
      logger: { process: (_level, text) => void logged.push(text) },
      exit: code => void exits.push(code),
      startupLogs: '',
      environment: {},
    },
    [{ fd: listener.fd, bind: bind as unknown as Bind }],
  );
  return {
    ...{ rig, stuck, logged, exits, ask: input => ask(port, input) },
    stop: async () => {
      cli.rest();
      cli.stop(false, () => {});
      await io.stop();
      await rig.stop();
    },
  };
}

function ask(port: number, input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => {
      socket.destroy();
      resolve(answer);
    });
    socket.on('error', reject);
    socket.end(`${input}\n`);
  });
}
