/** What of Octavia is no load balancer: quotas, providers, flavours, availability zones. */
import { randomUUID } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodySchema } from '../../../engine/lbaas/body.ts';
import { badRequest, conflict, notFound, Refusal, unsupported } from '../../../engine/lbaas/errors.ts';
import { checkFlavorData, FLAVOR_SETTINGS } from '../../../engine/lbaas/flavors.ts';
import type { Items, Json } from '../../../engine/lbaas/items.ts';
import { PROVIDERS, quotaOf } from '../../../engine/lbaas/octavia.ts';
import { view } from '../../../engine/lbaas/octavia-views.ts';
import { FLAVOR, FLAVORPROFILE, fallbacks, QUOTA_FIELDS, type Resource } from '../../../engine/lbaas/resources.ts';
import { timestamp } from '../timestamp.ts';
import { listReply } from './octavia-api.ts';
import { type ApiOptions, valuesOf } from './server.ts';

/** An item that is no part of any tree is in force at once. */
function blank(id: string, projectId: string): Items['quota'] {
  const now = timestamp();
  return {
    ...{ id, project_id: projectId, name: '', description: '', admin_state_up: true, tags: [], root: '' },
    ...{ provisioning_status: 'ACTIVE', status_description: '', created_at: now, updated_at: null },
  };
}

function assertAdmin({ caller }: FastifyRequest): void {
  if (!caller.admin) throw new Refusal(403, 'Forbidden', 'Policy does not allow this request to be performed.');
}

export async function octaviaCatalog(app: FastifyInstance, { api }: { api: ApiOptions }): Promise<void> {
  quotas(app, api);
  providers(app, api);
  flavors(app, FLAVOR, api);
  flavors(app, FLAVORPROFILE, api);
}

/** Both names of each: clients of either age read one of them. */
function quotaView(limits: Readonly<Record<string, number>>): Record<string, Json> {
  return { ...limits, loadbalancer: limits.load_balancer!, healthmonitor: limits.health_monitor! };
}

function quotas(app: FastifyInstance, { store }: ApiOptions): void {
  const schema = { tags: ['Quota'] };
  const project = (request: FastifyRequest): string => {
    const { id } = request.params as { id: string };
    if (id !== request.caller.projectId) assertAdmin(request);
    return id;
  };
  app.get('/quotas', { schema }, async request => {
    const own = store.list('quota').filter(({ id }) => request.caller.admin || id === request.caller.projectId);
    const rows = own.map(({ id }) => ({ ...quotaView(quotaOf(store, id)), id, project_id: id, tenant_id: id }));
    return listReply(request, 'quotas', rows);
  });
  app.get('/quotas/defaults', { schema }, async () => ({ quota: quotaView(quotaOf(store, '')) }));
  app.get('/quotas/:id', { schema }, async request => ({ quota: quotaView(quotaOf(store, project(request))) }));
  const config = { body: { key: 'quota', fields: QUOTA_FIELDS } };
  app.put(
    '/quotas/:id',
    { schema: { ...schema, body: bodySchema('quota', QUOTA_FIELDS, true) }, config },
    async (request, reply) => {
      assertAdmin(request);
      const id = project(request);
      const { loadbalancer, healthmonitor, ...given } = valuesOf(request);
      const older = {
        ...(loadbalancer === undefined ? {} : { load_balancer: loadbalancer }),
        ...(healthmonitor === undefined ? {} : { health_monitor: healthmonitor }),
      };
      await store.change(draft =>
        draft.put('quota', { ...(draft.get('quota', id) ?? blank(id, id)), ...older, ...given } as Items['quota']),
      );
      return reply.code(202).send({ quota: quotaView(quotaOf(store, id)) });
    },
  );
  app.delete('/quotas/:id', { schema }, async (request, reply) => {
    assertAdmin(request);
    await store.change(draft => draft.remove('quota', project(request)));
    return reply.code(204).send();
  });
}

function providers(app: FastifyInstance, { zones }: ApiOptions): void {
  const schema = { tags: ['Provider'] };
  const list = Object.entries(PROVIDERS).map(([name, description]) => ({ name, description }));
  app.get('/providers', { schema }, async request => listReply(request, 'providers', list));
  const settings = Object.entries(FLAVOR_SETTINGS).map(([name, { description }]) => ({ name, description }));
  const capabilities = { flavor_capabilities: settings, availability_zone_capabilities: [] };
  for (const [what, rows] of Object.entries(capabilities)) {
    app.get(`/providers/:id/${what}`, { schema }, async request => {
      const { id } = request.params as { id: string };
      if (!Object.hasOwn(PROVIDERS, id)) throw badRequest(`Provider '${id}' is not enabled.`);
      return listReply(request, what, rows);
    });
  }
  const views = zones.map(name => ({ name, description: '', enabled: true, availability_zone_profile_id: null }));
  app.get('/availabilityzones', { schema }, async request => listReply(request, 'availability_zones', views));
  app.get('/availabilityzones/:id', { schema }, async request => {
    const { id } = request.params as { id: string };
    const zone = views.find(({ name }) => name === id);
    if (zone === undefined) throw notFound('Availability Zone', id);
    return { availability_zone: zone };
  });
  for (const path of ['availabilityzones', 'availabilityzoneprofiles']) {
    for (const [method, url] of [
      ['POST', path],
      ['PUT', `${path}/:id`],
      ['DELETE', `${path}/:id`],
    ] as const) {
      app.route({
        ...{ method, url: `/${url}`, schema },
        handler: async () => {
          throw unsupported('changes of availability zones');
        },
      });
    }
  }
  app.get('/availabilityzoneprofiles', { schema }, async request =>
    listReply(request, 'availability_zone_profiles', []),
  );
}

/** Flavours and their profiles: what one is does not change while another is made of it. */
function flavors(
  app: FastifyInstance,
  resource: Resource<'flavor'> | Resource<'flavorprofile'>,
  { store, healthOf }: ApiOptions,
): void {
  const { kind, path, key, plural, fields, title } = resource;
  const schema = { tags: [title] };
  const config = { body: { key, fields } };
  const show = (item: Items[typeof kind]) => view(store, kind, item, healthOf);
  const seek = (request: FastifyRequest) => {
    const { id } = request.params as { id: string };
    const item = store.get(kind, id);
    if (item === undefined) throw notFound(title, id);
    return item;
  };
  const check = (item: Items['flavor'] & Items['flavorprofile']) => {
    if (kind === 'flavor' && store.get('flavorprofile', item.flavor_profile_id) === undefined) {
      throw notFound(FLAVORPROFILE.title, item.flavor_profile_id);
    }
    if (kind === 'flavorprofile') assertProfile(item);
  };
  app.get(`/${path}`, { schema }, async request => listReply(request, plural, store.list(kind).map(show)));
  app.get(`/${path}/:id`, { schema }, async request => ({ [key]: show(seek(request)) }));
  app.post(
    `/${path}`,
    { schema: { ...schema, body: bodySchema(key, fields, false) }, config },
    async (request, reply) => {
      assertAdmin(request);
      const item = { ...blank(randomUUID(), ''), ...fallbacks(fields), ...valuesOf(request) } as never;
      check(item);
      await store.change(draft => draft.put(kind, item));
      return reply.code(201).send({ [key]: show(item) });
    },
  );
  const isUsed = (id: string) =>
    kind === 'flavor'
      ? store.list('loadbalancer').some(lb => lb.flavor_id === id)
      : store.list('flavor').some(flavor => flavor.flavor_profile_id === id);
  const inUse = (id: string) => conflict(`${title} ${id} is in use and cannot be modified.`);
  app.put(`/${path}/:id`, { schema: { ...schema, body: bodySchema(key, fields, true) }, config }, async request => {
    assertAdmin(request);
    const before = seek(request);
    const given = valuesOf(request);
    const deep = given.flavor_data !== undefined || given.provider_name !== undefined;
    if (deep && isUsed(before.id)) throw inUse(before.id);
    const item = { ...before, ...given } as never;
    check(item);
    await store.change(draft => draft.put(kind, item));
    return { [key]: show(item) };
  });
  app.delete(`/${path}/:id`, { schema }, async (request, reply) => {
    assertAdmin(request);
    const { id } = seek(request);
    if (isUsed(id)) throw inUse(id);
    await store.change(draft => draft.remove(kind, id));
    return reply.code(204).send();
  });
}

function assertProfile({ provider_name, flavor_data }: Items['flavorprofile']): void {
  if (!Object.hasOwn(PROVIDERS, provider_name)) throw badRequest(`Provider '${provider_name}' is not enabled.`);
  checkFlavorData(provider_name, flavor_data);
}
