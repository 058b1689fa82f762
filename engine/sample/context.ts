/**
 * What an evaluation may look at: the session, its stream once there is one, and where in the traffic it stands. Code that
 * evaluates owns one `Standpoint` and points it at the stream in hand: nothing is allocated per evaluation.
 */
import type { Slice } from '../balance/balancer.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import type { Head } from '../http/head.ts';
import type { Context } from '../proxy/nouns.ts';
import type { Session } from '../proxy/session.ts';
import type { Stream } from '../proxy/stream.ts';
import type { PatternBooks } from './book.ts';
import type { Condition } from './condition.ts';
import type { Sample } from './sample.ts';
import type { Store } from './vars.ts';

/** What a health check shows: it has no stream. */
export interface Checked {
  readonly proxy: Proxy;
  readonly server: Server;
  /** Variables of scope `check`. */
  readonly vars: Store;
  /** Of the response, as far as it came; null = it did not, or it is not HTTP. */
  head(): Head | null;
  body(): Slice | null;
  /** The bytes received; null where HTTP is spoken. */
  bytes(): Slice | null;
}

export interface SampleContext {
  readonly session: Session;
  /** null in tcp-request connection and session rules. */
  readonly stream: Stream | null;
  /** In the rules of a health check. */
  readonly check: Checked | null;
  /** The rules of the response are evaluated: `payload` means the server's. */
  readonly response: boolean;
  /** No more bytes will come before a decision (`inspect-delay` is over, or the buffer is full). */
  readonly final: boolean;
}

export class Standpoint implements SampleContext {
  session!: Session;
  stream: Stream | null = null;
  response = false;
  final = true;
  check: Checked | null = null;

  /** In the rules of a stream. */
  at(stream: Stream, response = false, final = true): this {
    this.session = stream.session;
    this.stream = stream;
    this.response = response;
    this.final = final;
    return this;
  }

  /** Before there is a stream. */
  atSession(session: Session): this {
    this.session = session;
    this.stream = null;
    this.response = false;
    this.final = true;
    return this;
  }

  /** In the rules of a health check, which has a session of its own. */
  atCheck(session: Session, check: Checked): this {
    this.atSession(session);
    this.check = check;
    return this;
  }
}

/** A fetch, or a whole expression: finds a value into `out`; false when there is none. */
export type Fetch = (ctx: SampleContext, out: Sample) => boolean;
/** A converter: changes the sample; false when it has no result. */
export type Convert = (sample: Sample, ctx: SampleContext) => boolean;

/** What is known where an expression is compiled. */
export interface Env {
  readonly worker: Context;
  /** Index of the proxy whose rule it stands in. */
  readonly proxy: number;
  /** The patterns of files, one structure per file and kind for the whole worker. */
  readonly books: PatternBooks;
  /** The named ACL of that proxy; null = there is none. */
  acl(name: string): Condition | null;
}
