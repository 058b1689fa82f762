/** How the name on a `server` line becomes addresses (manual 5.2, 5.3). */
import { parseIp } from '../io/address.ts';
import { parseNetwork } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { InitAddr, ServerDraft } from './draft.ts';
import { word } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';

type Row = Keyword<ServerDraft>;

/** The parts of a comma list, each through `read`; null after reporting. */
function list<T>(cursor: Cursor, name: string, read: (part: string) => T | { readonly error: string }): T[] | null {
  const word = cursor.expectWord(name);
  if (word === null) return null;
  const values: T[] = [];
  for (const part of word.text.split(',')) {
    const value = read(part);
    if (typeof value === 'object' && value !== null && 'error' in value) {
      cursor.error(`'${name}': ${value.error}`, undefined, word);
      return null;
    }
    values.push(value as T);
  }
  return values;
}

const METHODS = ['last', 'libc', 'none'] as const;

function initMethod(text: string): InitAddr | { readonly error: string } {
  const method = METHODS.find(name => name === text) ?? parseIp(text, 0);
  return method ?? { error: `expects 'last', 'libc', 'none' or an address, not '${text}'` };
}

const OPTIONS: Readonly<Record<string, Partial<ServerDraft>>> = {
  'allow-dup-ip': { allowDuplicates: true },
  'ignore-weight': { ignoreWeight: true },
  'prevent-dup-ip': { allowDuplicates: false },
};

const OPTION_NAMES = Object.keys(OPTIONS);
const FAMILIES = { ipv4: 4, ipv6: 6 } as const;

export const SERVER_NAMES: readonly Row[] = [
  word({ where: '', name: 'resolvers', doc: 'Resolves its name at run time.' }, '<section>', 'resolvers'),
  supported<ServerDraft>({
    ...{ name: 'init-addr', args: '{last|libc|none|<address>},...', doc: 'How its name is resolved at start.' },
    parse(cursor, server) {
      server.initAddr = list(cursor, 'init-addr', initMethod) ?? server.initAddr;
    },
    good: ['init-addr last,libc,none', 'init-addr 127.0.0.1', 'init-addr none'],
    bad: [
      ['init-addr', "'init-addr' expects an argument"],
      ['init-addr foo', "'init-addr': expects 'last', 'libc', 'none' or an address, not 'foo'"],
    ],
  }),
  supported<ServerDraft>({
    ...{ name: 'resolve-prefer', args: '<ipv4|ipv6>', doc: 'Preferred address family.' },
    parse(cursor, server) {
      const family = cursor.expectOneOf('resolve-prefer', Object.keys(FAMILIES)) as keyof typeof FAMILIES | null;
      if (family !== null) server.resolvePrefer = FAMILIES[family];
    },
    good: ['resolve-prefer ipv4', 'resolve-prefer ipv6'],
    bad: [['resolve-prefer ip', "'resolve-prefer' expects 'ipv4' or 'ipv6', not 'ip'"]],
  }),
  supported<ServerDraft>({
    ...{ name: 'resolve-net', args: '<network>,...', doc: 'Preferred networks of its addresses.' },
    parse(cursor, server) {
      const networks = list(cursor, 'resolve-net', text => {
        const parsed = parseNetwork(text);
        return 'error' in parsed ? parsed : parsed.value;
      });
      server.resolveNet = networks ?? server.resolveNet;
    },
    good: ['resolve-net 10.0.0.0/8', 'resolve-net 10.0.0.0/8,fe80::/10'],
    bad: [['resolve-net x', "'resolve-net': invalid network 'x', expected <address>[/<mask>]"]],
  }),
  supported<ServerDraft>({
    ...{ name: 'resolve-opts', args: `{${OPTION_NAMES.join('|')}},...`, doc: 'How its name is resolved.' },
    parse(cursor, server) {
      const options = list(cursor, 'resolve-opts', text =>
        Object.hasOwn(OPTIONS, text)
          ? OPTIONS[text]!
          : { error: `unknown option '${text}', one of ${OPTION_NAMES.join(', ')}` },
      );
      for (const fields of options ?? []) Object.assign(server, fields);
    },
    good: ['resolve-opts allow-dup-ip', 'resolve-opts ignore-weight,prevent-dup-ip'],
    bad: [
      ['resolve-opts foo', "'resolve-opts': unknown option 'foo', one of allow-dup-ip, ignore-weight, prevent-dup-ip"],
    ],
  }),
];
