/** A connection over which somebody sends log lines to a `log-forward` section. Nothing is ever said to it. */
import type { Chunk, Conn, Handler, Io } from '../io/contract.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { Framing, type Take } from './framing.ts';

interface LogSenderOptions {
  readonly io: Io;
  readonly wheel: TimerWheel;
  /** Silence that ends it, milliseconds; 0 = none. */
  readonly clientMs: number;
  /** Of one line. */
  readonly maxBytes: number;
  readonly endsWithLf: boolean;
  readonly take: Take;
  /** It is closed. */
  readonly gone: () => void;
}

export class LogSender implements Handler {
  readonly #conn: Conn;
  readonly #options: LogSenderOptions;
  readonly #framing: Framing;
  readonly #timer: Timer<LogSender>;

  constructor(conn: Conn, options: LogSenderOptions) {
    const { maxBytes, endsWithLf, take } = options;
    this.#conn = conn;
    this.#options = options;
    this.#framing = new Framing(maxBytes, endsWithLf, take);
    this.#timer = new Timer<LogSender>(this, self => self.#conn.abort(false));
    conn.handler = this;
    this.#heard();
  }

  end(): void {
    this.#conn.close();
  }

  onOpen(): void {}
  onDrain(): void {}

  onData(conn: Conn, { bytes, start, end }: Chunk): void {
    this.#heard();
    if (!this.#framing.feed(bytes, start, end)) conn.close();
  }

  /** What is not whole by now is lost. */
  onEnd(conn: Conn): void {
    conn.close();
  }

  onClose(): void {
    this.#options.wheel.forget(this.#timer);
    this.#options.gone();
  }

  #heard(): void {
    const { io, wheel, clientMs } = this.#options;
    if (clientMs > 0) wheel.arm(this.#timer, io.now() + clientMs);
  }
}
