/**
 * The environment that a configuration sees (manual 2.3): the variables that HAProxy itself defines, and the `global`
 * keywords that change it while the files are read.
 */
import { hostname } from 'node:os';
import { BRANCH, VERSION } from '../version.ts';
import { Cursor } from './cursor.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Environment } from './lexer.ts';
import type { Line, Word } from './words.ts';

const HTTP_LOG =
  '%ci:%cp [%tr] %ft %b/%s %TR/%Tw/%Tc/%Tr/%Ta %ST %B %CC %CS %tsc %ac/%fc/%bc/%sc/%rc %sq/%bq %hr %hs %{+Q}r';
const TLS_LOG =
  '%[fc_err]/%[ssl_fc_err,hex]/%[ssl_c_err]/%[ssl_c_ca_err]/%[ssl_fc_is_resumed] %[ssl_fc_sni]/%sslv/%sslc';

/** The lines of an SSLKEYLOGFILE of TLS 1.3 (`tune.ssl.keylog`): the ends of the fetches' names; labels are the same, in capitals. */
const SECRETS = [
  ...['client_early_traffic_secret', 'client_handshake_traffic_secret', 'server_handshake_traffic_secret'],
  ...['client_traffic_secret_0', 'server_traffic_secret_0', 'exporter_secret', 'early_exporter_secret'],
];

function keylog(side: 'fc' | 'bc'): string {
  const random = `%[ssl_${side}_client_random,hex]`;
  return SECRETS.map(name => `${name.toUpperCase()} ${random} %[ssl_${side}_${name}]`).join('\n');
}

/** The default log formats (manual 8.2.2 to 8.2.4), which a configuration may build on. */
export const LOG_FORMATS = {
  HAPROXY_HTTP_LOG_FMT: HTTP_LOG,
  HAPROXY_HTTP_CLF_LOG_FMT:
    '%{+Q}o %{-Q}ci - - [%trg] %r %ST %B "" "" %cp %ms %ft %b %s %TR %Tw %Tc %Tr %Ta %tsc %ac %fc %bc %sc %rc %sq %bq %CC %CS %hrl %hsl',
  HAPROXY_HTTPS_LOG_FMT: `${HTTP_LOG} ${TLS_LOG}`,
  HAPROXY_TCP_LOG_FMT: '%ci:%cp [%t] %ft %b/%s %Tw/%Tc/%Tt %B %ts %ac/%fc/%bc/%sc/%rc %sq/%bq',
  HAPROXY_TCP_CLF_LOG_FMT:
    '%{Q}o %{-Q}ci - - [%T] "TCP " 000 %B "" "" %cp %ms %ft %b %s %Th %Tw %Tc %Tt %U %ts-- %ac %fc %bc %sc %rc %sq %bq "" "" ',
  HAPROXY_KEYLOG_FC_LOG_FMT: keylog('fc'),
  HAPROXY_KEYLOG_BC_LOG_FMT: keylog('bc'),
};

/** Defines what a configuration may use from its first line on. A peer name set before (`-L`) stays. */
export function defineVariables(env: Environment): void {
  Object.assign(env, LOG_FORMATS, { HAPROXY_BRANCH: BRANCH, HAPROXY_STARTUP_VERSION: VERSION });
  env.HAPROXY_LOCALPEER ??= hostname();
}

function set(cursor: Cursor, env: Environment, overwrite: boolean): void {
  const keyword = cursor.current.text;
  const name = cursor.next();
  const value = cursor.next();
  if (name === null || value === null) cursor.error(`'${keyword}' expects a name and a value`);
  else if (isName(cursor, keyword, name)) {
    cursor.expectEnd();
    if (overwrite || !Object.hasOwn(env, name.text)) env[name.text] = value.text;
  }
}

function unset(cursor: Cursor, env: Environment): void {
  const names = cursor.rest();
  if (names.length === 0) cursor.error("'unsetenv' expects at least one variable name");
  for (const name of names) if (isName(cursor, 'unsetenv', name)) delete env[name.text];
}

function reset(cursor: Cursor, env: Environment): void {
  const kept = new Set(cursor.rest().map(word => word.text));
  for (const name of Object.keys(env)) if (!kept.has(name)) delete env[name];
}

function isName(cursor: Cursor, keyword: string, { text, ...at }: Word): boolean {
  if (text !== '' && !text.includes('=')) return true;
  cursor.error(`'${keyword}' failed on variable '${text}' : Invalid argument`, undefined, { text, ...at });
  return false;
}

const KEYWORDS: Readonly<Record<string, (cursor: Cursor, env: Environment) => void>> = {
  setenv: (cursor, env) => set(cursor, env, true),
  presetenv: (cursor, env) => set(cursor, env, false),
  unsetenv: unset,
  resetenv: reset,
};

/**
 * Does what a line of the `global` section says about the environment. False when something was wrong with it, which
 * has been reported.
 */
export function applyEnvironment(line: Line, env: Environment, diagnostics: Diagnostics): boolean {
  const keyword = line.words[0]!.text;
  if (!Object.hasOwn(KEYWORDS, keyword)) return true;
  const before = diagnostics.list.length;
  const cursor = new Cursor(line, diagnostics);
  cursor.next();
  KEYWORDS[keyword]!(cursor, env);
  return diagnostics.list.length === before;
}
