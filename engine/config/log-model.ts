/** Where logs go, as it stands in the model (model.ts): targets, rings and profiles. */
import type { Address } from '../io/contract.ts';
import type { Format } from '../log/format-text.ts';
import type { Bind, Place } from './model.ts';
import type { Reach } from './server-model.ts';

/** A `ring` section, or what a `log tcp@...` line stands for: lines kept in memory and sent to log servers. */
export interface Ring extends Place {
  readonly name: string;
  readonly description: string;
  /** As `LogTarget.format`: that of all lines in it, whatever their log lines say; '' = as those say. */
  readonly format: string;
  readonly maxlenBytes: number;
  readonly sizeBytes: number;
  /** Path of the file that has its lines too; null = none. */
  readonly backingFile: string | null;
  /** 0 = none. */
  readonly connectMs: number;
  readonly serverMs: number;
  readonly servers: readonly RingServer[];
}

export interface RingServer extends Reach {
  readonly name: string;
  readonly address: Address;
  /** RFC 6587: each line after its length, else with a line feed behind it. */
  readonly octetCount: boolean;
}

/** Name of the ring of a log backend's server. */
export function ringOfServer(backend: { readonly name: string }, server: { readonly name: string }): string {
  return `${backend.name}/${server.name}`;
}

/** A `log-profile` section: what is said instead, by step (engine/log/steps.ts); `any` = where no other is. */
export interface LogProfile extends Place {
  readonly name: string;
  readonly logTag: string | null;
  readonly steps: Readonly<Record<string, ProfileStep>>;
}

export interface ProfileStep {
  readonly drop: boolean;
  /** null = as the proxy says. */
  readonly format: Format | null;
  readonly data: Format | null;
}

export interface LogTarget extends Place {
  /** As written: `127.0.0.1:514`, `/dev/log`, `stdout`, `fd@3`. `log global` is already replaced. */
  readonly address: string;
  /** Where datagrams go; null = to the descriptor `fd`, the ring or the backend. */
  readonly endpoint: Address | null;
  readonly fd: number | null;
  /** Name of the ring that takes the lines; null = none. */
  readonly ring: string | null;
  /** Name of the backend (`mode log`) whose servers take them; null = none. */
  readonly backend: string | null;
  readonly facility: string;
  readonly maxLevel: number;
  readonly minLevel: number;
  /** A line is cut to this length. */
  readonly lenBytes: number;
  /** Which lines of each `size` are sent, counted from 1 in each thread; null = all. */
  readonly sample: { readonly ranges: readonly (readonly [from: number, to: number])[]; readonly size: number } | null;
  /** Name of a log profile; null = none. */
  readonly profile: string | null;
  /** A name in engine/log/syslog.ts; '' = rfc3164 when a host name is sent, else local. */
  readonly format: string;
}

/** A `log-forward` section: lines that others send, and where they go. */
export interface LogForward extends Place {
  readonly index: number;
  readonly name: string;
  /** Where lines come in over TCP, with either framing of RFC 6587. */
  readonly binds: readonly Bind[];
  /** Where they come in as datagrams. */
  readonly dgramBinds: readonly Bind[];
  readonly logs: readonly LogTarget[];
  /** Connections at a time. */
  readonly maxconn: number;
  /** A silent connection is closed after this; 0 = never. */
  readonly clientMs: number;
  /** `option assume-rfc6587-ntf`: lines end with a line feed, whatever they begin with. */
  readonly endsWithLf: boolean;
  /** `option dont-parse-log`: a line is nothing but a text. */
  readonly unparsed: boolean;
  readonly host: HostStrategy;
}

/** `option host`: what a line that goes on says of where it is from. */
export type HostStrategy = 'replace' | 'fill' | 'keep' | 'append';
