/** A `log` line at work: which levels it takes, what it puts before a message, where it sends it. */
import type { LogProfile, LogTarget } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Dates } from './dates.ts';
import type { Line } from './line.ts';
import type { LogFacts } from './scene.ts';
import type { Sink, Sinks } from './sinks.ts';
import { compileHeader, type Header } from './syslog.ts';

const LF = 10;

/** `sample`: 1 for the lines of a round that are sent, and which one comes next. */
interface Round {
  readonly sent: Uint8Array;
  turn: number;
}

/** What a target has whoever speaks. */
interface Means {
  readonly config: LogTarget;
  readonly sink: Sink;
  /** null = all lines are sent. */
  readonly round: Round | null;
  /** The header of lines in the words of a profile, which may have a tag of its own. */
  readonly header: (profile: LogProfile | null) => Header;
}

export class Target {
  readonly config: LogTarget;
  /** What its lines say instead of what the proxy says; null = no profile. */
  readonly profile: LogProfile | null;
  readonly #means: Means;
  readonly #header: Header;

  constructor(means: Means, profile: LogProfile | null) {
    this.config = means.config;
    this.profile = profile;
    this.#means = means;
    this.#header = means.header(profile);
  }

  /** The same target for lines in the words of another profile. */
  with(profile: LogProfile): Target {
    return new Target(this.#means, profile);
  }

  /** Levels more severe than its minimum are sent as the minimum. With `sample`, the line counts in its round. */
  takes(level: number): boolean {
    if (level > this.config.maxLevel) return false;
    const { round } = this.#means;
    if (round === null) return true;
    const taken = round.sent[round.turn] === 1;
    round.turn = (round.turn + 1) % round.sent.length;
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
    return this.#means.sink(packet.bytes, packet.length, message) >= 0;
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
    const config = { ...log, format: ring?.format || log.format };
    const header = (profile: LogProfile | null): Header =>
      compileHeader(config, { tag: profile?.logTag ?? tag, pid, hostname, sendHostname: global.logSendHostname });
    const round = config.sample === null ? null : { sent: roundOf(config.sample), turn: 0 };
    const profile = logProfiles.find(({ name }) => name === config.profile) ?? null;
    return new Target({ config, sink: sinks.open(config), round, header }, profile);
  });
}

/** Which lines of a round are sent: ranges count from 1. */
function roundOf({ ranges, size }: NonNullable<LogTarget['sample']>): Uint8Array {
  return Uint8Array.from({ length: size }, (_, i) =>
    ranges.some(([from, to]) => i + 1 >= from && i + 1 <= to) ? 1 : 0,
  );
}
