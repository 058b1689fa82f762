/** Who may ask: everybody (on loopback), whoever has the one token, or whom a Keystone knows. */
import { wallMs } from '../../engine/time.ts';

export interface Caller {
  readonly projectId: string;
  /** Sees and changes what belongs to any project. */
  readonly admin: boolean;
}

export interface Auth {
  readonly kind: 'keystone' | 'none' | 'token';
  /** Null when the token is not good. Rejects when that cannot be found out. */
  caller(token: string): Promise<Caller | null>;
  /** For our own stand-in of Keystone: the token for a password; null = wrong, or not ours to tell. */
  login(password: string): string | null;
}

/** Of those who have no Keystone to tell theirs. */
export const DEFAULT_PROJECT = '00000000000040008000000000000001';
const ADMIN: Caller = { projectId: DEFAULT_PROJECT, admin: true };

export const noAuth: Auth = { kind: 'none', caller: async () => ADMIN, login: () => 'notused' };

/** The one token, compared in a time that does not tell how much of it was right. */
export function tokenAuth(token: string): Auth {
  const isIt = (text: string) => {
    let different = text.length ^ token.length;
    for (let i = 0; i < text.length; i++) different |= text.charCodeAt(i) ^ token.charCodeAt(i % token.length);
    return different === 0;
  };
  return {
    kind: 'token',
    caller: async given => (isIt(given) ? ADMIN : null),
    login: password => (isIt(password) ? token : null),
  };
}

/** How long a token is believed without asking again; how many are remembered. */
const CACHE_MS = 60_000;
const CACHE_MAX = 10_000;
const ASK_MAX_MS = 5_000;

interface TokenAnswer {
  readonly token: {
    readonly expires_at: string;
    readonly project?: { readonly id: string };
    readonly roles?: readonly { readonly name: string }[];
  };
}

/** What Keystone said of a token, and until when that is believed: no longer than the token lives. Wall-clock milliseconds. */
interface Known {
  readonly caller: Caller | null;
  readonly untilMs: number;
}

/** @param url of Keystone: `http://controller:5000/v3` */
export function keystoneAuth(url: string): Auth {
  const known = new Map<string, Known>();
  const ask = async (token: string): Promise<Known> => {
    const response = await fetch(`${url.replace(/\/$/, '')}/auth/tokens`, {
      // A token may ask about itself.
      headers: { 'x-auth-token': token, 'x-subject-token': token, accept: 'application/json' },
      signal: AbortSignal.timeout(ASK_MAX_MS),
    });
    const untilMs = wallMs() + CACHE_MS;
    if (response.status === 401 || response.status === 404) return { caller: null, untilMs };
    if (!response.ok) throw new Error(`Keystone answered ${response.status}`);
    const { token: told } = (await response.json()) as TokenAnswer;
    if (told.project === undefined) return { caller: null, untilMs };
    const admin = told.roles?.some(role => role.name === 'admin') ?? false;
    const endMs = Date.parse(told.expires_at);
    return { caller: { projectId: told.project.id, admin }, untilMs: endMs < untilMs ? endMs : untilMs };
  };
  return {
    kind: 'keystone',
    login: () => null,
    caller: async token => {
      if (token === '') return null;
      const hit = known.get(token);
      if (hit !== undefined && hit.untilMs > wallMs()) return hit.caller;
      const told = await ask(token);
      if (known.size >= CACHE_MAX) known.clear();
      known.set(token, told);
      return told.caller;
    },
  };
}
