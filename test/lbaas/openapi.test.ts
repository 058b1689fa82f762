/** Every path of the OpenAPI document answers as OpenStack does, whatever it is asked with. */
import { expect, test } from 'vitest';
import { type Desk, desk, standing } from './desk.ts';

type Method = 'DELETE' | 'GET' | 'POST' | 'PUT';

interface Operation {
  readonly method: Method;
  /** `/v2.0/lbaas/pools/{parent}/members`. */
  readonly path: string;
}

async function operations(d: Desk): Promise<Operation[]> {
  const { paths } = (await d.ask('GET', '/openapi.json')).body as { paths: Record<string, object> };
  return Object.entries(paths).flatMap(([path, methods]) =>
    Object.keys(methods).map(method => ({ method: method.toUpperCase() as Method, path })),
  );
}

const isOctavia = (path: string) => /^\/v2(\.0)?\/lbaas\//.test(path);

/** The shape of a refusal in the API of the path. */
function refusal(path: string): object {
  const text = expect.stringMatching(/./);
  return isOctavia(path)
    ? { faultcode: expect.stringMatching(/^(Client|Server)$/), faultstring: text, debuginfo: null }
    : { NeutronError: { type: text, message: text, detail: '' } };
}

test('lists are lists; what is not there is not found; what is no body is refused', async () => {
  const d = await desk();
  await standing(d);
  const { revision } = d.store;
  const all = await operations(d);
  expect(all.length).toBeGreaterThan(150);
  for (const { method, path } of all) {
    const url = path.replace(/\{\w+\}/g, '12345678-1234-4234-8234-123456789abc');
    for (const body of method === 'POST' || method === 'PUT' ? [undefined, {}, [], { x: 1 }] : [undefined]) {
      const { status, body: answer, headers } = await d.ask(method, url, body);
      const what = `${method} ${path} ${JSON.stringify(body)}: ${status} ${JSON.stringify(answer).slice(0, 200)}`;
      expect(headers['x-openstack-request-id'], what).toMatch(/^req-/);
      if (method === 'GET' && !path.includes('{')) expect([status, Object.keys(answer).length], what).toEqual([200, 1]);
      // A quota is what it is for anybody; to forget what is not there is no mistake.
      else if (path.includes('/quotas/')) expect(status, what).toBeLessThan(500);
      else {
        expect([400, 404, 501], what).toContain(status);
        expect(answer, what).toEqual(refusal(path));
      }
    }
  }
  expect(d.store.list('loadbalancer')).toHaveLength(1);
  expect(d.store.revision - revision, 'quotas at most').toBeLessThan(10);
});

test('both prefixes of Octavia have the same paths, each resource all its methods', async () => {
  const all = await operations(await desk());
  const below = (prefix: string) =>
    all.flatMap(({ method, path }) => (path.startsWith(prefix) ? [`${method} ${path.slice(prefix.length)}`] : []));
  expect(below('/v2/lbaas/')).toEqual(below('/v2.0/lbaas/'));
  for (const resource of ['loadbalancers', 'listeners', 'pools', 'healthmonitors', 'l7policies', 'flavors']) {
    const ways = [`GET ${resource}`, `POST ${resource}`, ...['GET', 'PUT', 'DELETE'].map(m => `${m} ${resource}/{id}`)];
    expect(below('/v2.0/lbaas/')).toEqual(expect.arrayContaining(ways));
  }
});
