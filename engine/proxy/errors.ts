/** The responses that Sluice makes itself when something fails: HAProxy's pages, `errorfile`, `errorloc`, `http-error` (manual 4.2). */
import type { ErrorPage } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { closesConnection, earlyErrorPage, errorLocation, errorPage } from '../http/errors.ts';
import { compileReply, type ReplySource } from '../rules/reply-spec.ts';
import { Standpoint } from '../sample/context.ts';
import type { Context } from './nouns.ts';
import { Reply } from './reply.ts';
import { proxyRules } from './rules.ts';
import type { Stream } from './stream.ts';

/** The error responses that the lines of one proxy define, by status. */
export class ErrorReplies {
  readonly #context: Context;
  readonly #proxy: Proxy;
  readonly #sources = new Map<number, ReplySource | null>();

  constructor(context: Context, proxy: Proxy) {
    this.#context = context;
    this.#proxy = proxy;
  }

  /** null = no line says anything of this status. */
  get(status: number): ReplySource | null {
    let source = this.#sources.get(status);
    if (source === undefined) {
      const page = this.#page(status);
      source = page === undefined ? null : this.#compile(page);
      this.#sources.set(status, source);
    }
    return source;
  }

  /**
   * For what could not be read as a request: the connection closes after it. Only pages that are whole responses serve here; those
   * that are made for a stream do not.
   */
  early(status: number): Uint8Array {
    const page = this.#page(status);
    if (page === undefined || page.content.kind === 'reply') return earlyErrorPage(status);
    return this.get(status)!(HERE).bytes(false, 1);
  }

  #page(status: number): ErrorPage | undefined {
    return this.#proxy.errorPages.find(page => page.status === status);
  }

  #compile({ status, content }: ErrorPage): ReplySource {
    if (content.kind === 'reply') return compileReply(content.spec, proxyRules(this.#context, this.#proxy).env);
    const made =
      content.kind === 'file'
        ? new Reply(content.file.bytes, content.file.closes, status)
        : new Reply(errorLocation(content.status, content.location), false, status);
    return () => made;
  }
}

/** Rules may be standing elsewhere when they end in an error. */
const HERE = new Standpoint();

const BUILT_IN = new Map<number, Reply>();

function builtIn(status: number): Reply {
  let reply = BUILT_IN.get(status);
  if (reply === undefined) {
    reply = new Reply(errorPage(status, null), closesConnection(status), status);
    BUILT_IN.set(status, reply);
  }
  return reply;
}

/** The error response to the stream's request: the backend's, else the frontend's, else HAProxy's. */
export function errorReply(stream: Stream, status: number): Reply {
  const own = stream.backend?.errors.get(status) ?? stream.frontend.errors.get(status);
  return own === null ? builtIn(status) : own(HERE.at(stream));
}
