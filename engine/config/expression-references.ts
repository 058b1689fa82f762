/** What expressions refer to by name, looked up once everything is read: backends, frontends, servers, userlists. */
import type { Arg, ArgType } from '../sample/arguments.ts';
import { CONVERTERS } from '../sample/converters.ts';
import { FETCHES } from '../sample/fetches.ts';
import { BUF0 } from './build-rings.ts';
import { tablesOf } from './build-tables.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { ExpressionUse, ProxyDraft } from './draft.ts';
import type { Drafts } from './sections.ts';
import { didYouMean } from './suggest.ts';

interface Complaint {
  readonly message: string;
  readonly known: readonly string[];
}

/** Looks a name up; null = it is there. `where` is HAProxy's words for the place of the argument. */
type LookUp = (name: string, proxy: ProxyDraft, where: string, drafts: Drafts) => Complaint | null;

const serves = (proxy: ProxyDraft): boolean => proxy.kind !== 'frontend';
const accepts = (proxy: ProxyDraft): boolean => proxy.kind !== 'backend';

/** A proxy with a capability: the named one, or the one of the line. */
function proxyNamed(noun: 'backend' | 'frontend', is: (proxy: ProxyDraft) => boolean): LookUp {
  return (name, proxy, where, { proxies }) => {
    if (name === '') {
      if (is(proxy) || proxy.kind === 'defaults') return null;
      return { message: `proxy '${proxy.name}', referenced in ${where}, has not ${noun} capability`, known: [] };
    }
    if (proxies.some(other => other.name === name && is(other))) return null;
    const known = proxies.filter(is).map(other => other.name);
    return { message: `unable to find ${noun} '${name}' referenced in ${where}`, known };
  };
}

function server(text: string, proxy: ProxyDraft, where: string, { proxies }: Drafts): Complaint | null {
  if (text === '') return { message: `missing server name in ${where}`, known: [] };
  const [first, second] = text.split('/') as [string, string | undefined];
  const backend = second === undefined ? proxy : proxies.find(other => other.name === first && serves(other));
  if (backend === undefined) {
    return {
      message: `unable to find proxy '${first}' referenced in ${where}`,
      known: proxies.filter(serves).map(p => p.name),
    };
  }
  const name = second ?? first;
  if (backend.servers.some(s => s.name === name)) return null;
  const message = `unable to find server '${name}' in proxy '${backend.name}', referenced in ${where}`;
  return { message, known: backend.servers.map(s => s.name) };
}

function userlist(name: string, _: ProxyDraft, where: string, { userlists }: Drafts): Complaint | null {
  if (name === '') return { message: `missing userlist name in ${where}`, known: [] };
  if (userlists.some(list => list.name === name)) return null;
  return {
    message: `unable to find userlist '${name}' referenced in ${where}`,
    known: userlists.map(list => list.name),
  };
}

/** The named stick table, or that of the proxy. */
function table(name: string, proxy: ProxyDraft, where: string, drafts: Drafts): Complaint | null {
  const tables = tablesOf(drafts);
  if (name === '' && (proxy.table !== null || proxy.kind === 'defaults')) return null;
  if (tables.has(name)) return null;
  const message =
    name === ''
      ? `proxy '${proxy.name}' has no stick-table, which ${where} refers to`
      : `unable to find table '${name}' referenced in ${where}`;
  return { message, known: [...tables.keys()] };
}

/** Where `debug` writes to. */
function sink(name: string, _: ProxyDraft, where: string, { rings }: Drafts): Complaint | null {
  const known = ['stdout', 'stderr', BUF0, ...rings.map(ring => ring.name)];
  return name === '' || known.includes(name) ? null : { message: `no such sink '${name}' in ${where}`, known };
}

const LOOK_UPS: Partial<Record<ArgType, LookUp>> = {
  be: proxyNamed('backend', serves),
  fe: proxyNamed('frontend', accepts),
  srv: server,
  usr: userlist,
  sink,
  tab: table,
  // What a counter tracks, unless a table is named.
  othertab: (name, ...rest) => (name === '' ? null : table(name, ...rest)),
};

/** Reports the references of a proxy's expressions that lead nowhere. */
export function expressionReferences(proxy: ProxyDraft, diagnostics: Diagnostics, drafts: Drafts): void {
  for (const use of proxy.expressions) {
    const { fetch, converters } = use.expression;
    check(use, FETCHES.get(fetch.name)!.args, fetch.args, `${use.keyword} '${fetch.name}'`);
    for (const { name, args } of converters)
      check(use, CONVERTERS.get(name)!.args, args, `conversion keyword '${name}'`);
  }

  function check(use: ExpressionUse, specs: readonly { type: ArgType }[], args: readonly Arg[], keyword: string): void {
    specs.forEach(({ type }, i) => {
      const name = args[i] ?? '';
      if (typeof name !== 'string') return;
      const where = `arg ${i + 1} of ${keyword} in proxy '${proxy.name}'`;
      const complaint = LOOK_UPS[type]?.(name, proxy, where, drafts) ?? null;
      if (complaint !== null) diagnostics.report('alert', use, complaint.message, didYouMean(name, complaint.known));
    });
  }
}
