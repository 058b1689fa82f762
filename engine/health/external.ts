/** External checks (manual, `option external-check`): a program's exit status says how a server is. */

import { isFrontend } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { hostText } from '../io/address.ts';
import { type Command, runCommand } from '../io/command.ts';
import type { Address } from '../io/contract.ts';
import { EXTERNAL_CHECKS_MAX, EXTERNAL_KILL_MS } from '../limits.ts';
import { Timer } from '../time.ts';
import type { CheckEnv, Probe } from './script.ts';
import { PROCERR, PROCOK, PROCTOUT, type Verdict, verdict } from './statuses.ts';
import { serverWord, type Target } from './target.ts';

const NOT_USED = 'NOT_USED';

/** How many programs run at a time: the others wait for their turn. */
export class Turns {
  #running = 0;
  readonly #waiting: External[] = [];

  /** Begins `external` now or when it is its turn. */
  ask(external: External): void {
    if (this.#running >= EXTERNAL_CHECKS_MAX) this.#waiting.push(external);
    else {
      this.#running++;
      external.begin();
    }
  }

  /** One has ended. */
  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#running--;
    else next.begin();
  }

  /** `external` does not want to begin any more. False when it is not waiting. */
  forget(external: External): boolean {
    const at = this.#waiting.indexOf(external);
    if (at >= 0) this.#waiting.splice(at, 1);
    return at >= 0;
  }
}

export class External implements Probe {
  readonly #env: CheckEnv;
  readonly #target: Target;
  readonly #turns: Turns;
  readonly #done: (found: Verdict) => void;
  readonly #timer: Timer<External>;
  #command: Command | null = null;
  /** Time is over: first asked to end, then made to. */
  #late = false;
  #stopped = false;

  constructor(env: CheckEnv, target: Target, turns: Turns, done: (found: Verdict) => void) {
    this.#env = env;
    this.#target = target;
    this.#turns = turns;
    this.#done = done;
    this.#timer = new Timer<External>(this, external => external.#expire());
  }

  start(): void {
    this.#turns.ask(this);
  }

  stop(): void {
    this.#stopped = true;
    this.#env.wheel.forget(this.#timer);
    if (!this.#turns.forget(this)) this.#command?.kill('SIGKILL');
  }

  /** Its turn has come. */
  begin(): void {
    const { env, args } = invocation(this.#env, this.#target);
    const { checkMs } = this.#target.proxy.timeouts;
    const limitMs = checkMs || this.#target.server.check!.interMs;
    this.#late = false;
    this.#env.wheel.arm(this.#timer, this.#env.now() + limitMs);
    const { command } = this.#script.external!;
    this.#command = runCommand(command, args, env, status => this.#end(status));
  }

  get #script() {
    return this.#target.server.check!.script ?? this.#target.proxy.check;
  }

  #expire(): void {
    this.#command?.kill(this.#late ? 'SIGKILL' : 'SIGTERM');
    if (this.#late) return;
    this.#late = true;
    this.#env.wheel.arm(this.#timer, this.#env.now() + EXTERNAL_KILL_MS);
  }

  #end(status: number): void {
    this.#command = null;
    this.#env.wheel.disarm(this.#timer);
    this.#turns.give();
    if (this.#stopped) return;
    if (this.#late) this.#done(verdict(PROCTOUT, '', 0));
    else this.#done(verdict(status === 0 ? PROCOK : PROCERR, '', status));
  }
}

/** What the program gets: HAProxy's variables and nothing else, and four arguments. */
function invocation(env: CheckEnv, t: Target): { args: readonly string[]; env: Readonly<Record<string, string>> } {
  const { proxy, server } = t;
  const { path } = (server.check?.script ?? proxy.check).external!;
  const own = ownAddress(proxy);
  const [address, port] = [textOf(server.address), server.address.family === 1 ? '' : String(server.address.port)];
  const variables = {
    HAPROXY_PROXY_ADDR: own.address === NOT_USED ? '' : own.address,
    HAPROXY_PROXY_ID: String(proxy.id),
    HAPROXY_PROXY_NAME: proxy.name,
    HAPROXY_PROXY_PORT: own.port === NOT_USED ? '' : own.port,
    HAPROXY_SERVER_ADDR: address,
    HAPROXY_SERVER_CURCONN: String(serverWord(env.memory, t, 'served')),
    HAPROXY_SERVER_ID: String(server.id),
    HAPROXY_SERVER_MAXCONN: String(serverWord(env.memory, t, 'maxconn')),
    HAPROXY_SERVER_NAME: server.name,
    HAPROXY_SERVER_PORT: port,
    HAPROXY_SERVER_PROTO: proxy.mode === 'http' ? 'h1' : 'tcp',
    HAPROXY_SERVER_SSL: server.tls === null ? '0' : '1',
    PATH: path,
  };
  return { args: [own.address, own.port, address, port || NOT_USED], env: variables };
}

function textOf(address: Address): string {
  return address.family === 1 ? Buffer.from(address.bytes).toString() : hostText(address);
}

/** The first address that the proxy listens on. */
function ownAddress(proxy: Proxy): { address: string; port: string } {
  const bind = isFrontend(proxy) ? proxy.binds.find(({ address }) => address !== null) : undefined;
  if (bind === undefined) return { address: NOT_USED, port: NOT_USED };
  const address = bind.address!;
  return { address: textOf(address), port: address.family === 1 ? NOT_USED : String(address.port) };
}
