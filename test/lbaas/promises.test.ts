/**
 * What the API promised holds whatever dies: random calls, and kills of processes and of the control plane at any moment, end in
 * the state that the answered calls describe.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import fc from '../properties.ts';
import { freePort, LAUNCHER } from '../workers/sluice.ts';
import { V2 } from './desk.ts';
import { endAll, eventually, freeVip, get, site, stateFolder } from './farm.ts';

type Step =
  | { readonly do: 'create'; readonly wait: boolean }
  | { readonly do: 'member'; readonly lb: number; readonly weight: number; readonly wait: boolean }
  | {
      readonly do: 'weight';
      readonly lb: number;
      readonly member: number;
      readonly weight: number;
      readonly wait: boolean;
    }
  | { readonly do: 'algorithm'; readonly lb: number; readonly least: boolean; readonly wait: boolean }
  | { readonly do: 'forget'; readonly lb: number; readonly member: number; readonly wait: boolean }
  | { readonly do: 'delete'; readonly lb: number; readonly wait: boolean }
  | { readonly do: 'kill'; readonly lb: number }
  | { readonly do: 'restart'; readonly crash: boolean };

const index = fc.nat(3);
const wait = fc.boolean();
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.record({ do: fc.constant('create' as const), wait }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('member' as const), lb: index, weight: fc.nat(5), wait }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('weight' as const), lb: index, member: index, weight: fc.nat(5), wait }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('algorithm' as const), lb: index, least: fc.boolean(), wait }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('forget' as const), lb: index, member: index, wait }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('delete' as const), lb: index, wait }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('kill' as const), lb: index }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('restart' as const), crash: fc.boolean() }) },
);

interface Promised {
  readonly id: string;
  readonly pool: string;
  readonly vip: string;
  algorithm: string;
  /** Weights by member. */
  readonly members: Map<string, number>;
}

class World {
  readonly state = stateFolder();
  readonly lbs: Promised[] = [];
  /** Of servers that all answer the same. */
  readonly ports: readonly number[];
  #child: ChildProcess | null = null;
  #url = '';

  /** Options of the control plane. */
  readonly options: readonly string[];

  constructor(ports: readonly number[], options: readonly string[]) {
    this.ports = ports;
    this.options = options;
  }

  async open(): Promise<void> {
    const port = await freePort();
    const words = ['lbaas', '--state', this.state, '--listen', `127.0.0.1:${port}`, '--poll', '100', '--quiet'];
    const child = spawn(LAUNCHER, [...words, ...this.options], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    this.#child = child;
    this.#url = `http://127.0.0.1:${port}`;
    await eventually(async () => expect((await fetch(`${this.#url}/`)).ok).toBe(true));
  }

  async close(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child!;
    child.kill(signal);
    await once(child, 'exit');
  }

  // biome-ignore lint/suspicious/noExplicitAny: what the server sends is what is looked at
  async ask(method: string, url: string, body?: object): Promise<{ status: number; body: any }> {
    const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(this.#url + url, { method, ...(body === undefined ? {} : json) });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }

  /** Nothing is pending. */
  idle(): Promise<void> {
    return eventually(async () => {
      const { loadbalancers } = (await this.ask('GET', `${V2}/loadbalancers`)).body;
      for (const lb of loadbalancers) expect(lb.provisioning_status).not.toMatch(/^PENDING/);
    });
  }

  /** Waits out what is pending: the API refuses changes of it. */
  async #call(method: string, url: string, body: object | undefined, wait: boolean) {
    for (;;) {
      const answer = await this.ask(method, url, body);
      if (answer.status !== 409 || !answer.body.faultstring.includes('immutable')) {
        if (wait) await this.idle();
        return answer;
      }
      await this.idle();
    }
  }

  async create(wait: boolean): Promise<void> {
    const { body } = await this.ask('GET', '/v2.0/subnets');
    const vip = freeVip();
    const call = async (path: string, key: string, values: object, last: boolean) => {
      const made = await this.#call('POST', `${V2}/${path}`, { [key]: values }, last && wait);
      expect(made.status, JSON.stringify(made.body)).toBe(201);
      return made.body[key].id as string;
    };
    const id = await call(
      'loadbalancers',
      'loadbalancer',
      { vip_subnet_id: body.subnets[0].id, vip_address: vip },
      false,
    );
    const listener = await call(
      'listeners',
      'listener',
      { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 8080 },
      false,
    );
    const pool = await call(
      'pools',
      'pool',
      { listener_id: listener, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
      true,
    );
    this.lbs.push({ id, pool, vip, algorithm: 'ROUND_ROBIN', members: new Map() });
  }

  async run(step: Step): Promise<void> {
    if (step.do === 'create') return this.lbs.length < 3 ? this.create(step.wait) : undefined;
    if (step.do === 'restart') {
      await this.close(step.crash ? 'SIGKILL' : 'SIGTERM');
      return this.open();
    }
    const lb = this.lbs[step.lb];
    if (lb === undefined) return;
    const member = 'member' in step ? [...lb.members.keys()][step.member] : undefined;
    const members = `${V2}/pools/${lb.pool}/members`;
    switch (step.do) {
      case 'kill': {
        const file = path.join(this.state, 'lbaas', lb.id, 'pid');
        if (fs.existsSync(file)) kill(Number(fs.readFileSync(file, 'utf8')));
        return;
      }
      case 'member': {
        const protocol_port = this.ports[lb.members.size % this.ports.length]!;
        const body = { member: { address: '127.0.0.1', protocol_port, weight: step.weight } };
        const { status, body: made } = await this.#call('POST', members, body, step.wait);
        if (status === 201) lb.members.set(made.member.id, step.weight);
        else expect(status).toBe(409); // an address that one has which was not the last
        return;
      }
      case 'weight':
        if (member === undefined) return;
        expect(
          (await this.#call('PUT', `${members}/${member}`, { member: { weight: step.weight } }, step.wait)).status,
        ).toBe(200);
        lb.members.set(member, step.weight);
        return;
      case 'forget':
        if (member === undefined) return;
        expect((await this.#call('DELETE', `${members}/${member}`, undefined, step.wait)).status).toBe(204);
        lb.members.delete(member);
        return;
      case 'algorithm': {
        const lb_algorithm = step.least ? 'LEAST_CONNECTIONS' : 'ROUND_ROBIN';
        expect((await this.#call('PUT', `${V2}/pools/${lb.pool}`, { pool: { lb_algorithm } }, step.wait)).status).toBe(
          200,
        );
        lb.algorithm = lb_algorithm;
        return;
      }
      case 'delete':
        expect(
          (await this.#call('DELETE', `${V2}/loadbalancers/${lb.id}?cascade=true`, undefined, step.wait)).status,
        ).toBe(204);
        this.lbs.splice(step.lb, 1);
    }
  }

  /** The store, the folders, the processes and the traffic agree with what was promised. */
  async check(): Promise<void> {
    const { loadbalancers } = (await this.ask('GET', `${V2}/loadbalancers`)).body;
    expect(loadbalancers.map((lb: { id: string }) => lb.id).sort()).toEqual(this.lbs.map(({ id }) => id).sort());
    expect(fs.readdirSync(path.join(this.state, 'lbaas')).sort()).toEqual(this.lbs.map(({ id }) => id).sort());
    for (const { id, pool, vip, algorithm, members } of this.lbs) {
      const shown = loadbalancers.find((lb: { id: string }) => lb.id === id);
      expect(shown).toMatchObject({ provisioning_status: 'ACTIVE', status_description: '' });
      const list = (await this.ask('GET', `${V2}/pools/${pool}/members`)).body.members;
      const weights = list.map((m: { id: string; weight: number }) => [m.id, m.weight]).sort();
      expect(weights).toEqual([...members].sort());
      expect((await this.ask('GET', `${V2}/pools/${pool}`)).body.pool.lb_algorithm).toBe(algorithm);
      const ready = [...members.values()].some(weight => weight > 0);
      expect((await get(vip, 8080)).status, `${id}: ${JSON.stringify([...members])}`).toBe(ready ? 200 : 503);
    }
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone
  }
}

const FORMS: Readonly<Record<string, readonly string[]>> = {
  'a process for each': [],
  'processes of two': ['--per-process', '2'],
};

test.each(Object.entries(FORMS))('random calls and kills, %s', { timeout: 240_000 }, async (_name, options) => {
  const ports = (await Promise.all(Array.from({ length: 8 }, () => site('s')))).map(({ port }) => port);
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 14 }), async steps => {
      const world = new World(ports, options);
      await world.open();
      await world.create(false);
      for (const one of steps) await world.run(one);
      await eventually(() => world.check(), 20_000);
      await world.close('SIGTERM');
      endAll(world.state);
    }),
    { numRuns: Number(process.env.SLUICE_RUNS ?? 2), seed: 20_261_122, endOnFailure: true },
  );
});
