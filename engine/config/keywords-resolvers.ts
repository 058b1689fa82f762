/** Keywords of the resolvers section (manual 5.3.2). */
import { hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { parseIpv4, parseIpv6 } from '../io/ip.ts';
import { NAMESERVERS_MAX, RESOLVE_RETRIES } from '../limits.ts';
import { parseEndpoint } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { Draft, ResolversDraft, Resources } from './draft.ts';
import { integer } from './fields.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import type { Place } from './model.ts';
import type { Hold, Resolvers } from './server-model.ts';

type Row = Keyword<ResolversDraft>;

const DNS_PORT = 53;
const RESOLV_CONF = '/etc/resolv.conf';
/** What RFC 6891 lets a client announce, and what UDP can carry. */
const PAYLOAD_MIN = 512;
const PAYLOAD_MAX = 65_535;

export function newResolvers(place: Place, name: string): ResolversDraft {
  return {
    ...{ file: place.file, line: place.line, name },
    ...{ nameservers: [], retries: RESOLVE_RETRIES, resolveMs: 1_000, retryMs: 1_000, payloadBytes: PAYLOAD_MIN },
    hold: {
      ...{ validMs: 10_000, nxMs: 30_000, refusedMs: 30_000, timeoutMs: 30_000, otherMs: 30_000, obsoleteMs: 0 },
    },
  };
}

/** The section that HAProxy makes when there is none of this name; null where the system names no servers. */
export function defaultResolvers(resources: Resources): Resolvers | null {
  const place = { file: RESOLV_CONF, line: 0 };
  const draft = newResolvers(place, 'default');
  for (const address of systemNameservers(resources) ?? [])
    addNameserver(draft, hostText(address), address, 'udp', place);
  return draft.nameservers.length === 0 ? null : draft;
}

/** The `nameserver` lines of resolv.conf(5), port 53; null when the file cannot be read. */
function systemNameservers({ readFile }: Resources): Address[] | null {
  const bytes = readFile(RESOLV_CONF);
  if (bytes === null) return null;
  const hosts = new TextDecoder().decode(bytes).matchAll(/^\s*nameserver[ \t]+([^\s%]+)\s*$/gm);
  return [...hosts].flatMap(([, host]) => {
    const ip = parseIpv4(host!) ?? parseIpv6(host!);
    return ip === null ? [] : [{ family: ip.length === 4 ? 4 : 6, bytes: ip, port: DNS_PORT } as const];
  });
}

type Transport = Resolvers['nameservers'][number]['transport'];

/** False when the section has one of that name. */
function addNameserver(
  draft: ResolversDraft,
  name: string,
  address: Address,
  transport: Transport,
  at: Place,
): boolean {
  if (draft.nameservers.some(other => other.name === name)) return false;
  draft.nameservers.push({ file: at.file, line: at.line, name, address: address as Draft<Address>, transport });
  return true;
}

function full(cursor: Cursor, { nameservers, name }: ResolversDraft): boolean {
  if (nameservers.length < NAMESERVERS_MAX) return false;
  cursor.error(`too many name servers in resolvers '${name}', at most ${NAMESERVERS_MAX} are possible`);
  return true;
}

/** `nameserver <name> [<protocol>@]<address>[:<port>]` */
function readNameserver(cursor: Cursor, draft: ResolversDraft, { resources }: Context) {
  const [name, word] = [cursor.next(), cursor.next()];
  if (name === null || word === null) {
    return cursor.error("'nameserver' expects <name> and <addr>[:<port>] as arguments");
  }
  const endpoint = parseEndpoint(word.text, { port: 'optional' }, resources.env);
  if ('error' in endpoint) return cursor.error(`'nameserver ${name.text}': ${endpoint.error}`, undefined, word);
  const { address, port } = endpoint.value;
  const transport = /^(tcp[46]?|stream\+\w+)@/.test(word.text) ? 'tcp' : 'udp';
  const param = cursor.peek();
  if (param !== null) {
    cursor.rest();
    return cursor.error(`'${param.text}' of 'nameserver' is not supported by Sluice yet`, undefined, param);
  }
  if (full(cursor, draft)) return;
  const at = { ...address!, port: port || DNS_PORT };
  if (!addNameserver(draft, name.text, at, transport, cursor.line)) {
    cursor.error(`name server '${name.text}' is already in resolvers '${draft.name}'`, undefined, name);
  }
}

/** The words of `hold` lines, and the fields that they set. */
const HOLDS: Readonly<Record<string, keyof Hold>> = {
  nx: 'nxMs',
  refused: 'refusedMs',
  timeout: 'timeoutMs',
  other: 'otherMs',
  valid: 'validMs',
  obsolete: 'obsoleteMs',
};

const TIMEOUTS: Readonly<Record<string, 'resolveMs' | 'retryMs'>> = { resolve: 'resolveMs', retry: 'retryMs' };

export const RESOLVERS: readonly Row[] = [
  supported<ResolversDraft>({
    ...{ name: 'nameserver', where: 'N', args: '<name> [udp@|tcp@]<address>[:<port>]', doc: 'A server to ask.' },
    parse: readNameserver,
    good: ['nameserver n1 127.0.0.1:53', 'nameserver n2 [::1]', 'nameserver n3 tcp@127.0.0.1:5353'],
    bad: [
      ['nameserver n1', "'nameserver' expects <name> and <addr>[:<port>] as arguments"],
      ['nameserver n1 127.0.0.1 maxconn 5', "'maxconn' of 'nameserver' is not supported by Sluice yet"],
      ['nameserver n1 dns.test', "'nameserver n1': invalid address: 'dns.test' in 'dns.test'"],
    ],
  }),
  supported<ResolversDraft>({
    ...{ name: 'parse-resolv-conf', where: 'N', args: '', doc: `The servers that ${RESOLV_CONF} names.` },
    parse(cursor, draft, { resources }) {
      const found = systemNameservers(resources);
      if (found === null) return cursor.error(`'parse-resolv-conf': cannot read ${RESOLV_CONF}`);
      for (const address of found) {
        if (full(cursor, draft)) return;
        const name = hostText(address);
        if (addNameserver(draft, name, address, 'udp', cursor.line)) continue;
        cursor.warning(`name server '${name}' of ${RESOLV_CONF} is already in resolvers '${draft.name}'`);
      }
    },
    good: ['parse-resolv-conf'],
    bad: [['parse-resolv-conf x', "'parse-resolv-conf' cannot handle unexpected argument 'x'"]],
  }),
  supported<ResolversDraft>({
    ...{ name: 'hold', where: 'N', args: `<${Object.keys(HOLDS).join('|')}> <time>` },
    doc: 'How long a valid answer makes up for one of this kind; `valid`, `obsolete`: how long it is good itself.',
    parse(cursor, { hold }) {
      const status = cursor.expectOneOf('hold', Object.keys(HOLDS));
      const ms = status === null ? null : cursor.expectTime(status, 'ms');
      if (ms !== null) hold[HOLDS[status!]!] = ms;
    },
    good: ['hold valid 10s', 'hold nx 500', 'hold obsolete 0'],
    bad: [
      ['hold', "'hold' expects 'nx', 'refused', 'timeout', 'other', 'valid' or 'obsolete'"],
      ['hold nx', "'nx' expects a time (in milliseconds by default)"],
    ],
  }),
  integer<ResolversDraft>(
    { name: 'resolve_retries', where: 'N', doc: 'How often a query is sent before it is given up.' },
    'retries',
    { min: 1 },
  ),
  integer<ResolversDraft>(
    { name: 'accepted_payload_size', where: 'N', doc: 'Largest answer over UDP, in bytes.' },
    'payloadBytes',
    { min: PAYLOAD_MIN, max: PAYLOAD_MAX },
  ),
  supported<ResolversDraft>({
    ...{ name: 'timeout', where: 'N', args: `<${Object.keys(TIMEOUTS).join('|')}> <time>` },
    doc: 'Time between two resolutions of a name, or between two tries of one.',
    parse(cursor, draft) {
      const event = cursor.expectOneOf('timeout', Object.keys(TIMEOUTS));
      const ms = event === null ? null : cursor.expectTime(event, 'ms', { min: 1 });
      if (ms !== null) draft[TIMEOUTS[event!]!] = ms;
    },
    good: ['timeout resolve 1s', 'timeout retry 100'],
    bad: [['timeout', "'timeout' expects 'resolve' or 'retry'"]],
  }),
];
