/** A `log` line at work: which levels it takes, what it puts before a message, where it sends it. */
import type { Global, LogTarget } from '../config/model.ts';
import type { Dates } from './dates.ts';
import type { Line } from './line.ts';
import type { LogFacts } from './scene.ts';
import type { Sink, Sinks } from './sinks.ts';
import { compileHeader, type Header, takesData } from './syslog.ts';

const LF = 10;

export class Target {
  readonly #config: LogTarget;
  readonly #header: Header;
  readonly #sink: Sink;
  /** True when lines to it have a place for structured data. */
  readonly takesData: boolean;

  constructor(config: LogTarget, header: Header, sink: Sink) {
    this.#config = config;
    this.#header = header;
    this.#sink = sink;
    this.takesData = takesData(config);
  }

  /** Levels more severe than its minimum are sent as the minimum. */
  takes(level: number): boolean {
    return level <= this.#config.maxLevel;
  }

  /** Makes the whole line in `packet` and sends it. False = it is lost. */
  send(packet: Line, level: number, wall: number, dates: Dates, data: Line | null, message: Line): boolean {
    packet.length = 0;
    this.#header(packet, Math.max(level, this.#config.minLevel), wall, dates, data);
    packet.slice(message.bytes, 0, message.length);
    packet.length = Math.min(packet.length, this.#config.lenBytes);
    packet.byte(LF);
    return this.#sink(packet.bytes, packet.length) >= 0;
  }
}

/** Opens the targets of one proxy, or of the process; `tag` stands in their headers. */
export function openTargets(
  configs: readonly LogTarget[],
  { logSendHostname }: Pick<Global, 'logSendHostname'>,
  tag: string,
  { pid, hostname }: LogFacts,
  sinks: Sinks,
): Target[] {
  const origin = { tag, pid, hostname, sendHostname: logSendHostname };
  return configs.map(config => new Target(config, compileHeader(config, origin), sinks.open(config)));
}
