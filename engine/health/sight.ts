/** What the expressions of a check see: the server, what it has answered so far, the variables of this run. */
import type { Slice } from '../balance/balancer.ts';
import type { Check } from '../config/check-model.ts';
import { latin1 } from '../http/chars.ts';
import { Head } from '../http/head.ts';
import { parseResponse } from '../http/parse.ts';
import type { Frontend } from '../proxy/nouns.ts';
import type { Session } from '../proxy/session.ts';
import { type Checked, Standpoint } from '../sample/context.ts';
import type { Outside } from '../sample/outside.ts';
import { OwnStore } from '../sample/vars.ts';
import { CheckResponse } from './response.ts';
import type { Target } from './target.ts';

/** The frontend that HAProxy's checks belong to. */
const CHECKS_FE = { proxy: { id: 0, name: 'CHECKS-FE', timeouts: {} }, defaultBackend: null } as unknown as Frontend;

export class Sight implements Checked {
  readonly proxy: Target['proxy'];
  readonly server: Target['server'];
  readonly vars = new OwnStore();
  /** Where its expressions are evaluated. */
  readonly at: Standpoint;
  readonly #http: boolean;
  #response = new CheckResponse(0);

  constructor({ proxy, server }: Target, check: Check, { at }: Outside) {
    this.proxy = proxy;
    this.server = server;
    this.#http = check.type === 'http';
    const { context } = at.session;
    const session = { context, frontend: CHECKS_FE, vars: null, tracked: [] } as unknown as Session;
    this.at = new Standpoint().atCheck(session, this);
  }

  /** A run begins: no variable is set. */
  begin(): void {
    this.vars.clear();
    this.at.session.vars = null;
  }

  /** The response that expressions look at from now on. */
  look(response: CheckResponse): void {
    this.#response = response;
  }

  head(): Head | null {
    const { headComplete, code, reason } = this.#response;
    if (!this.#http || !headComplete) return null;
    // Written anew: checks are lenient about line ends and versions, the parser of the traffic is not.
    const lines = this.#response.headers().map(([name, value]) => `${name}: ${value}\r\n`);
    const bytes = latin1(`HTTP/1.1 ${code} ${reason}\r\n${lines.join('')}\r\n`);
    const head = new Head(lines.length, 0);
    return parseResponse(head, bytes, 0, bytes.length, ANY_HEAD) > 0 ? head : null;
  }

  body(): Slice | null {
    return this.#http && this.#response.headComplete ? sliceOf(this.#response.body()) : null;
  }

  bytes(): Slice | null {
    return this.#http ? null : sliceOf(this.#response.text);
  }
}

const ANY_HEAD = { maxHeadBytes: Number.MAX_SAFE_INTEGER, maxHeaders: Number.MAX_SAFE_INTEGER, relaxed: true };

function sliceOf(text: string): Slice {
  const bytes = latin1(text);
  return { bytes, start: 0, end: bytes.length };
}
