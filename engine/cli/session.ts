/**
 * One connection of the runtime API.
 *
 *   bytes ──► lines ──► commands ──► answer ──► "\n" (and "> " in interactive mode) ──► next command, or the end
 *
 * Outside interactive mode the connection ends when all complete lines that had arrived are answered. An answer that is a
 * dump is pulled piece by piece as the peer takes it; meanwhile nothing more is received.
 */
import type { Bind } from '../config/model.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { HIGH_WATER_BYTES } from '../limits.ts';
import type { Dump } from '../stats/out.ts';
import { Timer } from '../time.ts';
import { allowed, type CliEnv, type CliState, type Command } from './command.ts';
import { findCommand, unknownText } from './help.ts';
import { splitLine } from './line.ts';

/** What all sessions share. */
export interface CliShared {
  readonly env: CliEnv;
  readonly commands: readonly Command[];
  readonly sockets: readonly Bind[];
  /** A session is over. */
  ended(session: Session): void;
}

const LF = 0x0a;
const NOTHING = new Uint8Array(0);
const utf8 = new TextEncoder();

export class Session implements Handler {
  readonly #shared: CliShared;
  readonly #conn: Conn;
  readonly #timer: Timer<Session>;
  readonly #state: CliState;
  /** Received and not yet run; bounded by `tune.bufsize`. */
  #input: Uint8Array = NOTHING;
  /** Commands of the current line still to run, each as its words. */
  #queue: string[][] = [];
  #dump: Dump | null = null;
  #ended = false;
  #closing = false;

  constructor(shared: CliShared, conn: Conn, bind: Bind) {
    const timeoutMs = shared.env.model.global.statsTimeoutMs;
    this.#shared = shared;
    this.#conn = conn;
    this.#state = { level: bind.level, prompt: false, expert: false, experimental: false, timeoutMs, quit: false };
    this.#timer = new Timer<Session>(this, s => s.end());
    conn.handler = this;
    this.#touch();
  }

  /** Ends the connection at once. */
  end(): void {
    this.#conn.abort(false);
  }

  onOpen(): void {}

  onData(_conn: Conn, chunk: Chunk): void {
    if (this.#closing) return;
    this.#touch();
    const arrived = chunk.bytes.subarray(chunk.start, chunk.end);
    const input = new Uint8Array(this.#input.length + arrived.length);
    input.set(this.#input);
    input.set(arrived, this.#input.length);
    this.#input = input;
    this.#work();
    if (!this.#closing && this.#input.length > this.#shared.env.model.global.tune.bufsizeBytes) {
      this.#say('Command line too long.\n\n');
      this.#close();
    }
  }

  onEnd(): void {
    this.#ended = true;
    this.#work();
  }

  onDrain(): void {
    this.#touch();
    this.#work();
  }

  onClose(): void {
    this.#closing = true;
    this.#dump = null;
    this.#shared.env.wheel.forget(this.#timer);
    this.#shared.ended(this);
  }

  /** Runs what can be run now. */
  #work(): void {
    let ran = false;
    while (!this.#closing) {
      if (this.#dump !== null && !this.#pull(this.#dump)) return;
      const words = this.#queue.shift();
      if (words !== undefined) {
        ran = true;
        this.#run(words);
      } else if (!this.#takeLine()) {
        // Half a line at the end is not a command: who sent it may have died over it.
        if (this.#ended || (ran && !this.#state.prompt)) this.#close();
        return;
      }
    }
  }

  /** Moves the next complete line into the queue. */
  #takeLine(): boolean {
    const lf = this.#input.indexOf(LF);
    if (lf < 0) return false;
    this.#queue = splitLine(Buffer.from(this.#input.buffer, this.#input.byteOffset, lf).toString());
    this.#input = lf + 1 < this.#input.length ? this.#input.subarray(lf + 1) : NOTHING;
    return true;
  }

  #run(words: readonly string[]): void {
    const { env, commands, sockets } = this.#shared;
    const state = this.#state;
    const command = findCommand(commands, words);
    let answer: string | Dump;
    if (command === null) answer = unknownText(commands, state.level, words);
    else if (!allowed(state.level, command.level)) answer = 'Permission denied';
    else {
      const args = words.slice(command.words.split(' ').length);
      answer = command.run({ env, state, args, commands, sockets });
    }
    if (state.quit) this.#close();
    else if (typeof answer !== 'string') this.#dump = answer;
    else this.#finish(answer === '' ? '' : `${answer}\n`);
  }

  /** Sends pieces until the dump is over (true) or the peer has enough for now (false). */
  #pull(dump: Dump): boolean {
    for (;;) {
      if (this.#conn.pending > HIGH_WATER_BYTES) {
        this.#conn.pause();
        return false;
      }
      const piece = dump.next();
      if (piece === null) break;
      this.#conn.send(piece, 0, piece.length);
    }
    this.#dump = null;
    this.#conn.resume();
    this.#finish('');
    return true;
  }

  #finish(text: string): void {
    this.#say(this.#state.prompt ? `${text}\n> ` : `${text}\n`);
  }

  #say(text: string): void {
    const bytes = utf8.encode(text);
    this.#conn.send(bytes, 0, bytes.length);
    this.#touch();
  }

  #close(): void {
    this.#closing = true;
    this.#conn.resume();
    this.#conn.close();
  }

  /** Starts the idle time again. It also bounds a close that the peer does not take. */
  #touch(): void {
    const { env } = this.#shared;
    const { timeoutMs } = this.#state;
    env.wheel.arm(this.#timer, timeoutMs > 0 ? env.now() + timeoutMs : Infinity);
  }
}
