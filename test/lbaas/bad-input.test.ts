/** Each field's wrong type, range and reference: OpenStack's status, a message that names the field, and nothing changed. */
import { describe, expect, test } from 'vitest';
import type { Field } from '../../engine/lbaas/field.ts';
import { RESOURCES, type Resource } from '../../engine/lbaas/resources.ts';
import { V1_RESOURCES } from '../../engine/lbaas/v1-resources.ts';
import { type Desk, desk, SUBNET, standing, V1, V2 } from './desk.ts';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
  readonly items?: Schema;
  readonly maxItems?: number;
}

/** Values that a field's schema does not take: of another type, beyond its range. */
function wrongValues({ schema }: Field): unknown[] {
  const { type, enum: values, minimum, maximum, maxLength, pattern, items, maxItems } = schema as Schema;
  const wrong: unknown[] = [];
  if (type !== 'object') wrong.push({ a: 1 });
  if (type !== 'array') wrong.push(['x']);
  if (type === 'object') wrong.push('x', 5, { surprise: { a: 1 } });
  if (type === 'array') wrong.push('x', [{ a: 1 }, 5], Array(maxItems! + 1).fill(items!.enum?.[0] ?? 'x'));
  if (type === 'integer') wrong.push('many', '', 1.5, true, minimum! - 1, maximum! + 1, `${maximum! + 1}`, '1e3');
  if (type === 'boolean') wrong.push('perhaps', 2, '');
  if (type === 'string') wrong.push(5, true, 'x'.repeat(maxLength ?? 256), 'a\nb');
  if (type === 'string' && maxLength === 255) wrong.push('x'.repeat(256));
  if (pattern?.startsWith('^[0-9a-fA-F]{8}')) wrong.push('no-id');
  if (values !== undefined) wrong.push('SOMETHING', 12_345);
  const accepts = (value: unknown) =>
    type === 'string' &&
    typeof value === 'string' &&
    new RegExp(pattern ?? '', 'u').test(value) &&
    value.length <= (maxLength ?? 999);
  return wrong.filter(value => !accepts(value));
}

/** Good values for what must be given. */
function goodValues(resource: Resource, ids: Record<string, string>): Record<string, unknown> {
  const known: Record<string, unknown> = {
    ...{
      loadbalancer_id: ids.lb,
      listener_id: ids.listener,
      pool_id: ids.pool,
      subnet_id: SUBNET.id,
      vip_subnet_id: SUBNET.id,
    },
    ...{
      protocol: 'HTTP',
      protocol_port: 81,
      lb_algorithm: 'ROUND_ROBIN',
      lb_method: 'ROUND_ROBIN',
      address: '10.9.0.9',
    },
    ...{ type: resource.kind === 'l7rule' ? 'PATH' : 'HTTP', delay: 5, timeout: 5, max_retries: 3, action: 'REJECT' },
    ...{ compare_type: 'EQUAL_TO', value: '/x' },
  };
  const names = Object.keys(resource.fields).filter(name => resource.fields[name]!.fallback === undefined);
  const values = Object.fromEntries(names.map(name => [name, known[name]]));
  if (resource.kind === 'pool') values.loadbalancer_id = ids.lb;
  if (resource.kind === 'loadbalancer') values.vip_subnet_id = SUBNET.id;
  return values;
}

async function world(): Promise<{ d: Desk; ids: Record<string, string>; v1: Record<string, string> }> {
  const d = await desk();
  const { lb, listener, pool } = await standing(d, 1);
  const body = { l7policy: { listener_id: listener, action: 'REJECT' } };
  const policy = (await d.do('POST', `${V2}/l7policies`, body)).l7policy.id;
  const v1pool = (
    await d.do('POST', `${V1}/pools`, { pool: { subnet_id: SUBNET.id, protocol: 'HTTP', lb_method: 'ROUND_ROBIN' } })
  ).pool.id;
  return { d, ids: { lb, listener, pool, l7policies: policy, pools: pool }, v1: { pool: v1pool } };
}

const REFERENCES =
  /^(loadbalancer_id|listener_id|pool_id|default_pool_id|redirect_pool_id|subnet_id|vip_subnet_id|vip_network_id|flavor_id|availability_zone)$/;
const NOBODY = '12345678-1234-4234-8234-123456789abc';

async function checkResource(resource: Resource, base: string, d: Desk, ids: Record<string, string>): Promise<void> {
  const { key, path, parent, fields } = resource;
  const url = parent === null ? `${base}/${path}` : `${base}/${parent.path}/${ids[parent.path]}/${path}`;
  const good = goodValues(resource, ids);
  const before = d.store.revision;
  const message = (body: { faultstring?: string; NeutronError?: { message: string } }) =>
    body.faultstring ?? body.NeutronError?.message ?? '';
  for (const [name, field] of Object.entries(fields)) {
    for (const value of wrongValues(field)) {
      const { status, body } = await d.ask('POST', url, { [key]: { ...good, [name]: value } });
      const what = `${key}.${name} = ${JSON.stringify(value).slice(0, 60)}: ${JSON.stringify(body).slice(0, 300)}`;
      expect(status, what).toBe(400);
      expect(message(body), what).toContain(name);
    }
    if (field.fallback === undefined) {
      const { [name]: _, ...rest } = good;
      const { status, body } = await d.ask('POST', url, { [key]: rest });
      expect(status, `${key} without ${name}`).toBe(400);
      expect(message(body)).toContain(name);
    }
    for (const value of field.foreign) {
      const { status, body } = await d.ask('POST', url, { [key]: { ...good, [name]: value } });
      expect(status, `${key}.${name} = ${value}`).toBe(501);
      expect(message(body)).toBe(`Provider 'sluice' does not support a requested option: ${name} ${value}`);
    }
    if (REFERENCES.test(name)) {
      const { status, body } = await d.ask('POST', url, { [key]: { ...good, [name]: NOBODY } });
      const what = `${key}.${name} = nobody: ${JSON.stringify(body)}`;
      expect([400, 404], what).toContain(status);
      expect(message(body).includes(NOBODY) || message(body).includes(name), what).toBe(true);
    }
  }
  for (const body of [{}, { [key]: 5 }, { [key]: [] }, { other: {} }, { [key]: { ...good, surprise: 1 } }]) {
    expect((await d.ask('POST', url, body)).status, JSON.stringify(body)).toBe(400);
  }
  expect(d.store.revision).toBe(before);
  await checkChanges(resource, url, good, d);
}

/** The same for changes of one that is there. */
async function checkChanges(resource: Resource, base: string, good: Record<string, unknown>, d: Desk): Promise<void> {
  const { key, fields } = resource;
  const url = `${base}/${(await d.do('POST', base, { [key]: good }))[key].id}`;
  const { revision } = d.store;
  const refused = async (name: string, value: unknown, says = name) => {
    const { status, body } = await d.ask('PUT', url, { [key]: { [name]: value } });
    const what = `${key}.${name} = ${JSON.stringify(value).slice(0, 60)}: ${JSON.stringify(body).slice(0, 300)}`;
    expect([400, 404], what).toContain(status);
    expect(JSON.stringify(body), what).toContain(says);
  };
  for (const [name, field] of Object.entries(fields)) {
    if (field.fixed) await refused(name, good[name] ?? 'x', 'read-only');
    else for (const value of wrongValues(field)) await refused(name, value);
    if (!field.fixed && field.fallback === undefined) await refused(name, null);
    if (!field.fixed && REFERENCES.test(name))
      await refused(name, NOBODY, resource.kind === 'l7policy' ? name : NOBODY);
  }
  expect(d.store.revision).toBe(revision);
}

describe('bad input is refused and changes nothing', () => {
  test.each(RESOURCES.map(r => [r.kind, r] as const))('%s', async (_kind, resource) => {
    const { d, ids } = await world();
    await checkResource(resource, V2, d, ids);
  });

  test.each(V1_RESOURCES.map(r => [r.kind, r] as const))('%s', async (_kind, resource) => {
    const { d, v1 } = await world();
    await checkResource(resource, V1, d, v1);
  });

  test('changes of what is fixed', async () => {
    const { d, ids } = await world();
    const before = d.store.revision;
    const put = (url: string, body: object) => d.ask('PUT', url, body);
    expect(await put(`${V2}/listeners/${ids.listener}`, { listener: { protocol_port: 99 } })).toMatchObject({
      status: 400,
      body: { faultcode: 'Client', faultstring: "Attribute 'protocol_port' is read-only and cannot be changed" },
    });
    expect(await put(`${V2}/listeners/${ids.listener}`, { listener: { connection_limit: 0 } })).toMatchObject({
      status: 400,
    });
    expect(await put(`${V2}/pools/${ids.pool}`, { pool: { lb_algorithm: null } })).toMatchObject({
      status: 400,
      body: { faultstring: "Invalid input for field/attribute lb_algorithm. Value: 'None'. Mandatory field missing." },
    });
    expect(await d.ask('POST', `${V2}/listeners`, undefined)).toMatchObject({ status: 400 });
    expect(await d.ask('GET', '/nothing/here')).toMatchObject({ status: 404 });
    expect(d.store.revision).toBe(before);
  });

  test('a body that is no JSON', async () => {
    const { d } = await world();
    const headers = { 'content-type': 'application/json' };
    const response = await d.app.inject({ method: 'POST', url: `${V2}/pools`, headers, payload: '{' });
    expect(response.statusCode).toBe(400);
    expect(response.json()).toMatchObject({ faultcode: 'Client' });
  });
});
