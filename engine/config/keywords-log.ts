/** `log` and its kin, which `global` and the proxies share. */
import type { Cursor } from './cursor.ts';
import type { Draft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { LogTarget } from './model.ts';

/** What has log lines: the global section and every proxy. */
interface Logging {
  logs: Draft<LogTarget>[];
}

/** Syslog facilities and levels in the order of their numbers (RFC 5424, 6.2.1). */
const FACILITIES =
  'kern user mail daemon auth syslog lpr news uucp cron auth2 ftp ntp audit alert cron2 local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];
const FORMATS = ['local', 'rfc3164', 'rfc5424', 'priority', 'short', 'timed', 'iso', 'raw'];

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

function parseLog(cursor: Cursor, owner: Logging) {
  const { file, line } = cursor.line;
  const address = cursor.next();
  if (address === null) return cursor.error(MISSING);
  const target = {
    file,
    line,
    address: address.text,
    facility: '',
    maxLevel: 7,
    minLevel: 0,
    lenBytes: 1024,
    format: '',
  };
  if (!modifiers(cursor, target)) return;
  const facility = cursor.next();
  if (facility === null) return cursor.error(MISSING);
  if (!FACILITIES.includes(facility.text)) {
    return cursor.error(`'log': unknown log facility '${facility.text}'`, `one of ${FACILITIES.join(', ')}`, facility);
  }
  target.facility = facility.text;
  const maxLevel = level(cursor, 7);
  const minLevel = level(cursor, 0);
  if (maxLevel === null || minLevel === null) return;
  // Descriptors take lines as they are, everything else is syslog's old framing.
  if (target.format === '') target.format = /^(stdout|stderr|fd@)/.test(target.address) ? 'raw' : 'local';
  owner.logs.push({ ...target, maxLevel, minLevel });
}

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
  parse: parseLog,
});

/** `log` in a proxy. */
export const PROXY_LOG: Keyword<Logging> = supported({
  name: 'log',
  where: 'DFLB',
  args: `global | ${SYNTAX}`,
  doc: 'Where log lines go; `no log` forgets what was inherited.',
  negatable: true,
  parse(cursor, proxy, { prefix }) {
    const { file, line } = cursor.line;
    const global = { file, line, address: LOG_GLOBAL, facility: '', maxLevel: 7, minLevel: 0, lenBytes: 0, format: '' };
    if (prefix !== '') proxy.logs = [];
    else if (cursor.match(LOG_GLOBAL)) proxy.logs = [global];
    else parseLog(cursor, proxy);
  },
  good: [...LINES.good, 'log global', 'no log'],
  bad: [...LINES.bad, ['no log x', "'log' cannot handle unexpected argument 'x'"]],
});
