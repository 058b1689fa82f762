/** The sections of a configuration: one row each, which opens the section and gives what reads its lines. */

import { type CheckOwner, newCheck } from './check-draft.ts';
import { Cursor } from './cursor.ts';
import type { Diagnostics } from './diagnostics.ts';
import type {
  GlobalDraft,
  HttpErrorsDraft,
  LogProfileDraft,
  PeersDraft,
  ProxyDraft,
  ResolversDraft,
  Resources,
  RingDraft,
  UserlistDraft,
} from './draft.ts';
import { inherited } from './inherit.ts';
import type { Keyword } from './keyword.ts';
import { HEALTHCHECK } from './keywords-checks.ts';
import { CRT_STORE, type CrtStoreDraft, newCrtStore } from './keywords-crt-store.ts';
import { HTTP_ERRORS } from './keywords-errors.ts';
import { GLOBAL } from './keywords-global.ts';
import { LOG_FORWARD, type LogForwardDraft, newLogForward } from './keywords-log-forward.ts';
import { LOG_PROFILE } from './keywords-log-profile.ts';
import { MAILERS, type MailersDraft, newMailers } from './keywords-mailers.ts';
import { newPeers, PEERS } from './keywords-peers.ts';
import { PROXY } from './keywords-proxy.ts';
import { newResolvers, RESOLVERS } from './keywords-resolvers.ts';
import { RING } from './keywords-ring.ts';
import { hasNamespace } from './keywords-socket.ts';
import { USERLIST } from './keywords-userlist.ts';
import type { Place } from './model.ts';
import { illegalCharacter } from './names.ts';
import { newGlobal, newProxy, newRing } from './new-drafts.ts';
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
  readonly logForwards: LogForwardDraft[];
  readonly crtStores: CrtStoreDraft[];
  readonly mailers: MailersDraft[];
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
    logForwards: [],
    crtStores: [],
    mailers: [],
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
  'log-forward': new Table(LOG_FORWARD),
  mailers: new Table(MAILERS),
  peers: new Table(PEERS),
  'crt-store': new Table(CRT_STORE),
};

/**
 * What reads the lines of a section whose keywords are in `table` into `draft`. Lines that are only ignored must be right all
 * the same: they are read into what `aside` makes.
 */
function readerOf<T>(
  table: Table<T>,
  section: string,
  letter: string,
  draft: T,
  name: string,
  desk: Desk,
  aside: () => T = () => draft,
): Reader {
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
    const belongs = row.where.includes(letter);
    if (!belongs && refused(cursor, row, section, letter, name)) return;
    const { resources, drafts } = desk;
    const context = { prefix, section: letter, resources, proxies: drafts.proxies } as const;
    // A refusal marks the keyword itself; what was read correctly must be read to its end.
    const read = carryOut(row, cursor, belongs ? draft : aside(), context);
    if (read && words.length > 0) expectEnd(cursor, row.name);
  };
}

/** True when that is all there is to say of the line. */
function refused<T>(cursor: Cursor, row: Keyword<T>, section: string, letter: string, name: string): boolean {
  if (row.status === 'removed' || row.status === 'later') row.parse(cursor, {} as T, NO_CONTEXT);
  else if (letter === 'F' || letter === 'B') return wrongSide(cursor, row, section, letter, name);
  else misplaced(cursor, row, section);
  return true;
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

function proxySection(keyword: 'frontend' | 'backend' | 'listen', letter: string, doc: string): Section {
  return {
    ...{ keyword, letter, doc, args: '<name> [from <defaults>]' },
    open(cursor, desk) {
      const { file, line } = cursor.line;
      const name = sectionName(cursor, keyword);
      const proxy = inherited(cursor, desk, keyword, name);
      Object.assign(proxy, { file, line, name, kind: keyword });
      if (cursor.left > 0 && keyword !== 'backend') {
        cursor.error("please use the 'bind' keyword for listening addresses", undefined, cursor.peek()!);
      } else expectEnd(cursor, keyword);
      desk.drafts.proxies.push(proxy);
      const { mode } = proxy;
      return readerOf(TABLES.proxy, keyword, letter, proxy, name, desk, () => ({
        ...newProxy(),
        name,
        kind: keyword,
        mode,
      }));
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
    // Any name will do as long as no section refers to it.
    const name = named ? cursor.next()!.text : '';
    const explicit = cursor.peek()?.text === 'from';
    const draft = explicit ? inherited(cursor, desk, 'defaults', name) : newProxy();
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

const CRT_STORE_SECTION: Section = {
  keyword: 'crt-store',
  args: '[<name>]',
  letter: 'C',
  doc: 'Certificates, with what belongs to each, by names.',
  open(cursor, desk) {
    const { file, line } = cursor.line;
    const name = cursor.left > 0 ? sectionName(cursor, 'crt-store') : '';
    expectEnd(cursor, 'crt-store');
    const draft = newCrtStore({ file, line }, name);
    desk.drafts.crtStores.push(draft);
    return readerOf(TABLES['crt-store'], 'crt-store', 'C', draft, name, desk);
  },
};

/** A section with a name, of which there may be several; `make` is a draft of it. */
function namedSection<T, D extends T & { readonly name: string }>(
  keyword: string,
  letter: string,
  doc: string,
  table: Table<T>,
  listOf: (drafts: Drafts) => D[],
  make: (place: Place, name: string) => D,
): Section {
  return {
    ...{ keyword, letter, doc, args: '<name>' },
    open(cursor, desk) {
      const { file, line } = cursor.line;
      const draft = make({ file, line }, sectionName(cursor, keyword));
      expectEnd(cursor, keyword);
      listOf(desk.drafts).push(draft);
      return readerOf(table, keyword, letter, draft, draft.name, desk);
    },
  };
}

/** Sources of events inside HAProxy that are not ours are passed over (log/trace-words.ts). */
const TRACES_SECTION: Section = {
  keyword: 'traces',
  args: '',
  letter: '',
  doc: 'Traces of streams and sessions; sources that are not here are passed over.',
  open(cursor, desk) {
    expectEnd(cursor, 'traces');
    return line => traceLine(new Cursor(line, cursor.diagnostics), desk.drafts.global.traces);
  },
};

function traceLine(cursor: Cursor, traces: GlobalDraft['traces']): void {
  const word = cursor.next()!;
  if (word.text !== 'trace') cursor.error(`unknown keyword '${word.text}' in 'traces' section`);
  else traces.push(cursor.rest().map(({ text }) => text));
}

/** Namespaces that must be there; sockets are made in those that their lines name. */
const NAMESPACE_LIST: Section = {
  keyword: 'namespace_list',
  args: '',
  letter: '',
  doc: 'Network namespaces that must be there.',
  open(cursor, desk) {
    expectEnd(cursor, 'namespace_list');
    return line => namespaceLine(new Cursor(line, cursor.diagnostics), desk.resources);
  },
};

function namespaceLine(cursor: Cursor, resources: Resources): void {
  const keyword = cursor.next()!;
  if (keyword.text !== 'namespace') {
    cursor.error(`unknown keyword '${keyword.text}' in 'namespace_list' section`);
    return;
  }
  const word = cursor.expectWord('namespace');
  if (word === null) return;
  if (!hasNamespace(resources, word.text)) cursor.error(`Cannot open namespace '${word.text}'`, undefined, word);
  else expectEnd(cursor, 'namespace');
}

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
  namedSection(
    'userlist',
    'U',
    'Users and their passwords.',
    TABLES.userlist,
    drafts => drafts.userlists,
    (place, name) => ({ ...place, name, users: [], groups: [] }),
  ),
  namedSection(
    'http-errors',
    'E',
    'A set of error pages.',
    TABLES['http-errors'],
    drafts => drafts.httpErrors,
    (place, name) => ({ ...place, name, pages: [] }),
  ),
  namedSection(
    'healthcheck',
    'H',
    'A named kind of check.',
    TABLES.healthcheck,
    drafts => drafts.healthchecks,
    (place, name) => ({ ...place, name, check: newCheck(), expressions: [] }),
  ),
  namedSection('resolvers', 'N', 'Name servers.', TABLES.resolvers, drafts => drafts.resolvers, newResolvers),
  namedSection(
    'log-profile',
    'P',
    'What log lines say, by step.',
    TABLES['log-profile'],
    drafts => drafts.logProfiles,
    (place, name) => ({ ...place, name, logTag: null, steps: {} }),
  ),
  namedSection(
    'ring',
    'R',
    'A buffer of log lines, and log servers over TCP.',
    TABLES.ring,
    drafts => drafts.rings,
    newRing,
  ),
  namedSection(
    'log-forward',
    'W',
    'Takes log lines of others and sends them on.',
    TABLES['log-forward'],
    drafts => drafts.logForwards,
    newLogForward,
  ),
  namedSection(
    'peers',
    'S',
    'Other processes that share stick tables.',
    TABLES.peers,
    drafts => drafts.peers,
    (place, name) => ({ ...place, ...newPeers(name) }),
  ),
  laterSection('acme', 'Certificates by ACME.'),
  laterSection('cache', 'A cache of responses.'),
  CRT_STORE_SECTION,
  laterSection('dynamic-update', 'What may change at run time.'),
  laterSection('fcgi-app', 'A FastCGI application.'),
  namedSection('mailers', 'M', 'Mail servers.', TABLES.mailers, drafts => drafts.mailers, newMailers),
  NAMESPACE_LIST,
  laterSection('program', 'Programs run beside the process.'),
  TRACES_SECTION,
];
