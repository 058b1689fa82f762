/** Backends of `mode log`: what they can be, and what only they can have. */
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft, ServerDraft } from './draft.ts';
import { SYSLOG_PORT } from './keywords-log.ts';

/** What a log line can be balanced by. */
const OF_LINES: readonly string[] = ['roundrobin', 'random', 'sticky', 'log-hash'];
const OF_LINES_ONLY: readonly string[] = ['sticky', 'log-hash'];

export function checkLogBackend(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  if (proxy.mode === 'log') checkLines(proxy, diagnostics);
  else checkTraffic(proxy, diagnostics);
}

function checkTraffic({ kind, name, balance, servers, ...place }: ProxyDraft, diagnostics: Diagnostics): void {
  const { algorithm } = balance;
  if (kind !== 'frontend' && OF_LINES_ONLY.includes(algorithm)) {
    diagnostics.report('alert', place, `${kind} '${name}': 'balance ${algorithm}' needs 'mode log'`);
  }
  for (const server of servers.filter(({ datagrams }) => datagrams)) {
    const message = `'server ${name}/${server.name}': dgram-type address not acceptable in '${server.text}'`;
    diagnostics.report('alert', server, message, "only a backend of 'mode log' has such servers");
  }
}

function checkLines(proxy: ProxyDraft, diagnostics: Diagnostics): void {
  const { kind, name, balance, servers } = proxy;
  if (kind !== 'backend') diagnostics.report('alert', proxy, `${kind} '${name}': 'mode log' is for backends only`);
  if (!OF_LINES.includes(balance.algorithm)) {
    const names = OF_LINES.map(algorithm => `'${algorithm}'`).join(', ');
    const message = `backend '${name}': 'balance ${balance.algorithm}' is not for 'mode log'`;
    diagnostics.report('alert', proxy, message, `one of ${names}`);
  }
  // Nobody knows how loaded a log server is.
  balance.draws = Math.min(balance.draws, 1);
  for (const server of servers) checkServer(proxy, server, diagnostics);
}

function checkServer({ name }: ProxyDraft, server: ServerDraft, diagnostics: Diagnostics): void {
  if (server.resolvers !== null) {
    const message = `'server ${name}/${server.name}': 'resolvers' is not supported by Sluice yet in 'mode log'`;
    diagnostics.report('alert', server, message);
  }
  const { endpoint } = server;
  if (endpoint === null || endpoint.family === 1 || endpoint.port > 0) return;
  const address = endpoint.address === null ? null : { ...endpoint.address, port: SYSLOG_PORT };
  server.endpoint = { ...endpoint, address, port: SYSLOG_PORT, lastPort: SYSLOG_PORT, portRelative: false };
}
