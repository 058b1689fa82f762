/** Keywords with conditions that choose: the backend, the server, persistence, the monitor's answer (manual 4.2). */
import { type Format, parseFormat } from '../rules/format.ts';
import { readIf } from '../rules/rule-line.ts';
import { ruleSet } from '../rules/rule-sets.ts';
import { readAcl } from '../sample/acl-line.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Point } from '../sample/points.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { reference } from './fields.ts';
import { type Context, type Keyword, supported } from './keyword.ts';

type Row = Keyword<ProxyDraft>;

const CONDITION = '{ if | unless } <condition>';

/** The name just taken as a format; null when it is plain; false after reporting. */
function formatOf(cursor: Cursor, proxy: ProxyDraft, context: Context, point: Point): Format | null | false {
  if (!cursor.current.text.includes('%')) return null;
  const rule = { set: ruleSet('request'), point, proxy, args: null };
  return parseFormat(cursor, rule, context, cursor.current) ?? false;
}

function useBackend(cursor: Cursor, proxy: ProxyDraft, context: Context): void {
  if (cursor.next() === null) return cursor.error("'use_backend' expects a backend name");
  const target = reference(cursor);
  const format = formatOf(cursor, proxy, context, 'setBackend');
  if (format === false) return;
  const word = cursor.peek();
  if (word !== null && word.text !== 'if' && word.text !== 'unless') {
    cursor.next();
    return cursor.error(
      `unexpected keyword '${word.text}' after switching rule, only 'if' and 'unless' are allowed`,
    );
  }
  const condition = readIf(cursor, proxy, context, 'setBackend', 'use_backend');
  if (condition !== false) proxy.useBackend.push({ ...target, format, condition });
}

function useServer(cursor: Cursor, proxy: ProxyDraft, context: Context): void {
  if (cursor.next() === null) return cursor.error("'use-server' expects a server name");
  const target = reference(cursor);
  const format = formatOf(cursor, proxy, context, 'setServer');
  if (format === false) return;
  const condition = needed(cursor, proxy, context, 'setServer', 'use-server');
  if (condition !== null) proxy.useServer.push({ ...target, format, condition });
}

/** A condition that must be there; null after reporting. */
function needed(
  cursor: Cursor,
  proxy: ProxyDraft,
  context: Context,
  point: Point,
  name: string,
): ConditionData | null {
  const word = cursor.peek();
  if (word !== null && (word.text === 'if' || word.text === 'unless')) {
    return readIf(cursor, proxy, context, point, name) || null;
  }
  cursor.error(`'${name}' requires either 'if' or 'unless' followed by a condition`);
  return null;
}

/** A line that is its name and a condition. */
function conditional(
  name: string,
  where: string,
  doc: string,
  point: Point,
  put: (proxy: ProxyDraft, condition: ConditionData, cursor: Cursor) => void,
): Row {
  return supported<ProxyDraft>({
    ...{ name, where, doc, args: CONDITION },
    parse(cursor, proxy, context) {
      const condition = needed(cursor, proxy, context, point, name);
      if (condition !== null) put(proxy, condition, cursor);
    },
    good: [`${name} if TRUE`, `${name} unless { src 10.0.0.0/8 }`],
    bad: [
      [name, `'${name}' requires either 'if' or 'unless' followed by a condition`],
      [`${name} if nosuch`, "no such ACL : 'nosuch'"],
    ],
  });
}

function persistence(name: string, force: boolean, doc: string): Row {
  return conditional(name, 'LB', doc, 'setServer', (proxy, condition, { line: { file, line } }) => {
    proxy.persistRules.push({ file, line, force, condition });
  });
}

function delay(name: string, where: string, field: 'inspectDelayMs' | 'serverInspectDelayMs', doc: string): Row {
  return supported<ProxyDraft>({
    ...{ name, where, doc, args: '<time>' },
    parse(cursor, proxy) {
      proxy[field] = cursor.expectTime(name, 'ms') ?? 0;
    },
    good: [`${name} 5s`],
    bad: [[name, `'${name}' expects a time (in milliseconds by default)`]],
  });
}

export const SWITCHING: readonly Row[] = [
  supported<ProxyDraft>({
    name: 'acl',
    where: 'DFLB',
    args: '<name> <criterion> [flags] [operator] <value>...',
    doc: 'Names a test that rules can refer to.',
    parse: (cursor, proxy, { resources }) => readAcl(cursor, proxy.acls, resources),
    good: ['acl local src 127.0.0.0/8', 'acl admin path_beg -i /admin'],
    bad: [
      ['acl', "'acl' expects a name and an expression"],
      ['acl a nosuch', "unknown fetch method 'nosuch' in ACL expression 'nosuch'"],
    ],
  }),
  supported<ProxyDraft>({
    name: 'use_backend',
    where: 'FL',
    args: '<backend> [{ if | unless } <condition>]',
    doc: 'Sends requests to a backend; its name may be a log format.',
    parse: useBackend,
    good: ['use_backend t', 'use_backend t if TRUE', 'use_backend %[src]'],
    bad: [
      ['use_backend', "'use_backend' expects a backend name"],
      ['use_backend x foo', "unexpected keyword 'foo' after switching rule, only 'if' and 'unless' are allowed"],
      ['use_backend x if nosuch', "no such ACL : 'nosuch'"],
    ],
  }),
  supported<ProxyDraft>({
    name: 'use-server',
    where: 'LB',
    args: `<server> ${CONDITION}`,
    doc: 'Sends requests to one server; its name may be a log format.',
    parse: useServer,
    good: ['use-server s if TRUE'],
    bad: [
      ['use-server', "'use-server' expects a server name"],
      ['use-server s', "'use-server' requires either 'if' or 'unless' followed by a condition"],
    ],
  }),
  persistence('force-persist', true, 'Keeps persistence on servers that are down.'),
  persistence('ignore-persist', false, 'Ignores persistence cookies.'),
  conditional('monitor fail', 'FL', 'Makes the monitor URI report a failure.', 'frontRequest', (proxy, condition) => {
    proxy.monitorFail.push(condition as never);
  }),
  delay('tcp-request inspect-delay', 'DFLB', 'inspectDelayMs', 'How long tcp-request content rules wait for bytes.'),
  delay(
    'tcp-response inspect-delay',
    'DLB',
    'serverInspectDelayMs',
    'How long tcp-response content rules wait for bytes.',
  ),
];
