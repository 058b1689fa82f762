/** Texts of a `server` line that are expressions: the name that TLS sends (`sni`), that of a pooled connection (`pool-conn-name`). */
import { evaluate } from '../rules/values.ts';
import { compileExpression } from '../sample/compile.ts';
import { type Fetch, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { STR } from '../sample/sample.ts';
import type { Server } from './nouns.ts';
import { proxyRules } from './rules.ts';
import type { Stream } from './stream.ts';

const HERE = new Standpoint();

/** One such setting of all servers; each one's expression is compiled when it is first needed. */
export class ServerText {
  readonly #fetches = new WeakMap<Server, Fetch>();

  /** What `expression`, always the same one for `server`, gives for `stream`, as latin1; '' = nothing. */
  of(stream: Stream, server: Server, expression: Expression): string {
    let fetch = this.#fetches.get(server);
    if (fetch === undefined) {
      const { context, proxy } = server.backend;
      fetch = compileExpression(expression, proxyRules(context, proxy).env);
      this.#fetches.set(server, fetch);
    }
    const value = evaluate(fetch, HERE.at(stream), STR);
    if (value === null) return '';
    const { bytes, start, end } = value;
    return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  }
}
