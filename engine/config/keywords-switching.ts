/** Keywords that choose the server by conditions, and how long rules may wait for bytes (manual 4.2). */
import { nameAt } from '../log/format-text.ts';
import { takeFormat } from '../rules/format.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { reference } from './fields.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { needCondition } from './keywords-acl.ts';

type Row = Keyword<ProxyDraft>;

const CONDITION = '{ if | unless } <condition>';

function useServer(cursor: Cursor, proxy: ProxyDraft, context: Context) {
  if (cursor.next() === null) return cursor.error("'use-server' expects a server name");
  const target = reference(cursor);
  const named = target.name.includes('%');
  const dynamic = named ? takeFormat(cursor, proxy, cursor.current, nameAt('setServer'), context.resources) : null;
  if (named && dynamic === null) return;
  const condition = needCondition(cursor, proxy, context.resources, 'setServer', needs('use-server'));
  if (condition !== null) proxy.useServer.push({ ...target, dynamic, condition });
}

/** What is said when the condition is missing. */
function needs(name: string): string {
  return `'${name}' requires either 'if' or 'unless' followed by a condition`;
}

function persistence(name: string, force: boolean, doc: string): Row {
  return supported<ProxyDraft>({
    ...{ name, doc, where: 'LB', args: CONDITION },
    parse(cursor, proxy, { resources }) {
      const { file, line } = cursor.line;
      const condition = needCondition(cursor, proxy, resources, 'setServer', needs(name));
      if (condition !== null) proxy.persistRules.push({ file, line, force, condition } as never);
    },
    good: [`${name} if TRUE`, `${name} unless { src 10.0.0.0/8 }`],
    bad: [
      [name, needs(name)],
      [`${name} if nosuch`, "no such ACL : 'nosuch'"],
    ],
  });
}

function delay(name: string, where: string, field: 'inspectDelayMs' | 'serverInspectDelayMs', doc: string): Row {
  return supported<ProxyDraft>({
    ...{ name, where, doc, args: '<time>' },
    parse(cursor, proxy) {
      const delayMs = cursor.expectTime(name, 'ms') ?? 0;
      if (proxy[field] === 0) proxy[field] = delayMs;
      else cursor.warning(`ignoring ${name} (was already defined)`);
    },
    good: [`${name} 5s`],
    bad: [[name, `'${name}' expects a time (in milliseconds by default)`]],
  });
}

export const SWITCHING: readonly Row[] = [
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
  delay('tcp-request inspect-delay', 'DFLB', 'inspectDelayMs', 'How long tcp-request content rules wait for bytes.'),
  delay(
    'tcp-response inspect-delay',
    'DLB',
    'serverInspectDelayMs',
    'How long tcp-response content rules wait for bytes.',
  ),
];
