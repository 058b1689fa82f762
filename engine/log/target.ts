/** A `log` line at work: which levels it takes, what it puts before a message, where it sends it. */
import type { LogProfile, LogTarget } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Dates } from './dates.ts';
import type { Line } from './line.ts';
import type { LogFacts } from './scene.ts';
import type { Sink, Sinks } from './sinks.ts';
import { compileHeader, type Header } from './syslog.ts';

const LF = 10;

export class Target {
  readonly config: LogTarget;
  readonly #header: Header;
  readonly #sink: Sink;
  /** What its lines say instead of what the proxy says; null = no profile. */
  readonly profile: LogProfile | null;
  /** `sample`: 1 for the lines of a round that are sent; null = all are. */
  readonly #sampled: Uint8Array | null;
  #turn = 0;

  constructor(config: LogTarget, profile: LogProfile | null, header: Header, sink: Sink) {
    this.config = config;
    this.profile = profile;
    this.#header = header;
    this.#sink = sink;
    this.#sampled = config.sample === null ? null : roundOf(config.sample);
  }

  /** Levels more severe than its minimum are sent as the minimum. With `sample`, the line counts in its round. */
  takes(level: number): boolean {
    if (level > this.config.maxLevel) return false;
    if (this.#sampled === null) return true;
    const taken = this.#sampled[this.#turn] === 1;
    this.#turn = (this.#turn + 1) % this.#sampled.length;
    return taken;
  }

  /** Makes the whole line in `packet` and sends it. False = it is lost. */
  send(packet: Line, level: number, wall: number, dates: Dates, data: Line | null, message: Line): boolean {
    packet.length = 0;
    this.#header(packet, Math.max(level, this.config.minLevel), wall, dates, data);
    return this.finish(packet, message);
  }

  /** Puts the message behind the header that stands in `packet`, and sends it. False = it is lost. */
  finish(packet: Line, message: Line): boolean {
    packet.slice(message.bytes, 0, message.length);
    packet.length = Math.min(packet.length, this.config.lenBytes);
    packet.byte(LF);
    return this.#sink(packet.bytes, packet.length, message) >= 0;
  }
}

/** Opens the targets of one proxy, or of the process; `tag` stands in their headers. */
export function openTargets(
  configs: readonly LogTarget[],
  { global, logProfiles, rings }: Pick<Model, 'global' | 'logProfiles' | 'rings'>,
  tag: string,
  { pid, hostname }: LogFacts,
  sinks: Sinks,
): Target[] {
  return configs.map(log => {
    const ring = rings.find(({ name }) => name === log.ring);
    const config = { ...log, format: log.format || (ring?.format ?? '') };
    const profile = logProfiles.find(({ name }) => name === config.profile) ?? null;
    const origin = { tag: profile?.logTag ?? tag, pid, hostname, sendHostname: global.logSendHostname };
    return new Target(config, profile, compileHeader(config, origin), sinks.open(config));
  });
}

/** Which lines of a round are sent: ranges count from 1. */
function roundOf({ ranges, size }: NonNullable<LogTarget['sample']>): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) =>
    ranges.some(([from, to]) => i + 1 >= from && i + 1 <= to) ? 1 : 0,
  );
}
