/** The API over a store in memory and processes that only seem to run: what is tested is what is asked and answered. */
import type { FastifyInstance } from 'fastify';
import { onTestFinished } from 'vitest';
import type { Health } from '../../engine/lbaas/health.ts';
import { parseSubnet } from '../../engine/lbaas/networks.ts';
import { SqliteStore } from '../../engine/lbaas/sqlite-store.ts';
import type { Store } from '../../engine/lbaas/store.ts';
import { type ApiOptions, createApi } from '../../workers/lbaas/api/server.ts';
import { noAuth } from '../../workers/lbaas/auth.ts';
import { Controller } from '../../workers/lbaas/controller.ts';
import { guard } from '../../workers/lbaas/guard.ts';
import { SILENT } from '../../workers/lbaas/log.ts';
import { alone } from '../../workers/lbaas/ownership.ts';
import type { Processes } from '../../workers/lbaas/processes.ts';

export const SUBNET = parseSubnet('private=10.9.0.0/24')!;

export interface Answer {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: what the server sends is what is looked at
  readonly body: any;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** Processes by id, with the configuration of each. */
export class SeemingProcesses implements Processes {
  readonly texts = new Map<string, string>();
  readonly commands: string[] = [];
  /** What `serve` fails with; null = it does not. */
  failure: string | null = null;
  health_: Health = { members: {}, findings: {}, fronts: {}, pools: {}, ping: null };

  site(id: string) {
    return {
      socket: `/run/${id}/sock`,
      states: `/run/${id}/states`,
      ping: null,
      certificate: () => null,
      digest: () => '',
    };
  }
  known(): string[] {
    return [...this.texts.keys()];
  }
  applied(id: string): string | null {
    return this.texts.get(id) ?? null;
  }
  isRunning(id: string): boolean {
    return this.texts.has(id);
  }
  async serve(id: string, text: string): Promise<void> {
    if (this.failure !== null) throw new Error(this.failure);
    this.texts.set(id, text);
  }
  async change(id: string, commands: readonly string[], _isDone: unknown, text: string): Promise<void> {
    this.commands.push(...commands);
    this.texts.set(id, text);
  }
  async ask(): Promise<string> {
    return '# pxname,svname\n';
  }
  async health(): Promise<Health> {
    return this.health_;
  }
  async stop(id: string): Promise<void> {
    this.texts.delete(id);
  }
}

export interface Desk {
  readonly store: Store;
  readonly controller: Controller;
  readonly processes: SeemingProcesses;
  readonly app: FastifyInstance;
  /** Asks; what is pending stays so until `settle`. */
  ask(
    method: 'DELETE' | 'GET' | 'POST' | 'PUT',
    url: string,
    body?: object,
    headers?: Record<string, string>,
  ): Promise<Answer>;
  /** Waits for the controller. */
  settle(): Promise<void>;
  /** Asks, expects success, settles. */
  do(method: 'DELETE' | 'GET' | 'POST' | 'PUT', url: string, body?: object): Promise<Answer['body']>;
}

/** @param running false: no controller, so that all stays pending */
export async function desk(more: Partial<ApiOptions> = {}, running = true): Promise<Desk> {
  const store = more.store ?? new SqliteStore(':memory:');
  const processes = new SeemingProcesses();
  const controller = new Controller({
    ...{ store, processes, ownership: alone('here'), subnets: [SUBNET], log: SILENT },
    ...{ pollMs: 60_000, againMs: 60_000, parallel: 4, findContainers: async () => {} },
  });
  const app = await createApi({
    ...{ store, subnets: [SUBNET], zones: ['nova'], auth: noAuth, log: SILENT, ownership: alone('here') },
    healthOf: root => (controller.isRunning(root) ? processes.health_ : null),
    isRunning: root => controller.isRunning(root),
    fetchContainers: async () => {},
    useContainers: async () => {},
    guard: (reader, root) => guard(reader, root, processes),
    ...more,
  });
  if (running) controller.start();
  onTestFinished(async () => {
    controller.stop();
    await app.close();
  });
  const ask: Desk['ask'] = async (method, url, body, headers = {}) => {
    const response = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
    const text = response.body;
    const parsed = text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : text;
    return { status: response.statusCode, body: parsed, headers: response.headers };
  };
  const settle = () => controller.idle();
  return {
    ...{ store, controller, processes, app, ask, settle },
    do: async (method, url, body) => {
      const { status, body: answer } = await ask(method, url, body);
      if (status >= 300) throw new Error(`${method} ${url}: ${status} ${JSON.stringify(answer)}`);
      await settle();
      return answer;
    },
  };
}

export const V2 = '/v2.0/lbaas';
export const V1 = '/v2.0/lb';

/** A load balancer with a listener and a pool of members, all ACTIVE: their ids. */
export async function standing(d: Desk, members = 2) {
  const lb = (await d.do('POST', `${V2}/loadbalancers`, { loadbalancer: { name: 'lb', vip_subnet_id: SUBNET.id } }))
    .loadbalancer;
  const listener = (
    await d.do('POST', `${V2}/listeners`, {
      listener: { name: 'web', loadbalancer_id: lb.id, protocol: 'HTTP', protocol_port: 80 },
    })
  ).listener;
  const pool = (
    await d.do('POST', `${V2}/pools`, {
      pool: { name: 'farm', listener_id: listener.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
    })
  ).pool;
  const ids: string[] = [];
  for (let i = 1; i <= members; i++) {
    const body = { member: { address: `10.9.0.${200 + i}`, protocol_port: 8080 } };
    ids.push((await d.do('POST', `${V2}/pools/${pool.id}/members`, body)).member.id);
  }
  return { lb: lb.id as string, listener: listener.id as string, pool: pool.id as string, members: ids };
}
