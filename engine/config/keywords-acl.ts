/** `acl` lines and what is decided by conditions alone (manual 4.2, 7.1, 7.2); the helpers that all rules read theirs with. */
import { readAcl } from '../sample/acl-line.ts';
import type { ConditionData } from '../sample/condition.ts';
import { readCondition } from '../sample/condition-line.ts';
import type { Expression } from '../sample/expression.ts';
import type { Point } from '../sample/points.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft, Resources } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

/** Remembers the ACLs that a line has added, so that what they refer to is looked up once all is read. */
function remembering<T>(cursor: Cursor, proxy: ProxyDraft, read: () => T): T {
  const before = new Set(proxy.acls.flatMap(acl => acl.tests));
  const result = read();
  for (const test of proxy.acls.flatMap(acl => acl.tests)) {
    if (!before.has(test)) useExpression(proxy, cursor, test.expression, 'ACL keyword');
  }
  return result;
}

/** An expression of the line: its references are checked at the end. */
export function useExpression(
  proxy: Pick<ProxyDraft, 'expressions'>,
  cursor: Cursor,
  expression: Expression,
  keyword = 'sample fetch keyword',
): void {
  const { file, line } = cursor.line;
  proxy.expressions.push({ file, line, expression, keyword });
}

/** Reads `if|unless <condition>` to the end of the line; null after an error. The cursor stands before `if`. */
export function readProxyCondition(
  cursor: Cursor,
  proxy: ProxyDraft,
  resources: Resources,
  point: Point,
): ConditionData | null {
  return remembering(cursor, proxy, () => readCondition(cursor, proxy.acls, resources, point));
}

/** Reads a condition that must be there; `complaint` is what HAProxy says when it is not. */
export function needCondition(
  cursor: Cursor,
  proxy: ProxyDraft,
  resources: Resources,
  point: Point,
  complaint: string,
): ConditionData | null {
  const word = cursor.peek();
  if ((word?.text === 'if' || word?.text === 'unless') && cursor.left > 1) {
    return readProxyCondition(cursor, proxy, resources, point);
  }
  cursor.rest();
  cursor.error(complaint, undefined, word ?? cursor.current);
  return null;
}

const FORCE_SWITCH = "'force-be-switch' requires either 'if' or 'unless' followed by a condition";
const MONITOR_FAIL = "'monitor fail' requires either 'if' or 'unless' followed by a condition";

export const ACL: readonly Keyword<ProxyDraft>[] = [
  supported<ProxyDraft>({
    name: 'acl',
    where: 'DFLB',
    args: '<name> <criterion> [flags] [operator] <value>...',
    doc: 'Names a test that conditions can refer to.',
    parse(cursor, proxy, { resources }) {
      if (proxy.kind === 'defaults' && proxy.name === '') {
        return cursor.error("'acl' not allowed in anonymous 'defaults' section");
      }
      remembering(cursor, proxy, () => readAcl(cursor, proxy.acls, resources));
    },
    good: [
      'acl a path_beg -i /a /b',
      'acl a hdr(host),lower -m end .example.org',
      'acl a src 10.0.0.0/8 192.168.0.1',
      'acl a dst_port 1:1023',
      'acl a req.cook(x) -m found',
      'acl a hdr_cnt(host) gt 1',
    ],
    bad: [
      ['acl', "'acl' expects a name and an expression"],
      ['acl a', "missing fetch method in ACL expression ''"],
      ['acl a,b path /a', "character ',' is not permitted in acl name 'a,b'"],
      ['acl a foo', "unknown fetch method 'foo' in ACL expression 'foo'"],
      ['acl a path -m foo x', "unknown matching method 'foo' when parsing ACL expression"],
      ['acl a path -z x', "'-z' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'"],
      ['acl a path -f /nonexistent', 'failed to open pattern file </nonexistent>'],
      ['acl a src 1.2.3.4.5', "'1.2.3.4.5' is not a valid IPv4 or IPv6 address"],
      ['acl a int(5) gt x', "'x' is neither a number nor a supported operator"],
      ['acl a int(5) 5:3', "'5:3' is not a valid number range"],
      ['acl a path -m bin xy', "an hex digit is expected (found 'x')"],
      ['acl a bin(00),add(1) 3', "converter 'add' cannot be applied in ACL expression 'bin(00),add(1)'"],
      [
        'acl a req.hdr(a,b) x',
        "fetch method 'req.hdr' : failed to parse 'b' as type 'integer' at position 2 in ACL expression 'req.hdr(a,b)'",
      ],
    ],
  }),
  supported<ProxyDraft>({
    name: 'force-be-switch',
    where: 'FL',
    args: '{ if | unless } <condition>',
    doc: 'Switching rules see unpublished backends too.',
    parse(cursor, proxy, { resources }) {
      const condition = needCondition(cursor, proxy, resources, 'setBackend', FORCE_SWITCH);
      if (condition !== null) proxy.forceSwitch.push(condition);
    },
    good: ['force-be-switch if FALSE', 'force-be-switch unless { src 127.0.0.1 }'],
    bad: [
      ['force-be-switch', FORCE_SWITCH],
      ['force-be-switch x y', FORCE_SWITCH],
    ],
  }),
  supported<ProxyDraft>({
    name: 'monitor fail',
    where: 'FL',
    args: '{ if | unless } <condition>',
    doc: 'Makes the monitor URI report a failure.',
    parse(cursor, proxy, { resources }) {
      const condition = needCondition(cursor, proxy, resources, 'frontRequest', MONITOR_FAIL);
      if (condition !== null) proxy.monitorFail.push({ ...condition, file: cursor.line.file, line: cursor.line.line });
    },
    good: ['monitor fail if FALSE', 'monitor fail unless { always_true }'],
    bad: [
      ['monitor fail', MONITOR_FAIL],
      ['monitor fail x y', MONITOR_FAIL],
      ['monitor fail if foo', "no such ACL : 'foo'"],
    ],
  }),
];
