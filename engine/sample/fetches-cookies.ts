/** Fetches of cookies (manual 7.3.6): `req.cook`, `res.cook` and their kin. */
import { latin1 } from '../http/chars.ts';
import { CookieAt, readPair } from '../http/cookie.ts';
import type { Head } from '../http/head.ts';
import { H_COOKIE, H_SET_COOKIE } from '../http/names.ts';
import type { Args } from './arguments.ts';
import { leadingInt } from './cast.ts';
import type { Fetch, SampleContext } from './context.ts';
import { requestHead, responseHead } from './fetches-request.ts';
import type { Source } from './points.ts';
import { alias, type FetchRow, fetch } from './row.ts';
import { type Sample, type TypeName, view } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';

/** Where cookies of a direction are: a Cookie header holds many, a Set-Cookie header one and its attributes. */
interface Jar {
  readonly prefix: string;
  /** Names of `cook`, `cook_cnt`, `cook_val` in older form: what stands before. */
  readonly short: string;
  readonly old: string;
  readonly header: number;
  readonly many: boolean;
  readonly from: Source;
  readonly headOf: (ctx: SampleContext) => Head | null;
}

const JARS: readonly Jar[] = [
  {
    prefix: 'req.',
    short: '',
    old: 'cookie',
    header: H_COOKIE,
    many: true,
    from: 'requestHeaders',
    headOf: requestHead,
  },
  {
    prefix: 'res.',
    short: 's',
    old: 'set-cookie',
    header: H_SET_COOKIE,
    many: false,
    from: 'responseHeaders',
    headOf: responseHead,
  },
];

const at = new CookieAt();
/** `$Version`, `$Path`: said of cookies, by clients of RFC 2965. */
const DOLLAR = 36;

/** The next cookie after where `out.slot` and `out.offset` say: into `at`. False: there is none. */
function next(jar: Jar, head: Head, out: Sample): boolean {
  for (;;) {
    const slot = head.find(jar.header, out.slot);
    if (slot < 0) return false;
    const start = head.valueStart[slot]! + (slot === out.slot ? out.offset : 0);
    const end = head.valueEnd[slot]!;
    out.slot = slot;
    if (start >= end) {
      out.slot = slot + 1;
      out.offset = 0;
      continue;
    }
    readPair(head.bytesOf(slot), start, end, at, jar.many);
    at.slot = slot;
    out.offset = (jar.many ? at.pairEnd + 1 : end) - head.valueStart[slot]!;
    if (at.nameEnd > at.nameStart && head.bytesOf(slot)[at.nameStart] !== DOLLAR) return true;
  }
}

/** The next cookie named `name`; '' = any. */
function nextNamed(jar: Jar, head: Head, name: Uint8Array, out: Sample): boolean {
  while (next(jar, head, out)) {
    if (name.length === 0) return true;
    const bytes = head.bytesOf(at.slot);
    if (at.nameEnd - at.nameStart === name.length && name.every((b, i) => bytes[at.nameStart + i] === b)) return true;
  }
  return false;
}

/** The last of the name, the first when any will do; for ACLs one after the other. */
function value(jar: Jar, asInt: boolean): (args: Args) => Fetch {
  return args => {
    const name = latin1(args.text(0));
    return (ctx, out) => {
      const head = jar.headOf(ctx);
      if (head === null) return false;
      let found = false;
      out.more = false;
      while (nextNamed(jar, head, name, out)) {
        found = out.setStr(head.bytesOf(at.slot), at.valueStart, at.valueEnd);
        if (asInt && !leadingInt(out)) found = false;
        out.more = found && out.iterate;
        if (out.more) return true;
        if (found && name.length === 0) return true;
      }
      return found;
    };
  };
}

function count(jar: Jar): (args: Args) => Fetch {
  return args => {
    const name = latin1(args.text(0));
    return (ctx, out) => {
      const head = jar.headOf(ctx);
      if (head === null) return false;
      let n = 0;
      while (nextNamed(jar, head, name, out)) n++;
      return out.setInt(n);
    };
  };
}

function names(jar: Jar): (args: Args) => Fetch {
  return args => {
    const delimiter = args.bytes(0)[0] ?? 44;
    return (ctx, out) => {
      const head = jar.headOf(ctx);
      if (head === null) return false;
      const start = room();
      let to = start;
      while (next(jar, head, out)) {
        if (to + at.nameEnd - at.nameStart + 1 > start + ROOM_BYTES) return false;
        if (to > start) SCRATCH[to++] = delimiter;
        to += view(head.bytesOf(at.slot)).copy(SCRATCH, to, at.nameStart, at.nameEnd);
      }
      give(to);
      return out.setStr(SCRATCH, start, to);
    };
  };
}

/** A cookie of the request or, in rules of responses, one that the response sets. */
const either = (args: Args): Fetch => {
  const [request, response] = JARS.map(jar => value(jar, false)(args));
  return (ctx, out) => (ctx.response ? response! : request!)(ctx, out);
};

type Kind = readonly [string, string, TypeName, string, (jar: Jar) => (args: Args) => Fetch];

const KINDS: readonly Kind[] = [
  ['cook', '[name:str]', 'str', 'The last cookie of that name.', jar => value(jar, false)],
  ['cook_cnt', '[name:str]', 'sint', 'How many cookies of that name there are.', count],
  ['cook_val', '[name:str]', 'sint', 'The last cookie of that name as an integer.', jar => value(jar, true)],
  ['cook_names', '[delim:str]', 'str', 'The names of all cookies.', names],
];

export const COOKIE_FETCHES: readonly FetchRow[] = JARS.flatMap(jar =>
  KINDS.flatMap(([suffix, args, out, doc, make]) => {
    const row = fetch(`${jar.prefix}${suffix}`, args, out, jar.from, doc, make(jar));
    if (suffix === 'cook_names') return [row];
    const rows = [row, alias(`${jar.short}${suffix}`, row)];
    if (suffix !== 'cook') return rows;
    // `cookie` alone looks where its rule stands.
    if (jar.many) return [...rows, fetch(jar.old, args, out, 'eitherHeaders', doc, either)];
    return [...rows, alias(jar.old, row)];
  }),
);
