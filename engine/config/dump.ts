/**
 * `-dC[key]`: the configuration as its words were read, without comments and empty lines, indented by section. With a key
 * names and addresses are hashes, and a line ends where what follows might be confidential.
 */
import { hashed, hashedAddress } from './anonymous.ts';
import { SECTIONS } from './read.ts';
import type { Line } from './words.ts';

/** What stands for the rest of a line. */
const CUT = '[...]';

/** What becomes of each word after a keyword: it stays, or is hashed as a name or an address. What is beyond is cut. */
type Kind = 'word' | 'name' | 'address';

/** By keyword, the longest that fits; all others show nothing but themselves. */
const SHOWN: Readonly<Record<string, readonly Kind[]>> = {
  acl: ['name', 'word'],
  backlog: ['word'],
  balance: ['word'],
  bind: ['address'],
  daemon: [],
  default_backend: ['name'],
  'default-server': [],
  disabled: [],
  enabled: [],
  'http-reuse': ['word'],
  log: ['address'],
  maxconn: ['word'],
  mode: ['word'],
  nameserver: ['name', 'address'],
  nbthread: ['word'],
  option: ['word'],
  peer: ['name', 'address'],
  retries: ['word'],
  server: ['name', 'address'],
  'server-template': ['name', 'word', 'address'],
  'stats maxconn': ['word'],
  'stats socket': ['address'],
  'stats timeout': ['word'],
  timeout: ['word', 'word'],
  use_backend: ['name', 'word'],
  'use-server': ['name', 'word'],
  user: ['name'],
};

const SHOW: Readonly<Record<Kind, (text: string, key: number) => string>> = {
  word: text => text,
  name: hashed,
  address: hashedAddress,
};

/** The text of all lines. `key` 0 = as it is. */
export function dumpConfiguration(lines: readonly Line[], key: number): string {
  return lines.map(line => `${lineText(line, key)}\n`).join('');
}

function lineText({ words }: Line, key: number): string {
  const texts = words.map(({ text }) => text);
  const [keyword, name] = texts as [string, string?];
  const section = SECTIONS.includes(keyword);
  if (key === 0) return `${section ? '' : '\t'}${texts.map(quoted).join(' ')}`;
  if (section) return name === undefined ? keyword : `${keyword} ${hashed(name, key)}`;
  const count = ['no', 'default'].includes(keyword) ? 1 : 0;
  const two = texts.slice(count, count + 2).join(' ');
  const known = Object.hasOwn(SHOWN, two) ? two : texts[count]!;
  const kinds = Object.hasOwn(SHOWN, known) ? SHOWN[known]! : [];
  const before = count + known.split(' ').length;
  const rest = texts.slice(before, before + kinds.length).map((text, i) => quoted(SHOW[kinds[i]!](text, key)));
  const cut = texts.length > before + kinds.length ? [CUT] : [];
  return `\t${[...texts.slice(0, before), ...rest, ...cut].join(' ')}`;
}

/** As the lexer reads it again. */
function quoted(text: string): string {
  if (text === '') return '""';
  return /[\s"'\\#$]/.test(text) ? `"${text.replace(/["\\$]/g, '\\$&')}"` : text;
}
