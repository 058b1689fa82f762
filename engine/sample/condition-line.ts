/** Reads conditions from configuration lines (manual 7.2), with the ACLs that stand in them: anonymous and predefined ones. */
import type { Cursor } from '../config/cursor.ts';
import type { Resources } from '../config/draft.ts';
import { didYouMean } from '../config/suggest.ts';
import type { Word } from '../config/words.ts';
import type { AclDraft } from './acl.ts';
import { readTest } from './acl-line.ts';
import type { ConditionData, Term } from './condition.ts';
import { fetchOf } from './expression.ts';
import { isSeen, type Point, pointName } from './points.ts';

/** Manual 7.4. */
const PREDEFINED: Readonly<Record<string, string>> = {
  FALSE: 'always_false',
  HTTP: 'req.proto_http',
  'HTTP_1.0': 'req.ver 1.0',
  'HTTP_1.1': 'req.ver 1.1',
  'HTTP_2.0': 'req.ver 2.0',
  'HTTP_3.0': 'req.ver 3.0',
  HTTP_CONTENT: 'req.hdr_val(content-length) gt 0',
  HTTP_URL_ABS: 'url_reg ^[^/:]*://',
  HTTP_URL_SLASH: 'url_beg /',
  HTTP_URL_STAR: 'url *',
  LOCALHOST: 'src 127.0.0.1/8 ::1',
  METH_CONNECT: 'method CONNECT',
  METH_DELETE: 'method DELETE',
  METH_GET: 'method GET HEAD',
  METH_HEAD: 'method HEAD',
  METH_OPTIONS: 'method OPTIONS',
  METH_POST: 'method POST',
  METH_PUT: 'method PUT',
  METH_TRACE: 'method TRACE',
  RDP_COOKIE: 'req.rdp_cookie_cnt gt 0',
  REQ_CONTENT: 'req.len gt 0',
  TRUE: 'always_true',
  WAIT_END: 'wait_end',
};

/**
 * Reads `if <condition>` or `unless <condition>` to the end of the line. Null after an error, and when `else` says so.
 * Anonymous and predefined ACLs are added to `acls`. What cannot be seen at `point` is warned about.
 */
export function readCondition(
  cursor: Cursor,
  acls: AclDraft[],
  resources: Resources,
  point: Point,
): ConditionData | null {
  const unless = cursor.next()?.text === 'unless';
  const any: Term[][] = [];
  let list: Term[] = [];
  let not = false;
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    let { text } = word;
    while (text.startsWith('!')) {
      not = !not;
      text = text.slice(1);
    }
    if (text === '') continue;
    if (text === 'or' || text === '||') {
      if (list.length > 0) any.push(list);
      list = [];
      not = false;
      continue;
    }
    const acl = text === '{' ? anonymous(cursor, acls, resources, word) : named(cursor, acls, resources, text, word);
    if (acl < 0) return null;
    warnUnseen(cursor, acls[acl]!, point, word);
    list.push({ acl, not });
    not = false;
  }
  if (list.length > 0) any.push(list);
  if (any.length === 0) cursor.warning('a condition without any ACL never matches');
  return { unless, any };
}

/** `{ expression ... }`, of which the brace was taken. Its index, -1 after an error. */
function anonymous(cursor: Cursor, acls: AclDraft[], resources: Resources, brace: Word): number {
  const words: Word[] = [];
  for (let word = cursor.next(); ; word = cursor.next()) {
    if (word === null) {
      cursor.error("missing closing '}' in condition", undefined, brace);
      return -1;
    }
    if (word.text === '}') break;
    words.push(word);
  }
  return add(cursor, acls, resources, '', words);
}

function named(cursor: Cursor, acls: AclDraft[], resources: Resources, name: string, word: Word): number {
  const index = acls.findIndex(acl => acl.name === name);
  if (index >= 0) return index;
  const text = PREDEFINED[name];
  if (text === undefined) {
    const hint = didYouMean(name, [...acls.map(acl => acl.name).filter(n => n !== ''), ...Object.keys(PREDEFINED)]);
    cursor.error(`no such ACL : '${name}'`, hint ?? undefined, word);
    return -1;
  }
  const words = text.split(' ').map(part => ({ ...word, text: part }));
  return add(cursor, acls, resources, name, words);
}

function add(cursor: Cursor, acls: AclDraft[], resources: Resources, name: string, words: readonly Word[]): number {
  const test = readTest(cursor, resources, words);
  return test === null ? -1 : acls.push({ name, tests: [test] }) - 1;
}

/** HAProxy warns about an ACL that looks at what is not there. */
function warnUnseen(cursor: Cursor, acl: AclDraft, point: Point, word: Word): void {
  const blind = acl.tests.filter(test => !isSeen(fetchOf(test.expression).from, point));
  const { keyword } = blind[0] ?? {};
  if (keyword === undefined) return;
  const where = `'${pointName(point)}'`;
  if (acl.name === '') {
    cursor.warning(
      `anonymous acl will never match because it uses keyword '${keyword}' which is incompatible with ${where}`,
      undefined,
      word,
    );
  } else if (blind.length === acl.tests.length) {
    cursor.warning(
      `acl '${acl.name}' will never match because it only involves keywords that are incompatible with ${where}`,
      undefined,
      word,
    );
  } else {
    cursor.warning(
      `acl '${acl.name}' involves keyword '${keyword}' which is incompatible with ${where}`,
      undefined,
      word,
    );
  }
}
