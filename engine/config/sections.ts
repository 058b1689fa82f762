/** The sections of a configuration: one row each, which opens the section and gives what reads its lines. */

import { type CheckOwner, newCheck } from './check-draft.ts';
import { Cursor } from './cursor.ts';
import type { Diagnostics } from './diagnostics.ts';
import {
  type GlobalDraft,
  type HttpErrorsDraft,
  type LogProfileDraft,
  newGlobal,
  newProxy,
  newRing,
  type PeersDraft,
  type ProxyDraft,
  type ResolversDraft,
  type Resources,
  type RingDraft,
  type UserlistDraft,
} from './draft.ts';
import type { Keyword } from './keyword.ts';
import { HEALTHCHECK } from './keywords-checks.ts';
import { HTTP_ERRORS } from './keywords-errors.ts';
import { GLOBAL } from './keywords-global.ts';
import { LOG_PROFILE } from './keywords-log-profile.ts';
import { newPeers, PEERS } from './keywords-peers.ts';
import { PROXY } from './keywords-proxy.ts';
import { newResolvers, RESOLVERS } from './keywords-resolvers.ts';
import { RING } from './keywords-ring.ts';
import { USERLIST } from './keywords-userlist.ts';
import { illegalCharacter } from './names.ts';
import { didYouMean } from './suggest.ts';
import { carryOut, expectEnd, Table } from './table.ts';
import { misplaced, unknownKeyword, wrongSide } from './unknown.ts';
import type { Line } from './words.ts';

/** Everything that was read so far. */
export interface Drafts {
  readonly global: GlobalDraft;
  readonly proxies: ProxyDraft[];
  readonly userlists: UserlistDraft[];
  readonly httpErrors: HttpErrorsDraft[];
  readonly logProfiles: LogProfileDraft[];
  readonly rings: RingDraft[];
  readonly healthchecks: (CheckOwner & { name: string })[];
  readonly resolvers: ResolversDraft[];
  readonly peers: PeersDraft[];
  /** All `defaults` sections in order, anonymous ones too; the last one is what a proxy starts from. */
  readonly defaults: ProxyDraft[];
}

export function newDrafts(): Drafts {
  return {
    global: newGlobal(),
    proxies: [],
    userlists: [],
    httpErrors: [],
    logProfiles: [],
    rings: [],
    healthchecks: [],
    resolvers: [],
    peers: [],
    defaults: [],
  };
}

export interface Desk {
  readonly drafts: Drafts;
  readonly diagnostics: Diagnostics;
  readonly resources: Resources;
}

/** Reads one line of an open section. */
export type Reader = (line: Line) => void;

export interface Section {
  readonly keyword: string;
  readonly args: string;
  readonly doc: string;
  /** Letter of `Keyword.where`; '' = not supported yet, its lines are skipped. */
  readonly letter: string;
  open(cursor: Cursor, desk: Desk): Reader;
}

export const TABLES = {
  global: new Table(GLOBAL),
  proxy: new Table(PROXY),
  userlist: new Table(USERLIST),
  'http-errors': new Table(HTTP_ERRORS),
  healthcheck: new Table(HEALTHCHECK),
  resolvers: new Table(RESOLVERS),
  'log-profile': new Table(LOG_PROFILE),
  ring: new Table(RING),
  peers: new Table(PEERS),
};

/** What reads the lines of a section whose keywords are in `table` into `draft`. */
function readerOf<T>(table: Table<T>, section: string, letter: string, draft: T, name: string, desk: Desk): Reader {
  return line => {
    const cursor = new Cursor(line, desk.diagnostics);
    const { text } = cursor.peek()!;
    const prefix = (text === 'no' || text === 'default') && cursor.left > 1 ? text : '';
    if (prefix !== '') cursor.next();
    const start = cursor.index;
    const row = table.take(cursor);
    if (row === null) return unknownKeyword(cursor, table, section, letter, TABLES);
    const words = line.words.slice(start, cursor.index);
    if (prefix !== '' && !row.negatable) {
      return cursor.error(`negation/default is not supported for '${row.name}'`, undefined, line.words[0]);
    }
    if (!row.where.includes(letter)) return refused(cursor, row, section, letter, name);
    const context = { prefix, section: letter, resources: desk.resources } as const;
    // A refusal marks the keyword itself; what was read correctly must be read to its end.
    if (carryOut(row, cursor, draft, context) && words.length > 0) expectEnd(cursor, row.name);
  };
}

function refused<T>(cursor: Cursor, row: Keyword<T>, section: string, letter: string, name: string): void {
  if (row.status === 'removed' || row.status === 'later') row.parse(cursor, {} as T, NO_CONTEXT);
  else if (letter === 'F' || letter === 'B') wrongSide(cursor, row, section, letter, name);
  else misplaced(cursor, row, section);
}

/** Refusals look at nothing but the keyword. */
const NO_CONTEXT = {
  prefix: '',
  section: '',
  resources: { resolve: () => null, readFile: () => null, readFolder: () => null, env: {} },
} as const;

/** The name after a section keyword; '' after reporting that there is none or a bad one. */
function sectionName(cursor: Cursor, keyword: string): string {
  const word = cursor.next();
  if (word === null) cursor.error(`'${keyword}' expects an <id> argument`);
  const bad = word === null ? null : illegalCharacter(word.text);
  if (bad !== null) cursor.error(`character '${bad}' is not permitted in '${keyword}' name '${word!.text}'`);
  return word?.text ?? '';
}

/** `from <defaults>`: a copy of the named section, or of the last one. */
function inherited(cursor: Cursor, { drafts }: Desk, subject: string): ProxyDraft {
  let origin = drafts.defaults.at(-1);
  if (cursor.match('from')) {
    const word = cursor.expectWord('from');
    const names = drafts.defaults.map(draft => draft.name);
    // The last section of a name wins, as names may be used again.
    if (word !== null) origin = drafts.defaults.findLast(draft => draft.name === word.text);
    if (word !== null && origin === undefined) {
      cursor.error(
        `defaults section '${word.text}' not found for ${subject}`,
        didYouMean(word.text, names) ?? undefined,
      );
    }
  }
  const draft = structuredClone(origin ?? newProxy());
  // The ACLs of a defaults section are for its own rules: no line of the proxy may name them (manual 4.2, acl).
  for (const acl of draft.acls) acl.name = '';
  return draft;
}

function proxySection(keyword: 'frontend' | 'backend' | 'listen', letter: string, doc: string): Section {
  return {
    ...{ keyword, letter, doc, args: '<name> [from <defaults>]' },
    open(cursor, desk) {
      const { file, line } = cursor.line;
      const name = sectionName(cursor, keyword);
      const proxy = inherited(cursor, desk, `${keyword} '${name}'`);
      Object.assign(proxy, { file, line, name, kind: keyword });
      if (cursor.left > 0 && keyword !== 'backend') {
        cursor.error("please use the 'bind' keyword for listening addresses", undefined, cursor.peek()!);
      } else expectEnd(cursor, keyword);
      desk.drafts.proxies.push(proxy);
      return readerOf(TABLES.proxy, keyword, letter, proxy, name, desk);
    },
  };
}

const DEFAULTS: Section = {
  keyword: 'defaults',
  args: '[<name>] [from <defaults>]',
  letter: 'D',
  doc: 'Settings of the proxies that follow.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const named = cursor.left > 0 && cursor.peek()!.text !== 'from';
    const name = named ? sectionName(cursor, 'defaults') : '';
    const explicit = cursor.peek()?.text === 'from';
    const draft = explicit ? inherited(cursor, desk, `defaults '${name}'`) : newProxy();
    expectEnd(cursor, 'defaults');
    Object.assign(draft, { file, line, name, kind: 'defaults' });
    desk.drafts.defaults.push(draft);
    return readerOf(TABLES.proxy, 'defaults', 'D', draft, name, desk);
  },
};

const GLOBAL_SECTION: Section = {
  keyword: 'global',
  args: '',
  letter: 'G',
  doc: 'Settings of the process.',
  open(cursor, desk) {
    expectEnd(cursor, 'global');
    const { global } = desk.drafts;
    if (global.line === 0) Object.assign(global, { file: cursor.line.file, line: cursor.line.line });
    return readerOf(TABLES.global, 'global', 'G', global, '', desk);
  },
};

const USERLIST_SECTION: Section = {
  keyword: 'userlist',
  args: '<name>',
  letter: 'U',
  doc: 'Users and their passwords.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const draft: UserlistDraft = { file, line, name: sectionName(cursor, 'userlist'), users: [], groups: [] };
    expectEnd(cursor, 'userlist');
    desk.drafts.userlists.push(draft);
    return readerOf(TABLES.userlist, 'userlist', 'U', draft, draft.name, desk);
  },
};

const HTTP_ERRORS_SECTION: Section = {
  keyword: 'http-errors',
  args: '<name>',
  letter: 'E',
  doc: 'A set of error pages.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const draft: HttpErrorsDraft = { file, line, name: sectionName(cursor, 'http-errors'), pages: [] };
    expectEnd(cursor, 'http-errors');
    desk.drafts.httpErrors.push(draft);
    return readerOf(TABLES['http-errors'], 'http-errors', 'E', draft, draft.name, desk);
  },
};

const HEALTHCHECK_SECTION: Section = {
  keyword: 'healthcheck',
  args: '<name>',
  letter: 'H',
  doc: 'A named kind of check.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const draft = { file, line, name: sectionName(cursor, 'healthcheck'), check: newCheck() };
    expectEnd(cursor, 'healthcheck');
    desk.drafts.healthchecks.push(draft);
    return readerOf(TABLES.healthcheck, 'healthcheck', 'H', draft, draft.name, desk);
  },
};

const RESOLVERS_SECTION: Section = {
  keyword: 'resolvers',
  args: '<name>',
  letter: 'N',
  doc: 'Name servers.',
  open(cursor, desk) {
    const draft = newResolvers(cursor.line, sectionName(cursor, 'resolvers'));
    expectEnd(cursor, 'resolvers');
    desk.drafts.resolvers.push(draft);
    return readerOf(TABLES.resolvers, 'resolvers', 'N', draft, draft.name, desk);
  },
};

const LOG_PROFILE_SECTION: Section = {
  keyword: 'log-profile',
  args: '<name>',
  letter: 'P',
  doc: 'What log lines say, by step.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const draft: LogProfileDraft = { file, line, name: sectionName(cursor, 'log-profile'), logTag: null, steps: {} };
    expectEnd(cursor, 'log-profile');
    desk.drafts.logProfiles.push(draft);
    return readerOf(TABLES['log-profile'], 'log-profile', 'P', draft, draft.name, desk);
  },
};

const RING_SECTION: Section = {
  keyword: 'ring',
  args: '<name>',
  letter: 'R',
  doc: 'A buffer of log lines, and log servers over TCP.',
  open(cursor, desk) {
    const draft = newRing(cursor.line, sectionName(cursor, 'ring'));
    expectEnd(cursor, 'ring');
    desk.drafts.rings.push(draft);
    return readerOf(TABLES.ring, 'ring', 'R', draft, draft.name, desk);
  },
};

const PEERS_SECTION: Section = {
  keyword: 'peers',
  args: '<name>',
  letter: 'S',
  doc: 'Other processes that share stick tables.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const draft: PeersDraft = { file, line, ...newPeers(sectionName(cursor, 'peers')) };
    expectEnd(cursor, 'peers');
    desk.drafts.peers.push(draft);
    return readerOf(TABLES.peers, 'peers', 'S', draft, draft.name, desk);
  },
};

/** A section that is known and refused. Its lines are not looked at. */
function laterSection(keyword: string, doc: string): Section {
  return {
    ...{ keyword, doc, letter: '', args: '...' },
    open(cursor) {
      cursor.error(`the '${keyword}' section is not supported by Sluice yet`);
      return () => {};
    },
  };
}

export const SECTIONS: readonly Section[] = [
  GLOBAL_SECTION,
  DEFAULTS,
  proxySection('frontend', 'F', 'Listens for clients.'),
  proxySection('backend', 'B', 'A set of servers.'),
  proxySection('listen', 'L', 'A frontend and its backend in one.'),
  USERLIST_SECTION,
  HTTP_ERRORS_SECTION,
  HEALTHCHECK_SECTION,
  RESOLVERS_SECTION,
  LOG_PROFILE_SECTION,
  RING_SECTION,
  PEERS_SECTION,
  laterSection('acme', 'Certificates by ACME.'),
  laterSection('cache', 'A cache of responses.'),
  laterSection('crt-store', 'Certificates by name.'),
  laterSection('dynamic-update', 'What may change at run time.'),
  laterSection('fcgi-app', 'A FastCGI application.'),
  laterSection('log-forward', 'Forwards log lines.'),
  laterSection('mailers', 'Mail servers.'),
  laterSection('namespace_list', 'Network namespaces.'),
  laterSection('program', 'Programs run beside the process.'),
  laterSection('traces', 'Traces of internals.'),
];
