/** One request to an authority over HTTP/1.1, from the control thread: it is asked, answers, and the connection is closed. */
import { CheckResponse } from '../health/response.ts';
import { parseIp } from '../io/address.ts';
import type { Address, Chunk, Conn, Handler, Io } from '../io/contract.ts';
import { OCSP_ANSWER_BYTES, OCSP_TIMEOUT_MS } from '../limits.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { httpRequest } from './request.ts';

export interface AskEnv {
  readonly io: Io;
  readonly wheel: TimerWheel;
  /** Calls `done` at once or later with an address, port 0, or with null. */
  lookUp(name: string, done: (address: Address | null) => void): void;
}

/** The answer; null = there was none in time, or not all of it. */
export type Answered = (answer: CheckResponse | null) => void;

/**
 * Asks at `url`, or at `proxy` (`host:port`) for it. `done` is called once, at once or later.
 * @returns what gives it up: then `done` is not called.
 */
export function ask(env: AskEnv, url: URL, proxy: string | null, request: Uint8Array, done: Answered): () => void {
  const asked = new Ask(env, httpRequest(url, request, proxy !== null), done);
  const at = URL.parse(`http://${proxy ?? url.host}`);
  if (at === null) asked.end(null);
  else asked.begin(at.hostname.replace(/^\[|\]$/g, ''), at.port === '' ? 80 : Number(at.port));
  return () => asked.giveUp();
}

class Ask implements Handler {
  readonly #env: AskEnv;
  readonly #request: Uint8Array;
  readonly #timer: Timer<Ask>;
  readonly #answer = new CheckResponse(OCSP_ANSWER_BYTES);
  #done: Answered | null;
  #conn: Conn | null = null;

  constructor(env: AskEnv, request: Uint8Array, done: Answered) {
    this.#env = env;
    this.#request = request;
    this.#done = done;
    this.#timer = new Timer<Ask>(this, asked => asked.end(null));
    env.wheel.arm(this.#timer, env.io.now() + OCSP_TIMEOUT_MS);
  }

  begin(host: string, port: number): void {
    const known = parseIp(host, port);
    if (known !== null) this.#connect(known);
    else this.#env.lookUp(host, address => (address === null ? this.end(null) : this.#connect({ ...address, port })));
  }

  #connect(address: Address): void {
    if (this.#done !== null) this.#conn = this.#env.io.connect(address, { source: null, tfo: false }, this);
  }

  onOpen(conn: Conn): void {
    conn.send(this.#request, 0, this.#request.length);
  }

  onData(_conn: Conn, { bytes, start, end }: Chunk): void {
    this.#answer.feed(bytes, start, end);
    this.#look(false);
  }

  onEnd(): void {
    this.#look(true);
  }

  onDrain(): void {}

  onClose(): void {
    this.#conn = null;
    this.#look(true);
  }

  #look(ended: boolean): void {
    const answer = this.#answer;
    if (answer.invalid) this.end(null);
    else if (answer.complete(ended)) this.end(answer);
    else if (ended) this.end(null);
  }

  end(answer: CheckResponse | null): void {
    const done = this.#done;
    this.giveUp();
    done?.(answer);
  }

  giveUp(): void {
    this.#done = null;
    this.#env.wheel.forget(this.#timer);
    this.#conn?.abort(false);
    this.#conn = null;
  }
}
