/** Fetches of credentials (manual 7.3.6, RFC 7617, RFC 6750): `http_auth` and its kin. */
import type { Userlist } from '../config/model.ts';
import { latin1 } from '../http/chars.ts';
import { H_AUTHORIZATION } from '../http/names.ts';
import type { Args } from './arguments.ts';
import type { Env, Fetch, SampleContext } from './context.ts';
import { requestHead } from './fetches-request.ts';
import { checkPassword } from './password.ts';
import { type FetchRow, fetch, plain } from './row.ts';
import { type Sample, view } from './sample.ts';

const BASIC = 'Basic';
const BEARER = 'Bearer';

interface Credentials {
  scheme: string;
  user: string;
  password: string;
}

/**
 * The scheme, written as the RFCs do, and for Basic user and password of the Authorization header; null = there is none
 * that is known.
 */
function credentials(ctx: SampleContext): Credentials | null {
  const head = requestHead(ctx);
  const slot = head?.find(H_AUTHORIZATION) ?? -1;
  if (head === null || slot < 0) return null;
  const value = view(head.bytesOf(slot)).toString('latin1', head.valueStart[slot], head.valueEnd[slot]);
  const [, scheme, rest] = /^([^ ]+) +(.*)$/s.exec(value) ?? [];
  if (scheme === undefined) return null;
  const lower = scheme.toLowerCase();
  if (lower === 'bearer') return { scheme: BEARER, user: '', password: '' };
  if (lower !== 'basic') return null;
  const pair = Buffer.from(rest!.trim(), 'base64').toString('latin1');
  const colon = pair.indexOf(':');
  return colon < 0 ? null : { scheme: BASIC, user: pair.slice(0, colon), password: pair.slice(colon + 1) };
}

function part(read: (found: Credentials) => string | null): Fetch {
  return (ctx, out) => {
    const found = credentials(ctx);
    const text = found === null ? null : read(found);
    if (text === null) return false;
    const bytes = latin1(text);
    return out.setStr(bytes, 0, bytes.length);
  };
}

const basic = (field: 'user' | 'password') => (found: Credentials) => (found.scheme === BASIC ? found[field] : null);

/** The user's name when the password is right; '' when it is not, null when nothing was said. */
function authenticated(ctx: SampleContext, list: Userlist): string | null {
  const found = credentials(ctx);
  if (found === null || found.scheme !== BASIC) return null;
  const user = list.users.find(u => u.name === found.user);
  return user !== undefined && checkPassword(user, found.password) ? found.user : '';
}

function listOf(args: Args, env: Env): Userlist | undefined {
  return env.worker.model.userlists.find(list => list.name === args.text(0));
}

function auth(args: Args, env: Env): Fetch {
  const list = listOf(args, env);
  return (ctx, out) => {
    if (list === undefined) return false;
    const user = authenticated(ctx, list);
    return user !== null && out.setBool(user !== '');
  };
}

/** The groups of the authenticated user, one after the other for an ACL; else the user's name. */
function authGroup(args: Args, env: Env): Fetch {
  const list = listOf(args, env);
  return (ctx, out) => {
    const user = list === undefined ? null : authenticated(ctx, list);
    if (list === undefined || user === null || user === '') return false;
    const texts = out.iterate
      ? list.groups.filter(group => group.users.includes(user)).map(group => group.name)
      : [user];
    const text = texts[out.slot];
    if (text === undefined) return false;
    out.more = out.iterate;
    out.slot++;
    const bytes = latin1(text);
    return out.setStr(bytes, 0, bytes.length);
  };
}

/** The token of `Authorization: Bearer`, or of another header. */
function bearer(args: Args): Fetch {
  const header = latin1(args.text(0, 'authorization').toLowerCase());
  return (ctx, out: Sample) => {
    const head = requestHead(ctx);
    const slot = head?.findName(header) ?? -1;
    if (head === null || slot < 0) return false;
    const bytes = head.bytesOf(slot);
    const end = head.valueEnd[slot]!;
    let at = head.valueStart[slot]!;
    if (
      view(bytes)
        .toString('latin1', at, Math.min(at + 7, end))
        .toLowerCase() !== 'bearer '
    )
      return false;
    at += 7;
    while (at < end && bytes[at] === 32) at++;
    return at < end && out.setStr(bytes, at, end);
  };
}

export const AUTH_FETCHES: readonly FetchRow[] = [
  fetch('http_auth', 'userlist:usr', 'bool', 'requestHeaders', 'User and password are in the list.', auth),
  fetch(
    'http_auth_group',
    'userlist:usr',
    'str',
    'requestHeaders',
    'The user, if authenticated; in ACLs the groups.',
    authGroup,
  ),
  fetch('http_auth_bearer', '[header:str]', 'str', 'requestHeaders', 'The bearer token.', bearer),
  plain(
    'http_auth_type',
    'str',
    'requestHeaders',
    'The scheme of the credentials.',
    part(found => found.scheme),
  ),
  plain('http_auth_user', 'str', 'requestHeaders', 'The user as given.', part(basic('user'))),
  plain('http_auth_pass', 'str', 'requestHeaders', 'The password as given.', part(basic('password'))),
];
