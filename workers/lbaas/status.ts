/** `sluice lbaas status`: what runs, as a table. */
import type { Say } from '../say.ts';
import { write } from '../say.ts';
import type { LbaasOptions } from './option-rows.ts';

interface Balancer {
  readonly id: string;
  readonly name: string;
  readonly vip_address: string;
  readonly provisioning_status: string;
  readonly operating_status: string;
  readonly status_description: string;
  readonly listeners: readonly object[];
  readonly pools: readonly object[];
}

interface Vip {
  readonly pool_id: string;
  readonly name: string;
  readonly address: string;
  readonly protocol_port: number;
  readonly status: string;
  readonly status_description: string | null;
}

const HEAD = ['API', 'ID', 'NAME', 'VIP', 'PROVISIONING', 'OPERATING', 'LISTENERS', 'POOLS', 'REASON'];

export async function showStatus({ url, token }: LbaasOptions, say: Say): Promise<number> {
  const get = async <T>(path: string): Promise<T> => {
    const response = await fetch(`${url}${path}`, { headers: token === null ? {} : { 'x-auth-token': token } });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    return (await response.json()) as T;
  };
  try {
    const { loadbalancers } = await get<{ loadbalancers: Balancer[] }>('/v2.0/lbaas/loadbalancers');
    const { vips } = await get<{ vips: Vip[] }>('/v2.0/lb/vips');
    write(1, table([HEAD, ...loadbalancers.map(balancerRow), ...vips.map(vipRow)]));
    return 0;
  } catch (error) {
    const { message, cause } = error as Error;
    say('alert', `lbaas: ${message}${cause instanceof Error ? `: ${cause.message}` : ''}`);
    return 1;
  }
}

function balancerRow(lb: Balancer): string[] {
  const counts = [String(lb.listeners.length), String(lb.pools.length)];
  return [
    'v2',
    lb.id,
    lb.name,
    lb.vip_address,
    lb.provisioning_status,
    lb.operating_status,
    ...counts,
    lb.status_description,
  ];
}

function vipRow(vip: Vip): string[] {
  return [
    'v1',
    vip.pool_id,
    vip.name,
    `${vip.address}:${vip.protocol_port}`,
    vip.status,
    '',
    '1',
    '1',
    vip.status_description ?? '',
  ];
}

function table(rows: readonly string[][]): string {
  const widths = HEAD.map((_, i) => Math.max(...rows.map(row => row[i]!.length)));
  return rows
    .map(
      row =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i]!))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
