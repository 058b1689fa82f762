/** `GET /metrics`: the load balancers and their counters, in Prometheus' text format. */
import type { FastifyInstance } from 'fastify';
import { type Counters, NO_COUNTERS, operatingStatus, sum } from '../../../engine/lbaas/health.ts';
import type { Common } from '../../../engine/lbaas/items.ts';
import type { ApiOptions } from './server.ts';

const COUNTERS: readonly [name: string, type: 'counter' | 'gauge', counter: keyof Counters, help: string][] = [
  ['sluice_lbaas_connections', 'gauge', 'active_connections', 'Connections open now.'],
  ['sluice_lbaas_connections_total', 'counter', 'total_connections', 'Connections so far.'],
  ['sluice_lbaas_bytes_in_total', 'counter', 'bytes_in', 'Bytes from clients.'],
  ['sluice_lbaas_bytes_out_total', 'counter', 'bytes_out', 'Bytes to clients.'],
  ['sluice_lbaas_request_errors_total', 'counter', 'request_errors', 'Requests that were no good.'],
];

export async function metricsApi(app: FastifyInstance, { api }: { api: ApiOptions }): Promise<void> {
  app.get('/metrics', { config: { open: true }, schema: { hide: true } }, async (_request, reply) =>
    reply.type('text/plain; version=0.0.4; charset=utf-8').send(metricsText(api)),
  );
}

const label = (text: string) => text.replace(/["\\\n]/g, c => (c === '\n' ? '\\n' : `\\${c}`));

function metricsText({ store, healthOf, isRunning }: ApiOptions): string {
  const roots: readonly Common[] = [...store.list('loadbalancer'), ...store.list('v1pool')];
  const lines: string[] = [];
  const family = (name: string, type: string, help: string, value: (root: Common) => string) => {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`);
    for (const root of roots) lines.push(`${name}{id="${label(root.id)}",name="${label(root.name)}"${value(root)}`);
  };
  lines.push('# HELP sluice_lbaas_revision Changes so far.', '# TYPE sluice_lbaas_revision counter');
  lines.push(`sluice_lbaas_revision ${store.revision}`);
  family('sluice_lbaas_running', 'gauge', 'Whether its process runs here.', ({ id }) => `} ${isRunning(id) ? 1 : 0}`);
  family('sluice_lbaas_status', 'gauge', 'Its states, always 1.', root => {
    const kind = store.get('loadbalancer', root.id) === undefined ? 'v1pool' : 'loadbalancer';
    const operating = operatingStatus(store, kind, root, healthOf(root.id));
    return `,provisioning="${root.provisioning_status}",operating="${operating}"} 1`;
  });
  for (const [name, type, counter, help] of COUNTERS) {
    family(
      name,
      type,
      help,
      ({ id }) => `} ${sum(Object.values(healthOf(id)?.fronts ?? { none: NO_COUNTERS }))[counter]}`,
    );
  }
  return `${lines.join('\n')}\n`;
}
