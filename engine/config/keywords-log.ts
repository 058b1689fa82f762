/** `log` and its kin, which `global` and the proxies share. */

import { FACILITIES, FORMATS, LEVELS } from '../log/syslog.ts';
import { type Accepts, parseEndpoint } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { Draft, LogFormatField, ProxyDraft, Resources } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { LogTarget } from './model.ts';

/** What has log lines: the global section and every proxy. */
interface Logging {
  logs: Draft<LogTarget>[];
}

const SYNTAX = '<target> [len <length>] [format <format>] <facility> [<level> [<minlevel>]]';
const MISSING = "'log' expects <address> and <facility> as arguments";

/** The index of a level, or null after reporting. */
function level(cursor: Cursor, otherwise: number): number | null {
  const word = cursor.next();
  if (word === null) return otherwise;
  const index = LEVELS.indexOf(word.text);
  if (index >= 0) return index;
  cursor.error(`'log': unknown log level '${word.text}'`, `one of ${LEVELS.join(', ')}`, word);
  return null;
}

/** `len`, `format` and what else may stand between the target and the facility. False after reporting. */
function modifiers(cursor: Cursor, target: Draft<LogTarget>): boolean {
  for (;;) {
    if (cursor.match('len')) {
      const length = cursor.expectInt('len', { min: 80, max: 65_535 });
      if (length === null) return false;
      target.lenBytes = length;
    } else if (cursor.match('format')) {
      const format = cursor.expectOneOf('format', FORMATS);
      if (format === null) return false;
      target.format = format;
    } else if (cursor.match('sample') || cursor.match('profile')) {
      cursor.error(`'${cursor.current.text}' of 'log' is not supported by Sluice yet`);
      return false;
    } else return true;
  }
}

/** The port of syslog, when none is written. */
const SYSLOG_PORT = 514;
const TARGET: Accepts = { port: 'optional', fd: true, unix: true, names: true, type: 'dgram' };
const DESCRIPTORS: ReadonlyMap<string, number> = new Map([
  ['stdout', 1],
  ['stderr', 2],
]);
const LATER = /^(ring|backend|tcp[46]?|uxst|stream\+\w+)@/;

/** Where lines go: an address or a descriptor. Null after reporting. */
function destination(cursor: Cursor, resources: Resources): Pick<LogTarget, 'endpoint' | 'fd'> | null {
  const { text } = cursor.current;
  const complain = (message: string): null => {
    cursor.error(message);
    return null;
  };
  const standard = DESCRIPTORS.get(text);
  if (standard !== undefined) return { endpoint: null, fd: standard };
  if (LATER.test(text)) return complain(`the target '${text}' of 'log' is not supported by Sluice yet`);
  const parsed = parseEndpoint(text, TARGET);
  if ('error' in parsed) return complain(`'log': ${parsed.error}`);
  const { address, hostname, inheritedFd, port } = parsed.value;
  if (inheritedFd !== null) return { endpoint: null, fd: inheritedFd };
  const found = hostname === null ? address : resources.resolve(hostname);
  if (found === null) return complain(`'log': could not resolve address '${hostname}'`);
  return { endpoint: found.family === 1 ? found : { ...found, port: port || SYSLOG_PORT }, fd: null };
}

function parseLog(cursor: Cursor, owner: Logging, resources: Resources): void {
  const { file, line } = cursor.line;
  const address = cursor.next();
  if (address === null) {
    cursor.error(MISSING);
    return;
  }
  const where = destination(cursor, resources);
  if (where === null) return;
  const target = { ...BLANK, ...where, file, line, address: address.text };
  if (!modifiers(cursor, target)) return;
  const facility = cursor.next();
  if (facility === null) {
    cursor.error(MISSING);
    return;
  }
  if (!FACILITIES.includes(facility.text)) {
    cursor.error(`'log': unknown log facility '${facility.text}'`, `one of ${FACILITIES.join(', ')}`, facility);
    return;
  }
  target.facility = facility.text;
  const maxLevel = level(cursor, 7);
  const minLevel = level(cursor, 0);
  if (maxLevel === null || minLevel === null) return;
  owner.logs.push({ ...target, maxLevel, minLevel });
}

const BLANK = { endpoint: null, fd: null, facility: '', maxLevel: 7, minLevel: 0, lenBytes: 1024, format: '' };

/** The address of the entry that stands for all targets of the global section until the model is built. */
export const LOG_GLOBAL = 'global';

const LINES: Pick<Keyword<Logging>, 'good' | 'bad'> = {
  good: [
    'log 127.0.0.1:514 local0',
    'log /dev/log local2 notice',
    'log 127.0.0.1 local0 debug alert',
    'log stdout format raw local0',
    'log /dev/log len 4096 format rfc5424 daemon info err',
  ],
  bad: [
    ['log', MISSING],
    ['log /dev/log', MISSING],
    ['log ring@r local0', "the target 'ring@r' of 'log' is not supported by Sluice yet"],
    ['log /dev/log local9', "'log': unknown log facility 'local9'"],
    ['log /dev/log local0 loud', "'log': unknown log level 'loud'"],
    ['log /dev/log len 10 local0', "'len' expects an integer between 80 and 65535, not '10'"],
    ['log /dev/log sample 1:2 local0', "'sample' of 'log' is not supported by Sluice yet"],
    ['log /dev/log local0 info err x', "'log' cannot handle unexpected argument 'x'"],
  ],
};

/** `log` in the global section. */
export const GLOBAL_LOG: Keyword<Logging> = supported({
  ...{
    name: 'log',
    where: 'G',
    args: SYNTAX,
    doc: 'Where log lines go, for all proxies that say `log global`.',
    ...LINES,
  },
  parse: (cursor, global, { resources }) => parseLog(cursor, global, resources),
});

/** `log` in a proxy. */
export const PROXY_LOG: Keyword<Logging> = supported({
  name: 'log',
  where: 'DFLB',
  args: `global | ${SYNTAX}`,
  doc: 'Where log lines go; `no log` forgets what was inherited.',
  negatable: true,
  parse(cursor, proxy, { prefix, resources }) {
    const { file, line } = cursor.line;
    const global = { ...BLANK, file, line, address: LOG_GLOBAL };
    if (prefix !== '') proxy.logs = [];
    else if (cursor.match(LOG_GLOBAL)) proxy.logs = [global];
    else parseLog(cursor, proxy, resources);
  },
  good: [...LINES.good, 'log global', 'no log'],
  bad: [...LINES.bad, ['no log x', "'log' cannot handle unexpected argument 'x'"]],
});

/** `log` in a `peers` section. */
export const PEERS_LOG: Keyword<Logging> = { ...PROXY_LOG, where: 'P', doc: 'Where log lines of the section go.' };

function logFormat(name: string, field: LogFormatField, good: string, doc: string): Keyword<ProxyDraft> {
  return supported({
    ...{ name, where: 'DFL', args: '<format>', doc, good: [good] },
    bad: [
      [name, `'${name}' expects a format string`],
      [`${name} %ci %cp`, `'${name}' cannot handle unexpected argument '%cp'`],
    ],
    parse(cursor, proxy) {
      const word = cursor.next();
      if (word === null) return cursor.error(`'${name}' expects a format string`);
      const { file, line, source } = cursor.line;
      proxy[field] = { name: word.text, file, line, source, column: word.column, width: word.width };
    },
  });
}

/** The formats of log lines. What they say is checked once the mode of the proxy is known (checks.ts). */
export const LOG_FORMATS: readonly Keyword<ProxyDraft>[] = [
  logFormat('log-format', 'logFormat', 'log-format "%ci:%cp %{+Q}b"', 'The log line, as a format.'),
  logFormat('log-format-sd', 'logFormatSd', 'log-format-sd \'[x@1 b="%B"]\'', 'The structured data of RFC 5424 lines.'),
  logFormat('error-log-format', 'errorLogFormat', 'error-log-format %ci', 'The line of connections that failed early.'),
];
