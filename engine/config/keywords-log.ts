/** `log` and its kin, which `global` and the proxies share. */

import { LOG_SAMPLE_MAX } from '../limits.ts';
import { LOG_LINE } from '../log/format-text.ts';
import { FACILITIES, FORMATS, LEVELS } from '../log/syslog.ts';
import { takeFormat } from '../rules/format.ts';
import { type Accepts, parseEndpoint } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { Draft, LogFormatField, ProxyDraft, Resources } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { LogTarget } from './log-model.ts';

/** What has log lines: the global section and every proxy. */
interface Logging {
  logs: Draft<LogTarget>[];
}

const SYNTAX =
  '<target> [len <length>] [format <format>] [sample <ranges>:<size>] [profile <name>] <facility> [<level> [<minlevel>]]';
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

type LogSample = NonNullable<Draft<LogTarget>['sample']>;

/** `<range>[,<range>]*:<size>`, a range being `<n>` or `<from>-<to>`; null after reporting. */
function sample(cursor: Cursor): LogSample | null {
  const word = cursor.expectWord('<ranges>:<size>');
  if (word === null) return null;
  const wrong = (why: string): null => {
    cursor.error(`'sample': ${why} in '${word.text}'`, "write '<from>-<to>,...:<size>', counted from 1");
    return null;
  };
  const parts = /^(\d+(?:-\d+)?(?:,\d+(?:-\d+)?)*):(\d+)$/.exec(word.text);
  if (parts === null) return wrong('ranges and a size were expected');
  const size = Number(parts[2]);
  const ranges = parts[1]!.split(',').map(range => {
    const [from, to = from] = range.split('-').map(Number) as [number, number?];
    return [from, to] as [number, number];
  });
  if (ranges.some(([from, to]) => from < 1 || to < from)) return wrong('a range ends before it begins');
  const overlaps = ([from, to]: LogSample['ranges'][number], i: number): boolean =>
    ranges.slice(i + 1).some(other => other[0] <= to && from <= other[1]);
  if (ranges.some(overlaps)) return wrong('ranges are overlapping');
  if (ranges.some(([, to]) => to > size)) return wrong('a range ends behind the size');
  if (size > LOG_SAMPLE_MAX) return wrong(`the size is more than ${LOG_SAMPLE_MAX}`);
  return { ranges, size };
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
    } else if (cursor.match('sample')) {
      target.sample = sample(cursor);
      if (target.sample === null) return false;
    } else if (cursor.match('profile')) {
      const name = cursor.expectWord('the name of a log-profile section');
      if (name === null) return false;
      target.profile = name.text;
    } else return true;
  }
}

/** The port of syslog, when none is written. */
export const SYSLOG_PORT = 514;
const TARGET: Accepts = { port: 'optional', fd: true, unix: true, names: true, type: 'dgram' };
const DESCRIPTORS: ReadonlyMap<string, number> = new Map([
  ['stdout', 1],
  ['stderr', 2],
]);
const STREAM = /^(tcp[46]?|uxst|stream\+\w+)@/;
const STREAM_TARGET: Accepts = { port: 'optional', unix: true, names: true, type: 'stream' };

type Where = Pick<LogTarget, 'endpoint' | 'fd' | 'ring' | 'backend'>;
const NOWHERE: Where = { endpoint: null, fd: null, ring: null, backend: null };

/** Where lines go: an address, a descriptor, a ring or a backend. Null after reporting. */
function destination(cursor: Cursor, resources: Resources): Where | null {
  const { text } = cursor.current;
  const complain = (message: string): null => {
    cursor.error(message);
    return null;
  };
  const standard = DESCRIPTORS.get(text);
  if (standard !== undefined) return { ...NOWHERE, fd: standard };
  if (text.startsWith('ring@')) return { ...NOWHERE, ring: text.slice('ring@'.length) };
  if (text.startsWith('backend@')) return { ...NOWHERE, backend: text.slice('backend@'.length) };
  const stream = STREAM.test(text);
  const parsed = parseEndpoint(text, stream ? STREAM_TARGET : TARGET, resources.env);
  if ('error' in parsed) return complain(`'log': ${parsed.error}`);
  const { address, hostname, family, inheritedFd, port } = parsed.value;
  if (inheritedFd !== null) return { ...NOWHERE, fd: inheritedFd };
  const found = hostname === null ? address : resources.resolve(hostname, family);
  if (found === null) return complain(`'log': could not resolve address '${hostname}'`);
  const endpoint = found.family === 1 ? found : { ...found, port: port || SYSLOG_PORT };
  // A ring of its own with that one server is made when all is read (build-rings.ts).
  return { ...NOWHERE, endpoint, ring: stream ? text : null };
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

const BLANK = {
  ...NOWHERE,
  facility: '',
  maxLevel: 7,
  minLevel: 0,
  lenBytes: 1024,
  format: '',
  sample: null,
  profile: null,
};

/** The address of the entry that stands for all targets of the global section until the model is built. */
export const LOG_GLOBAL = 'global';

const LINES: Pick<Keyword<Logging>, 'good' | 'bad'> = {
  good: [
    'log 127.0.0.1:514 local0',
    'log /dev/log local2 notice',
    'log 127.0.0.1 local0 debug alert',
    'log stdout format raw local0',
    'log tcp@127.0.0.1:514 local0',
    'log backend@b local0',
    'log /dev/log len 4096 format rfc5424 daemon info err',
    'log /dev/log sample 1,3-4:4 profile p local0',
  ],
  bad: [
    ['log', MISSING],
    ['log /dev/log', MISSING],
    ['log /dev/log local9', "'log': unknown log facility 'local9'"],
    ['log /dev/log local0 loud', "'log': unknown log level 'loud'"],
    ['log /dev/log len 10 local0', "'len' expects an integer between 80 and 65535, not '10'"],
    ['log /dev/log sample 1:x local0', "'sample': ranges and a size were expected in '1:x'"],
    ['log /dev/log sample 3,1-3:4 local0', "'sample': ranges are overlapping in '3,1-3:4'"],
    ['log /dev/log sample 3:2 local0', "'sample': a range ends behind the size in '3:2'"],
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
    else if (!cursor.match(LOG_GLOBAL)) parseLog(cursor, proxy, resources);
    else if (!proxy.logs.some(({ address }) => address === LOG_GLOBAL)) proxy.logs.push(global);
  },
  good: [...LINES.good, 'log global', 'no log'],
  bad: [...LINES.bad, ['no log x', "'log' cannot handle unexpected argument 'x'"]],
});

/** `log` in a `peers` section. */
export const PEERS_LOG: Keyword<Logging> = { ...PROXY_LOG, where: 'S', doc: 'Where log lines of the section go.' };

/** `log` in a `log-forward` section. */
export const FORWARD_LOG: Keyword<Logging> = { ...PROXY_LOG, where: 'W', doc: 'Where the lines go that come in.' };

function logFormat(name: string, field: LogFormatField, good: string, doc: string): Keyword<ProxyDraft> {
  return supported({
    ...{ name, where: 'DFL', args: '<format>', doc, good: [good] },
    bad: [
      [name, `'${name}' expects a format string`],
      [`${name} %ci %cp`, `'${name}' cannot handle unexpected argument '%cp'`],
    ],
    parse(cursor, proxy, { resources }) {
      const word = cursor.next();
      if (word === null) return cursor.error(`'${name}' expects a format string`);
      const { file, line, source } = cursor.line;
      const format = takeFormat(cursor, proxy, word, LOG_LINE, resources, `failed to parse ${name} : `);
      if (format === null) return;
      proxy[field] = { format, name: word.text, file, line, source, column: word.column, width: word.width };
    },
  });
}

/** The formats of log lines. Whether the mode of the proxy allows their variables is checked once it is known (checks.ts). */
export const LOG_FORMATS: readonly Keyword<ProxyDraft>[] = [
  logFormat('log-format', 'logFormat', 'log-format "%ci:%cp %{+Q}b"', 'The log line, as a format.'),
  logFormat('log-format-sd', 'logFormatSd', 'log-format-sd \'[x@1 b="%B"]\'', 'The structured data of RFC 5424 lines.'),
  logFormat('error-log-format', 'errorLogFormat', 'error-log-format %ci', 'The line of connections that failed early.'),
];
