/** Which formats a proxy's lines have: its own, or those that HAProxy has built in (manual 8.2.1 to 8.2.5). */
import { LOG_FORMATS } from '../config/environment.ts';
import type { Proxy } from '../config/model.ts';
import { compileFormat, isError, type LogFormat } from './format.ts';

type Style = NonNullable<Proxy['logStyle']>;

const STYLES: Readonly<Record<Style, string>> = {
  http: LOG_FORMATS.HAPROXY_HTTP_LOG_FMT,
  'http-clf': LOG_FORMATS.HAPROXY_HTTP_CLF_LOG_FMT,
  https: LOG_FORMATS.HAPROXY_HTTPS_LOG_FMT,
  tcp: LOG_FORMATS.HAPROXY_TCP_LOG_FMT,
  'tcp-clf': LOG_FORMATS.HAPROXY_TCP_CLF_LOG_FMT,
};

export interface ProxyFormats {
  readonly traffic: LogFormat;
  /** Of what did not become a stream; null = nothing is said. */
  readonly error: LogFormat | null;
  /** The structured data of RFC 5424 lines; null = none. */
  readonly data: LogFormat | null;
}

/** Compiles the formats of a proxy whose configuration was accepted. */
export function formatsOf(proxy: Proxy): ProxyFormats {
  const { mode, logStyle, logFormat, errorLogFormat, logFormatSd } = proxy;
  const compile = (text: string): LogFormat => compiled(text, mode, proxy.options.logasap);
  const own = logFormat ?? (logStyle === null ? null : STYLES[logStyle]);
  const error = errorLogFormat ?? own;
  return {
    // When nothing is asked for, the accept is told, and only that.
    traffic: compile(own ?? `Connect from %ci:%cp to %fi:%fp (%f/${mode.toUpperCase()})`),
    error: error === null ? null : compile(error),
    data: logFormatSd === null ? null : compile(logFormatSd),
  };
}

/** How the short line begins that tells of a connection that failed early; the listener and the reason follow. */
export const FAILED_CONNECTION = compiled('%ci:%cp [%t] %f/', 'tcp', false);

function compiled(text: string, mode: Proxy['mode'], partial: boolean): LogFormat {
  const format = compileFormat(text, { mode, partial });
  if (isError(format)) throw new Error(`log: '${text}': ${format.error}`);
  return format;
}
