/**
 * Mails about servers that go up and down (`email-alert`), from the control thread: a client of SMTP (RFC 5321) that says
 * what HAProxy's says, one mail per connection, to each mailer of the section.
 *
 *   220 ──► HELO ── 250 ──► MAIL ── 250 ──► RCPT ── 250 ──► DATA ── 354 ──► the message ── 250 ──► QUIT ── 221 ──► end
 *
 * A mail that cannot be handed over within `timeout mail` is lost, as with HAProxy: what comes later must not wait for it.
 */
import { hostname } from 'node:os';
import type { Model } from '../config/model.ts';
import type { EmailAlert, Mailer } from '../config/proxy-model.ts';
import type { Chunk, Conn, Handler, Io } from '../io/contract.ts';
import { MAIL_QUEUE_MAX } from '../limits.ts';
import { Timer, type TimerWheel, wallMs } from '../time.ts';
import type { Log } from './log.ts';

interface MailEnv {
  readonly model: Model;
  readonly io: Io;
  readonly wheel: TimerWheel;
}

/** What is said in turn, and the code that each must be answered with; the first answer is the greeting. */
interface Mail {
  readonly lines: readonly string[];
}

const CODES = [220, 250, 250, 250, 354, 250, 221];

export interface Mails {
  /** Sends a mail where the proxy wants one of this level. */
  readonly alert: Log;
  stop(): void;
}

/** One queue per mailer; proxies that name the same section share them. */
export function startMails(env: MailEnv): Mails {
  const queues = new Map<string, MailQueue>();
  const queueOf = (mailer: Mailer, timeoutMs: number): MailQueue => {
    const { bytes, port } = mailer.address;
    const key = `${bytes.join('.')}:${port} ${timeoutMs}`;
    const queue = queues.get(key) ?? new MailQueue(env, mailer, timeoutMs);
    queues.set(key, queue);
    return queue;
  };
  return {
    alert(level, proxy, text) {
      const wanted = env.model.proxies[proxy]?.emailAlert ?? null;
      if (wanted === null || level > wanted.level) return;
      const mail = mailOf(wanted, text, wallMs());
      for (const mailer of wanted.mailers) queueOf(mailer, wanted.timeoutMs).add(mail);
    },
    stop: () => {
      for (const queue of queues.values()) queue.stop();
    },
  };
}

/** HAProxy's mail: the text without its full stop, as subject and as body. */
export function mailOf({ from, to, myhostname }: EmailAlert, text: string, nowMs: number): Mail {
  const line = text.replace(/\.$/, '').replace(/[\r\n]/g, ' ');
  const head = `From: ${from}\r\nTo: ${to}\r\nDate: ${dateOf(nowMs)}\r\nSubject: [HAProxy Alert] ${line}\r\n`;
  // A line of one dot ends the message (RFC 5321, section 4.5.2).
  const message = `${head}\r\n${line.replace(/^\./, '..')}\r\n\r\n.\r\n`;
  const hello = `HELO ${myhostname || hostname()}\r\n`;
  return { lines: [hello, `MAIL FROM:<${from}>\r\n`, `RCPT TO:<${to}>\r\n`, 'DATA\r\n', message, 'QUIT\r\n'] };
}

/** `Sun, 22 Nov 2026 20:41:40 +0000 (UTC)` (RFC 5322). */
function dateOf(ms: number): string {
  return new Date(ms).toUTCString().replace('GMT', '+0000 (UTC)');
}

/** The mails for one mailer: one after the other. */
class MailQueue implements Handler {
  readonly #env: MailEnv;
  readonly #mailer: Mailer;
  readonly #timeoutMs: number;
  readonly #waiting: Mail[] = [];
  readonly #timer: Timer<MailQueue>;
  #conn: Conn | null = null;
  #mail: Mail | null = null;
  /** Answers heard. */
  #heard = 0;
  #text = '';

  constructor(env: MailEnv, mailer: Mailer, timeoutMs: number) {
    this.#env = env;
    this.#mailer = mailer;
    this.#timeoutMs = timeoutMs;
    this.#timer = new Timer<MailQueue>(this, queue => queue.#done());
  }

  add(mail: Mail): void {
    if (this.#waiting.length >= MAIL_QUEUE_MAX) return;
    this.#waiting.push(mail);
    if (this.#mail === null) this.#next();
  }

  stop(): void {
    this.#waiting.length = 0;
    this.#env.wheel.forget(this.#timer);
    this.#conn?.abort(false);
    this.#conn = null;
  }

  onOpen(): void {}

  /** An answer may have several lines; the last has a space behind its code (RFC 5321, section 4.2.1). */
  onData(conn: Conn, chunk: Chunk): void {
    if (conn !== this.#conn) return;
    const { bytes, start, end } = chunk;
    this.#text += Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
    const last = /^(\d{3})(?: [^\n]*)?\r?\n/m.exec(this.#text);
    if (last !== null) this.#answered(conn, Number(last[1]));
    else if (this.#text.length > ANSWER_BYTES_MAX) this.#done();
  }

  onEnd(conn: Conn): void {
    if (conn === this.#conn) this.#done();
  }

  onDrain(): void {}

  onClose(conn: Conn): void {
    if (conn !== this.#conn) return;
    this.#conn = null;
    this.#done();
  }

  #next(): void {
    const mail = this.#waiting.shift() ?? null;
    this.#mail = mail;
    if (mail === null) return;
    this.#heard = 0;
    this.#text = '';
    const { io, wheel } = this.#env;
    wheel.arm(this.#timer, io.now() + this.#timeoutMs);
    this.#conn = io.connect(this.#mailer.address, { source: null, tfo: false }, this);
  }

  #answered(conn: Conn, code: number): void {
    this.#text = '';
    const line = this.#mail?.lines[this.#heard];
    const wanted = CODES[this.#heard++];
    if (code === wanted && line !== undefined) {
      const bytes = new Uint8Array(Buffer.from(line));
      conn.send(bytes, 0, bytes.length);
    } else this.#done();
  }

  /** The mail was handed over, or is lost. */
  #done(): void {
    const conn = this.#conn;
    this.#conn = null;
    conn?.close();
    this.#env.wheel.disarm(this.#timer);
    this.#next();
  }
}

const ANSWER_BYTES_MAX = 16_384;
