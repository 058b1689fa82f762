/**
 * What an agent says (manual 5.2, `agent-check`): one line of words, each of which may change something, in any order and
 * combination. The last word of a kind counts.
 */
import { isStatic } from '../balance/is-static.ts';
import { WEIGHT_MAX } from '../limits.ts';
import { setDrain, setMaint, setReady, setWeight } from './state.ts';
import { CHECKED, L7OK, L7STS, type Verdict, verdict } from './statuses.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';

type Admin = (env: StateEnv, t: Target) => void;

const ADMIN: Readonly<Record<string, Admin>> = { ready: setReady, drain: setDrain, maint: setMaint };
/** Words about the server's health, and whether they are good ones. */
const HEALTH: Readonly<Record<string, boolean>> = { up: true, down: false, stopped: false, fail: false };

interface Words {
  admin: Admin | null;
  weight: string | null;
  maxconn: string | null;
  /** As it was written, and what stood behind it after a sharp. */
  health: string | null;
  description: string;
  /** The first word that means nothing. */
  unknown: string | null;
}

/** Reads the words of a line. A sharp after a word about health begins a description. */
export function parseAgent(line: string): Words {
  const words: Words = { admin: null, weight: null, maxconn: null, health: null, description: '', unknown: null };
  let at = 0;
  for (const match of line.matchAll(/[^ \t,]+/g)) {
    at = match.index;
    const [word] = match;
    const lower = word.toLowerCase();
    if (word.startsWith('#')) {
      words.description = line.slice(at + 1).trim();
      break;
    }
    if (Object.hasOwn(ADMIN, lower)) words.admin = ADMIN[lower]!;
    else if (Object.hasOwn(HEALTH, lower)) words.health = word;
    else if (lower.startsWith('weight:')) words.weight = word.slice(7);
    else if (/^\d.*%/.test(word)) words.weight = word;
    else if (lower.startsWith('maxconn:')) words.maxconn = word.slice(8);
    else words.unknown ??= word;
  }
  return words;
}

/** Does what the line says and gives what the agent check found. */
export function obeyAgent(env: StateEnv, t: Target, line: string): Verdict {
  const words = parseAgent(line);
  words.admin?.(env, t);
  const warning = words.weight === null ? '' : changeWeight(env, t, words.weight);
  const complaint = (words.maxconn === null ? '' : changeMaxconn(env, t, words.maxconn)) || warning;
  if (words.health !== null) {
    // Words that mean nothing describe, too.
    const description = words.description || words.unknown || '';
    const about = description === '' ? '' : ` (${description})`;
    const status = HEALTH[words.health.toLowerCase()] ? L7OK : L7STS;
    return verdict(status, `via agent : ${words.health}${about}`, 0);
  }
  if (words.unknown !== null) return verdict(CHECKED, `agent reports an error : ${words.unknown}`);
  return verdict(CHECKED, complaint === '' ? '' : `agent warns : ${complaint}`);
}

/** `set weight` of the runtime API and `weight:` of agents: absolute, or a share of the configured one. '' or a complaint. */
export function changeWeight(env: StateEnv, t: Target, text: string): string {
  const m = /^([+-]?\d+)(.*)$/.exec(text);
  if (!m) return 'Empty weight string empty or preceded by garbage';
  const number = Number(m[1]);
  const relative = m[2] === '%';
  if (relative && number < 0) return 'Relative weight must be positive.';
  if (!relative && (number < 0 || number > WEIGHT_MAX)) {
    return 'Absolute weight can only be between 0 and 256 inclusive.';
  }
  if (!relative && m[2] !== '') return 'Trailing garbage in weight string';
  const initial = serverWord(env.memory, t, 'iweight');
  const weight = relative ? Math.min(WEIGHT_MAX, Math.floor((initial * number) / 100)) : number;
  if (weight !== 0 && weight !== initial && isStatic(t.proxy)) {
    return "Backend is using a static LB algorithm and only accepts weights '0%' and '100%'.";
  }
  setWeight(env, t, weight);
  return '';
}

const MAXCONN_MAX = 2 ** 31 - 1;

/** '' or a complaint. */
function changeMaxconn(env: StateEnv, t: Target, text: string): string {
  if (text === '') return 'Require <maxconn>.';
  const m = /^(\d+)(.*)$/.exec(text);
  if (!m) return 'maxconn string empty or preceded by garbage';
  if (m[2] !== '') return 'Trailing garbage in maxconn string';
  setServerWord(env.memory, t, 'maxconn', Math.min(Number(m[1]), MAXCONN_MAX));
  return '';
}
