/**
 * A deployment as a haproxy.cfg, made to be read: a frontend per listener, a backend per listener and pool it sends to, a
 * server per member, all named by their OpenStack ids, with the names that people gave in comments.
 */
import { Diagnostics } from '../config/diagnostics.ts';
import type { Resources } from '../config/draft.ts';
import { lex } from '../config/lexer.ts';
import { loadModel } from '../config/load.ts';
import { formatDiagnostics } from '../config/print.ts';
import type { Deployment, Farm, FarmMember, Front, FrontTls } from './deployment-model.ts';
import { policyLines } from './l7-lines.ts';
import { backendName, comment } from './lines.ts';
import { monitorLines, type Probe, serverCheck } from './monitors.ts';
import { type ProcessFiles, preambleLines } from './preamble.ts';
import { fetchOf, quote } from './quote.ts';

/** What a configuration needs besides the deployment. */
export interface Site extends ProcessFiles {
  /** The program that pings a member; null = there is none. */
  readonly ping: string | null;
  /** Path of the file that a container reference names; null = there is no such. */
  certificate(reference: string): string | null;
  /** Changes when the content of the file does. */
  digest(path: string): string;
}

const indent = (lines: readonly string[]) => lines.map(line => `  ${line}`);

/** A container reference that names no file. */
export class MissingContainer extends Error {
  constructor(reference: string) {
    super(`Could not process TLS container ${reference}: there is no such certificate`);
  }
}

/** @throws MissingContainer */
export function configurationText(deployment: Deployment, site: Site): string {
  const { id, title, addresses, fronts, threads, connectionsMax } = deployment;
  const lines = [
    `# ${title.replace(/[^ -~\u00a0-\uffff]/g, '?')}`,
    `# ${id}: written by sluice lbaas, and again at each change.`,
    ...preambleLines(site, [
      `nbthread ${threads}`,
      ...(connectionsMax === null ? [] : [`maxconn ${connectionsMax}`]),
      ...(usesPing(fronts, site) ? ['external-check', 'insecure-fork-wanted'] : []),
    ]),
  ];
  for (const front of fronts) {
    lines.push(
      ...comment('listener', front.name),
      `frontend ${front.id}`,
      ...indent(frontLines(front, addresses, site)),
    );
    for (const farm of farmsOf(front)) {
      lines.push(
        ...comment('pool', farm.name),
        `backend ${backendName(farm, front)}`,
        ...indent(farmLines(farm, front, site)),
      );
    }
  }
  return `${lines.join('\n')}\n`;
}

function usesPing(fronts: readonly Front[], site: Site): boolean {
  return (
    site.ping !== null &&
    fronts.flatMap(farmsOf).some(farm => farm.monitors.length === 1 && farm.monitors[0]!.type === 'PING')
  );
}

/** What the parser may read. */
export type Files = Omit<Resources, 'env' | 'resolve'>;

/** What is wrong with a configuration, as the parser says it; null = nothing. */
export function refusalOf(text: string, files: Files): string | null {
  const diagnostics = new Diagnostics();
  const model = loadModel(lex('conf', text, {}, diagnostics), diagnostics, { resolve: () => null, env: {}, ...files });
  if (model !== null && !diagnostics.fatal) return null;
  const alerts = diagnostics.list.filter(({ severity }) => severity === 'alert');
  return formatDiagnostics(alerts.slice(0, 1), { pid: 0, executable: null, diag: false })
    .split('\n')[0]!
    .replace(/^.*? : /, '');
}

/** All pools that a listener sends to, each once. */
export function farmsOf(front: Front): Farm[] {
  const farms = [front.pool, ...front.policies.map(policy => policy.pool)];
  return [...new Set(farms.filter(farm => farm !== null))];
}

/** A listener speaks HTTP, or passes bytes on. */
function modeOf(front: Front): 'http' | 'tcp' {
  return front.protocol === 'HTTP' || front.protocol === 'TERMINATED_HTTPS' ? 'http' : 'tcp';
}

function frontLines(front: Front, addresses: readonly string[], site: Site): string[] {
  const tls = front.tls === null ? '' : ` ${tlsWords(front.tls, site)}`;
  return [
    `mode ${modeOf(front)}`,
    ...(front.tls === null
      ? []
      : containerLines([...front.tls.certificates, front.tls.clientCa, front.tls.clientCrl], site)),
    ...addresses.map(address => `bind ${address.includes(':') ? `[${address}]` : address}:${front.port}${tls}`),
    ...(front.connectionLimit === -1 ? [] : [`maxconn ${front.connectionLimit}`]),
    `timeout client ${front.clientMs}`,
    ...(front.allowedCidrs.length === 0
      ? []
      : [`tcp-request connection reject unless { src ${front.allowedCidrs.join(' ')} }`]),
    ...(front.inspectMs === 0 ? [] : [`tcp-request inspect-delay ${front.inspectMs}`]),
    ...headerLines(front),
    ...policyLines(front),
    ...(front.pool === null ? [] : [`default_backend ${backendName(front.pool, front)}`]),
  ];
}

function tlsWords(tls: FrontTls, site: Site): string {
  const file = (reference: string) => containerFile(reference, site);
  const { certificates, clientCa, clientAuthentication, clientCrl, tls_ciphers, tls_versions, alpn_protocols } = tls;
  const verify = { NONE: 'none', OPTIONAL: 'optional', MANDATORY: 'required' }[clientAuthentication];
  return [
    'ssl',
    ...certificates.map(reference => `crt ${file(reference)}`),
    ...(clientCa === null ? [] : [`ca-file ${file(clientCa)} verify ${verify}`]),
    ...(clientCrl === null ? [] : [`crl-file ${file(clientCrl)}`]),
    ...(tls_ciphers === null ? [] : [`ciphers ${tls_ciphers}`]),
    ...versionWords(tls_versions),
    ...(alpn_protocols.length === 0 ? [] : [`alpn ${alpn_protocols.join(',')}`]),
  ].join(' ');
}

function containerFile(reference: string, site: Site): string {
  return quote(containerPath(reference, site));
}

function containerPath(reference: string, site: Site): string {
  const path = site.certificate(reference);
  if (path === null) throw new MissingContainer(reference);
  return path;
}

/** What is in the containers: a new certificate under an old name makes another configuration, which is loaded. */
function containerLines(references: readonly (string | null)[], site: Site): string[] {
  const given = references.filter(reference => reference !== null);
  return given.map(reference => `# ${reference}: ${site.digest(containerPath(reference, site))}`);
}

const VERSIONS: Readonly<Record<string, string>> = {
  SSLv3: 'no-sslv3',
  TLSv1: 'no-tlsv10',
  'TLSv1.1': 'no-tlsv11',
  'TLSv1.2': 'no-tlsv12',
  'TLSv1.3': 'no-tlsv13',
};

/** Without a list, what the process takes by default. */
function versionWords(versions: readonly string[]): string[] {
  if (versions.length === 0) return [];
  return Object.entries(VERSIONS).flatMap(([version, word]) => (versions.includes(version) ? [] : [word]));
}

/** Headers that the listener inserts: what it is told is what the server sees, whatever the client sent. */
const HEADERS: Readonly<Record<string, (front: Front) => string>> = {
  'X-Forwarded-For': () => 'option forwardfor',
  'X-Forwarded-Port': () => 'http-request set-header X-Forwarded-Port %[dst_port]',
  'X-Forwarded-Proto': front => `http-request set-header X-Forwarded-Proto ${front.tls === null ? 'http' : 'https'}`,
  'X-SSL-Client-Verify': () => 'http-request set-header X-SSL-Client-Verify %[ssl_c_verify]',
  'X-SSL-Client-Has-Cert': () => 'http-request set-header X-SSL-Client-Has-Cert %[ssl_c_used]',
  'X-SSL-Client-DN': () => 'http-request set-header X-SSL-Client-DN %{+Q}[ssl_c_s_dn]',
  'X-SSL-Client-CN': () => 'http-request set-header X-SSL-Client-CN %{+Q}[ssl_c_s_dn(cn)]',
  'X-SSL-Issuer': () => 'http-request set-header X-SSL-Issuer %{+Q}[ssl_c_i_dn]',
  'X-SSL-Client-SHA1': () => 'http-request set-header X-SSL-Client-SHA1 %{+Q}[ssl_c_sha1,hex]',
  'X-SSL-Client-Not-Before': () => 'http-request set-header X-SSL-Client-Not-Before %{+Q}[ssl_c_notbefore]',
  'X-SSL-Client-Not-After': () => 'http-request set-header X-SSL-Client-Not-After %{+Q}[ssl_c_notafter]',
};

function headerLines(front: Front): string[] {
  const wanted = Object.entries(front.insertHeaders).filter(([, value]) => value.toLowerCase() === 'true');
  return wanted.map(([name]) => HEADERS[name]!(front));
}

function farmLines(farm: Farm, front: Front, site: Site): string[] {
  const probe: Probe = { ping: site.ping, tls: farm.tls !== null };
  return [
    `mode ${modeOf(front)}`,
    ...(farm.tls === null ? [] : containerLines([farm.tls.certificate, farm.tls.ca, farm.tls.crl], site)),
    ...balanceLines(farm),
    ...persistenceLines(farm),
    ...monitorLines(farm, probe),
    'option allbackups',
    `timeout connect ${front.connectMs}`,
    `timeout server ${front.serverMs}`,
    ...farm.members.flatMap(member => [
      ...(member.name === '' ? [] : comment('member', member.name).slice(1)),
      `server ${member.id} ${serverWords(member, farm, site).join(' ')}${member.enabled ? '' : ' disabled'}`,
    ]),
  ];
}

function balanceLines({ algorithm }: Farm): string[] {
  switch (algorithm) {
    case 'ROUND_ROBIN':
      return ['balance roundrobin'];
    case 'LEAST_CONNECTIONS':
      return ['balance leastconn'];
    case 'SOURCE_IP':
      return ['balance source'];
    case 'SOURCE_IP_PORT':
      return ['balance hash src,concat(:,txn.source_port)'];
  }
}

/** Entries of persistence tables. */
const TABLE_ENTRIES = '10k';

function persistenceLines({ persistence, algorithm }: Farm): string[] {
  const port = algorithm === 'SOURCE_IP_PORT' ? ['tcp-request content set-var(txn.source_port) src_port'] : [];
  switch (persistence?.type) {
    case undefined:
      return port;
    case 'SOURCE_IP':
      return [...port, `stick-table type ipv6 size ${TABLE_ENTRIES}`, 'stick on src'];
    case 'HTTP_COOKIE':
      return [...port, 'cookie SRV insert indirect nocache'];
    case 'APP_COOKIE': {
      const name = persistence!.cookie_name!;
      return [
        ...port,
        `stick-table type string len 64 size ${TABLE_ENTRIES}`,
        `stick store-response ${fetchOf('res.cook', name)}`,
        `stick match ${fetchOf('req.cook', name)}`,
      ];
    }
  }
}

/** Everything behind the name of a server; what `add server` takes too. */
export function serverWords(member: FarmMember, farm: Farm, site: Site): string[] {
  const { address, port, weight, monitorAddress, monitorPort } = member;
  return [
    `${address.includes(':') ? `[${address}]` : address}:${port}`,
    `weight ${weight}`,
    ...(member.backup ? ['backup'] : []),
    ...(farm.persistence?.type === 'HTTP_COOKIE' ? [`cookie ${member.id}`] : []),
    ...(farm.protocol === 'PROXY' ? ['send-proxy'] : farm.protocol === 'PROXYV2' ? ['send-proxy-v2'] : []),
    ...farmTlsWords(farm, site),
    ...serverCheck(farm, { ping: site.ping, tls: farm.tls !== null }),
    ...(farm.monitors.length > 0 && monitorAddress !== null ? [`addr ${monitorAddress}`] : []),
    ...(farm.monitors.length > 0 && monitorPort !== null ? [`port ${monitorPort}`] : []),
  ];
}

function farmTlsWords({ tls }: Farm, site: Site): string[] {
  if (tls === null) return [];
  const { certificate, ca, crl, tls_ciphers, tls_versions, alpn_protocols } = tls;
  return [
    'ssl',
    ...(certificate === null ? [] : [`crt ${containerFile(certificate, site)}`]),
    ...(ca === null ? ['verify none'] : [`ca-file ${containerFile(ca, site)} verify required`]),
    ...(crl === null ? [] : [`crl-file ${containerFile(crl, site)}`]),
    'sni ssl_fc_sni',
    ...(tls_ciphers === null ? [] : [`ciphers ${tls_ciphers}`]),
    ...versionWords(tls_versions),
    ...(alpn_protocols.length === 0 ? [] : [`alpn ${alpn_protocols.join(',')}`]),
  ];
}
