/**
 * One connection of the runtime API.
 *
 *   bytes ──► lines ──► commands ──► answer ──► "\n" (and "> " in interactive mode) ──► next command, or the end
 *
 * Outside interactive mode the connection ends when all complete lines that had arrived are answered. An answer that is a
 * dump is pulled piece by piece as the peer takes it, and one that comes later is waited for; no other command runs
 * meanwhile.
 */
import type { Bind } from '../config/model.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { HIGH_WATER_BYTES } from '../limits.ts';
import type { Dump } from '../stats/out.ts';
import { Timer } from '../time.ts';
import {
  allowed,
  type CliEnv,
  type CliState,
  type Command,
  isOpen,
  type Later,
  type Mode,
  type Reply,
  type SessionEnv,
} from './command.ts';
import { findCommand, unknownText } from './help.ts';
import { splitLine } from './line.ts';
import { DENIED, err, type Message, type Severity, shown, usualSeverity } from './severity.ts';

/** What all sessions share. `E`: what the commands work on. */
export interface CliShared<E = CliEnv> {
  readonly env: E;
  readonly session: SessionEnv;
  readonly commands: readonly Command<E>[];
  readonly sockets: readonly Bind[];
  /** The answer to words that are none of our commands; else the words of one. */
  route(words: readonly string[], payload: string | null, state: CliState): Reply | readonly string[];
  /** What takes the connection over with this line; null = the line is one like any other. */
  tunnel?(line: string, state: CliState): Opening | null;
  /** What the prompt begins with. */
  prompt(state: CliState): string;
  /** A command that is there in a mode only is run. */
  used?(mode: Mode): void;
  /** A session is over. */
  ended(session: Session<E>): void;
}

/** How a session begins. */
export type Start = Pick<CliState, 'level' | 'expert' | 'experimental' | 'exposeFd' | 'severityOutput'> &
  Partial<Pick<CliState, 'interactive' | 'prompt' | 'timed'>>;

/** Another session that has the connection for a while: bytes go there as they come, and its answers come back. */
interface Tunnel {
  /** null = the client sends no more. */
  send(bytes: Uint8Array | null): void;
  /** So many bytes of its answers went on to the client: more may come. */
  taken(bytes: number): void;
  giveUp(): void;
}

/** Begins one; `said` is called with each piece of its answers, then with null, in later events. */
export type Opening = (said: (bytes: Uint8Array | null) => void) => Tunnel;

const LF = 0x0a;
const PAYLOAD_TOO_LONG = 'The payload is too long.';
const NOTHING = new Uint8Array(0);
const utf8 = new TextEncoder();

export class Session<E = CliEnv> implements Handler {
  readonly #shared: CliShared<E>;
  readonly #conn: Conn;
  readonly #timer: Timer<Session<E>>;
  readonly #state: CliState;
  /** Received and not yet run; bounded by `tune.bufsize`, and by `tune.cli.max-payload-size` while a payload comes. */
  #input: Uint8Array = NOTHING;
  /** Commands of the current line still to run, each as its words. */
  #queue: string[][] = [];
  /** The line that ends the payload of the last of them, while it comes; null = there is none. */
  #payloadEnd: string | null = null;
  #payload: string[] | null = null;
  /** Of the lines in it. */
  #payloadBytes = 0;
  #dump: Dump | null = null;
  /** What the current command says next, when the peer has taken what it said. */
  #more: Later | null = null;
  #tunnel: Tunnel | null = null;
  /** Bytes of its answers that the peer has not taken yet. */
  #untold = 0;
  /** Gives up the answer that is waited for; null = none is. */
  #giveUp: (() => void) | null = null;
  /** How serious plain answers of the current command are. */
  #usual: Severity | null = null;
  #ended = false;
  /** A command has been run: without more of them the connection ends, unless it is interactive. */
  #ran = false;
  #closing = false;
  /** As if no more commands came. */
  #stopping = false;

  constructor(shared: CliShared<E>, conn: Conn, start: Start) {
    const { timeoutMs } = shared.session;
    this.#shared = shared;
    this.#conn = conn;
    this.#state = {
      ...{ interactive: false, prompt: false, timed: false, debug: false, anonKey: 0 },
      ...start,
      timeoutMs,
      interruptible: false,
      quit: false,
    };
    this.#timer = new Timer<Session<E>>(this, s => s.end());
    conn.handler = this;
    this.#touch();
    if (this.#state.prompt) this.#say(this.#promptText());
  }

  /** Ends the connection at once. */
  end(): void {
    this.#conn.abort(false);
  }

  /** Takes no command any more; ends when those that have come are answered. */
  stop(): void {
    if (this.#closing || this.#stopping) return;
    this.#stopping = true;
    // Whoever has just connected is about to say what for.
    if (this.#ran || this.#ended) this.#work();
  }

  onOpen(): void {}

  onData(_conn: Conn, chunk: Chunk): void {
    if (this.#closing) return;
    this.#touch();
    if (this.#interrupt()) return;
    const arrived = chunk.bytes.subarray(chunk.start, chunk.end);
    if (this.#tunnel !== null) {
      this.#tunnel.send(arrived.slice());
      return;
    }
    const input = new Uint8Array(this.#input.length + arrived.length);
    input.set(this.#input);
    input.set(arrived, this.#input.length);
    this.#input = input;
    this.#work();
    if (this.#closing) return;
    const { lineBytesMax, payloadBytesMax } = this.#shared.session;
    const payloadBytes = this.#payloadBytes + this.#input.length;
    if (this.#payloadEnd !== null && payloadBytes > payloadBytesMax) this.#refuse(PAYLOAD_TOO_LONG);
    else if (this.#payloadEnd === null && this.#input.length > lineBytesMax) {
      this.#refuse('Command line too long.');
    }
  }

  onEnd(): void {
    this.#ended = true;
    this.#tunnel?.send(null);
    this.#interrupt();
    this.#work();
  }

  onDrain(): void {
    this.#touch();
    this.#told();
    this.#work();
  }

  onClose(): void {
    this.#closing = true;
    this.#dump = null;
    this.#giveUp?.();
    this.#tunnel?.giveUp();
    this.#shared.session.wheel.forget(this.#timer);
    this.#shared.ended(this);
  }

  /** Ends the answer that waits, if input ends it; that input is nothing else. */
  #interrupt(): boolean {
    const giveUp = this.#giveUp;
    if (giveUp === null || !this.#state.interruptible) return false;
    giveUp();
    this.#giveUp = this.#more = null;
    this.#finish('');
    this.#work();
    return true;
  }

  /** Runs what can be run now. */
  #work(): void {
    while (!this.#closing && this.#giveUp === null && this.#tunnel === null) {
      if (this.#dump !== null && !this.#pull(this.#dump)) return;
      if (this.#more !== null) {
        if (!this.#goOn(this.#more)) return;
        continue;
      }
      if (this.#payloadEnd !== null && !this.#takePayload(this.#payloadEnd)) return;
      const words = this.#queue.shift();
      if (words !== undefined) {
        this.#ran = true;
        this.#run(words, this.#queue.length === 0 ? this.#payload : null);
      } else if (!this.#takeLine()) {
        // Half a line at the end is not a command: who sent it may have died over it.
        if (this.#ended || (this.#ran && (this.#stopping || !this.#state.interactive))) this.#close();
        return;
      }
    }
  }

  /** Moves the next complete line into the queue. */
  #takeLine(): boolean {
    const line = this.#nextLine();
    if (line === null) return false;
    const opening = this.#shared.tunnel?.(line, this.#state) ?? null;
    if (opening !== null) {
      this.#open(opening);
      return true;
    }
    const { commands, payloadEnd } = splitLine(line);
    this.#queue = commands;
    this.#payloadEnd = payloadEnd;
    this.#payload = payloadEnd === null ? null : [];
    this.#payloadBytes = 0;
    if (payloadEnd !== null && this.#state.prompt) this.#say('+ ');
    return true;
  }

  /** Gives the connection to another session until that is over. What has come already is its input. */
  #open(opening: Opening): void {
    this.#ran = true;
    const tunnel = opening(bytes => {
      if (this.#tunnel !== tunnel) return;
      if (bytes !== null) {
        this.#conn.send(bytes, 0, bytes.length);
        this.#untold += bytes.length;
        this.#touch();
        return this.#told();
      }
      this.#tunnel = null;
      this.#untold = 0;
      if (this.#state.prompt) this.#say(this.#promptText());
      this.#work();
    });
    this.#tunnel = tunnel;
    if (this.#input.length > 0) tunnel.send(this.#input.slice());
    this.#input = NOTHING;
    if (this.#ended) tunnel.send(null);
  }

  /** Lets the other session say more, unless the peer is slow. */
  #told(): void {
    if (this.#tunnel === null || this.#conn.pending > HIGH_WATER_BYTES) return;
    this.#tunnel.taken(this.#untold);
    this.#untold = 0;
  }

  /** Gathers payload; true when it is complete. */
  #takePayload(end: string): boolean {
    for (;;) {
      const line = this.#nextLine();
      if (line === null) {
        if (this.#ended) this.#close();
        return false;
      }
      if (line === end) break;
      this.#payload!.push(line);
      this.#payloadBytes += Buffer.byteLength(line) + 1;
      if (this.#payloadBytes > this.#shared.session.payloadBytesMax) {
        this.#refuse(PAYLOAD_TOO_LONG);
        return false;
      }
      if (this.#state.prompt) this.#say('+ ');
    }
    this.#payloadEnd = null;
    return true;
  }

  #nextLine(): string | null {
    const lf = this.#input.indexOf(LF);
    if (lf < 0) return null;
    const line = Buffer.from(this.#input.buffer, this.#input.byteOffset, lf).toString();
    this.#input = lf + 1 < this.#input.length ? this.#input.subarray(lf + 1) : NOTHING;
    return line.endsWith('\r') ? line.slice(0, -1) : line;
  }

  #run(typed: readonly string[], lines: readonly string[] | null): void {
    const state = this.#state;
    const payload = lines?.join('\n') ?? null;
    this.#usual = null;
    const routed = this.#shared.route(typed, payload, state);
    const answer = isWords(routed) ? this.#command(routed, payload) : routed;
    if (state.quit) this.#close();
    else if (answer === null) this.#say(state.prompt ? this.#promptText() : '');
    else if (typeof answer === 'function') this.#goOn(answer);
    else if (typeof answer === 'string' || 'severity' in answer) this.#finish(this.#line(answer));
    else this.#dump = answer;
  }

  #command(words: readonly string[], payload: string | null): Reply {
    const { env, commands, sockets } = this.#shared;
    const state = this.#state;
    const open = commands.filter(command => isOpen(command, state));
    const command = findCommand(state.debug ? commands : commands.filter(({ mode }) => mode !== 'debug'), words);
    if (command === null) return { severity: 'info', text: unknownText(open, state.level, words) };
    if (!isOpen(command, state)) return err(`This command is restricted to ${command.mode} mode only.`);
    if (!allowed(state.level, command.level)) return DENIED;
    if (command.mode !== undefined) this.#shared.used?.(command.mode);
    this.#usual = command.severity ?? usualSeverity(command.words);
    const args = words.slice(command.words.split(' ').length);
    return command.run({ env, conn: this.#conn, state, args, payload, commands: open, sockets });
  }

  /** Asks for the next part of an answer, once the peer has taken the last one. False when it is to be waited for. */
  #goOn(answer: Later): boolean {
    this.#more = answer;
    if (this.#conn.pending > HIGH_WATER_BYTES) return false;
    this.#more = null;
    let now = true;
    let came = false;
    const giveUp = answer((text, more) => {
      came = true;
      this.#giveUp = null;
      this.#more = more;
      const line = text instanceof Uint8Array ? text : this.#line(text);
      if (more === null) this.#finish(line);
      else this.#say(line);
      if (!now) this.#work();
    });
    now = false;
    if (came) return true;
    this.#giveUp = giveUp;
    this.#touch();
    return false;
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

  /** The answer with its line feed; '' = nothing to say. */
  #line(answer: string | Message): string {
    const text = shown(answer, this.#usual, this.#state.severityOutput);
    return text === '' ? '' : `${text}\n`;
  }

  #finish(text: string | Uint8Array): void {
    this.#state.interruptible = false;
    this.#say(text);
    this.#say(this.#state.prompt ? `\n${this.#promptText()}` : '\n');
    if (this.#state.quit) this.#close();
  }

  #promptText(): string {
    const { session, prompt } = this.#shared;
    const name = prompt(this.#state);
    if (!this.#state.timed) return `${name}> `;
    const up = session.uptime(this.#state);
    const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
    const time = `${Math.floor(up / 86_400)}:${two((up / 3600) % 24)}:${two((up / 60) % 60)}:${two(up % 60)}`;
    return `[${time}]${name === '' ? '' : ` ${name}`}> `;
  }

  #refuse(text: string): void {
    this.#say(`${text}\n\n`);
    this.#close();
  }

  #say(text: string | Uint8Array): void {
    const bytes = typeof text === 'string' ? utf8.encode(text) : text;
    if (bytes.length > 0) this.#conn.send(bytes, 0, bytes.length);
    this.#touch();
  }

  #close(): void {
    this.#closing = true;
    this.#conn.resume();
    this.#conn.close();
  }

  /** Starts the idle time again: not while we are the one who is waited for. It also bounds a close that the peer does not take. */
  #touch(): void {
    const { wheel, now } = this.#shared.session;
    const { timeoutMs } = this.#state;
    wheel.arm(this.#timer, timeoutMs > 0 && this.#giveUp === null ? now() + timeoutMs : Infinity);
  }
}

function isWords(routed: Reply | readonly string[]): routed is readonly string[] {
  return Array.isArray(routed);
}
