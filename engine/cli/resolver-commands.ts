/** `show resolvers`, and the `resolvers` domain of `show stat`: what the name servers did. */
import { COUNTERS, type Names } from '../resolvers/index.ts';
import { NATURES, ORIGINS, SCOPES } from '../stats/fields.ts';
import type { Call, Command } from './command.ts';
import { err, type Message } from './severity.ts';

/** Bytes before the values: as far as the longest name and its colon reach. */
const NAME_WIDTH = 13;

function showResolvers({ env, args: [id] }: Call): string | Message {
  const sections = env.names.sections.filter(({ config }) => id === undefined || config.name === id);
  if (id !== undefined && sections.length === 0) return err("Can't find that resolvers section");
  const lines = sections.flatMap(({ config, nameservers }) => [
    `Resolvers section ${config.name}`,
    ...nameservers.flatMap(server => [
      ` nameserver ${server.config.name}:`,
      ...COUNTERS.map(name => `  ${`${name}:`.padEnd(NAME_WIDTH)}${server.counted(name)}`),
    ]),
  ]);
  return lines.join('\n');
}

// --- show stat domain resolvers ---

/** Their names there; the first two are the name server's and its section's. */
const COLUMNS = ['id', 'pid', ...COUNTERS.map(name => (name === 'snd_error' ? 'send_error' : name))];

/** The marks of a value (management manual, 9.2): a setting, or what was counted. */
function tagsOf(value: string | number): string {
  return typeof value === 'string' ? 'CGPV' : 'MGPV';
}

function typeOf(value: string | number): string {
  return typeof value === 'string' ? 'str' : 'u64';
}

function rowsOf({ sections }: Names): (string | number)[][] {
  return sections.flatMap(({ config, nameservers }) =>
    nameservers.map(server => [server.config.name, config.name, ...COUNTERS.map(name => server.counted(name))]),
  );
}

function jsonOf(value: string | number, pos: number): unknown {
  const [origin, nature, scope] = tagsOf(value);
  return {
    field: { pos, name: COLUMNS[pos] },
    tags: { origin: ORIGINS[origin!], nature: NATURES[nature!], scope: SCOPES[scope!] },
    value: { type: typeOf(value), value },
  };
}

const FORMATS = {
  csv: (rows: (string | number)[][]) => [`# ${COLUMNS.join(',')},`, ...rows.map(row => `${row.join(',')},`)].join('\n'),
  typed: (rows: (string | number)[][]) =>
    rows
      .flatMap(row => row.map((value, pos) => `N.${pos}.${COLUMNS[pos]}:${tagsOf(value)}:${typeOf(value)}:${value}`))
      .join('\n'),
  json: (rows: (string | number)[][]) => JSON.stringify(rows.map(row => row.map(jsonOf))),
};

export function resolverStats(names: Names, format: keyof typeof FORMATS): string {
  return FORMATS[format](rowsOf(names));
}

export const RESOLVER_COMMANDS: readonly Command[] = [
  {
    words: 'show resolvers',
    usage: '[id]',
    help: 'dumps counters from all resolvers section and associated name servers',
    level: 'user',
    run: showResolvers,
  },
];
