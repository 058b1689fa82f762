/** Which formats a proxy's lines have: its own, or those that HAProxy has built in (manual 8.2.1 to 8.2.5). */
import { LOG_FORMATS } from '../config/environment.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Env } from '../sample/context.ts';
import { compileFormat, type LogFormat } from './format.ts';
import { type Format, LOG_LINE, parseFormat } from './format-text.ts';
import { EARLY, type Moment } from './variable.ts';

type Style = NonNullable<Proxy['logStyle']>;

const STYLES: Readonly<Record<Style, string>> = {
  http: LOG_FORMATS.HAPROXY_HTTP_LOG_FMT,
  'http-clf': LOG_FORMATS.HAPROXY_HTTP_CLF_LOG_FMT,
  https: LOG_FORMATS.HAPROXY_HTTPS_LOG_FMT,
  tcp: LOG_FORMATS.HAPROXY_TCP_LOG_FMT,
  'tcp-clf': LOG_FORMATS.HAPROXY_TCP_CLF_LOG_FMT,
};

/** The formats of a proxy; null = nothing is said, of `data`: there is none. */
export interface ProxyFormats {
  readonly traffic: LogFormat;
  /** Of what did not become a stream. */
  readonly error: LogFormat | null;
  /** The structured data of RFC 5424 lines. */
  readonly data: LogFormat | null;
}

/** Compiles the formats of a proxy. */
export function formatsOf(proxy: Proxy, env: Env): ProxyFormats {
  const { mode, logStyle, logFormat, errorLogFormat, logFormatSd } = proxy;
  const compile = (format: Format): LogFormat => compileFormat(format, env, proxy.options.logasap);
  const own = logFormat ?? (logStyle === null ? null : builtin(STYLES[logStyle]));
  const error = errorLogFormat ?? own;
  return {
    // When nothing is asked for, the accept is told, and only that.
    traffic:
      own === null
        ? compile(builtin(`Connect from %ci:%cp to %fi:%fp (%f/${mode.toUpperCase()})`))
        : notAtOnce(compile(own)),
    error: error === null ? null : compile(error),
    data: logFormatSd === null ? null : compile(logFormatSd),
  };
}

/** Rules may still change what a format shows: the backend, addresses, whether there is a line at all. */
function notAtOnce(format: LogFormat): LogFormat {
  return { ...format, known: Math.max(format.known, EARLY) as Moment };
}

/** Before the formats are compiled. */
export const NO_FORMATS: ProxyFormats = { traffic: compileFormat(builtin(''), null), error: null, data: null };

/** How the short line begins that tells of a connection that failed early; the listener and the reason follow. */
export const FAILED_CONNECTION = compileFormat(builtin('%ci:%cp [%t] %f/'), null);

/** The name of the option whose format shows what is not there yet (TLS); null = it is all there. */
export function missingStyle(style: Style): string | null {
  return 'message' in read(STYLES[style]) ? `${style.replace('-', 'log ')}${style.includes('-') ? '' : 'log'}` : null;
}

function read(text: string) {
  return parseFormat(text, LOG_LINE, { resolve: () => null, readFolder: () => null, readFile: () => null, env: {} });
}

function builtin(text: string): Format {
  const format = read(text);
  if ('message' in format) throw new Error(`log: '${text}': ${format.message}`);
  return format;
}
