/** LBaaS v2 and Octavia: the same paths, the same items. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { bodySchema, coerce, schemaRefusal } from '../../../engine/lbaas/body.ts';
import { badRequest, notFound } from '../../../engine/lbaas/errors.ts';
import { creatable, create, GRAPH_FIELDS, MEMBERS_MAX } from '../../../engine/lbaas/graph.ts';
import type { Common, Kind } from '../../../engine/lbaas/items.ts';
import { failover, find, remove, replaceMembers, update, type Values } from '../../../engine/lbaas/octavia.ts';
import { graphView, stats, statuses, type View, view } from '../../../engine/lbaas/octavia-views.ts';
import { pick, type Query, select } from '../../../engine/lbaas/query.ts';
import { LISTENER, LOADBALANCER, MEMBER, RESOURCES, type Resource } from '../../../engine/lbaas/resources.ts';
import type { Reader } from '../../../engine/lbaas/store.ts';
import { agentOf } from './neighbours.ts';
import { octaviaCatalog } from './octavia-catalog.ts';
import { type ApiOptions, change, dialectOf, valuesOf } from './server.ts';

interface Params {
  readonly parent: string;
  readonly id: string;
}

export async function octaviaApi(app: FastifyInstance, { api }: { api: ApiOptions }): Promise<void> {
  for (const resource of RESOURCES) routes(app, resource, api);
  balancerRoutes(app, api);
  graphRoute(app, api);
  batchRoute(app, api);
  await app.register(octaviaCatalog, { api });
}

/** The items of a list that the caller may see. */
export function visible<K extends Kind>(reader: Reader, kind: K, { caller }: FastifyRequest): Common[] {
  const all = reader.list(kind) as readonly Common[];
  return caller.admin ? [...all] : all.filter(item => item.project_id === caller.projectId);
}

/** A page of a list, with links to those beside it. */
export function listReply(request: FastifyRequest, plural: string, views: readonly View[]): object {
  const page = select(views, request.query as Query);
  const link = (rel: string, marker: string, reverse: boolean) => {
    const url = new URL(request.url, `${request.protocol}://${request.host}`);
    url.searchParams.set('marker', marker);
    if (reverse) url.searchParams.set('page_reverse', 'True');
    else url.searchParams.delete('page_reverse');
    return { rel, href: url.href };
  };
  const links = [
    ...(page.next === null ? [] : [link('next', page.next, false)]),
    ...(page.previous === null ? [] : [link('previous', page.previous, true)]),
  ];
  return { [plural]: page.views, ...(links.length === 0 ? {} : { [`${plural}_links`]: links }) };
}

function routes(app: FastifyInstance, resource: Resource, api: ApiOptions): void {
  const { store, healthOf, guard } = api;
  const { kind, path, key, plural, parent, fields, title } = resource;
  const base = parent === null ? `/${path}` : `/${parent.path}/:parent/${path}`;
  const tags = [title];
  const show = (reader: Reader, item: Common): View => view(reader, kind, item as never, healthOf);
  /** The item of the path, below the parent of the path. */
  const seek = (reader: Reader, request: FastifyRequest): Common => {
    const { parent: parentId, id } = request.params as Params;
    const item = find({ draft: reader, ...request.caller }, kind, id, title) as Common;
    if (parent !== null && (item as unknown as View)[parent.field] !== parentId) throw notFound(title, id);
    return item;
  };
  const parentField = ({ params }: FastifyRequest) =>
    parent === null ? {} : { [parent.field]: (params as Params).parent };

  app.get(base, { schema: { tags, summary: `List of ${plural}` } }, async request => {
    const { parent: parentId } = request.params as Params;
    if (parent !== null) find({ draft: store, ...request.caller }, parentKind(parent.path), parentId);
    const items = visible(store, kind, request).filter(
      item => parent === null || (item as unknown as View)[parent.field] === parentId,
    );
    return listReply(
      request,
      plural,
      items.map(item => show(store, item)),
    );
  });

  app.get(`${base}/:id`, { schema: { tags, summary: `One of ${plural}` } }, async request => ({
    [key]: pick(show(store, seek(store, request)), request.query as Query),
  }));

  const whole = creatable(resource);
  const creation = { schema: { tags, body: bodySchema(key, whole, false) }, config: { body: { key, fields: whole } } };
  app.post(base, creation, async (request, reply) => {
    const shown = await change(request, api, call => {
      const { draft } = call;
      const given = { ...valuesOf(request), ...parentField(request) };
      const { id, root } = create(call, resource, given);
      guard(draft, root);
      return id === root ? graphView(draft, id, healthOf) : show(draft, draft.get(kind, id)!);
    });
    return reply.code(201).send({ [key]: shown });
  });

  const partial = { schema: { tags, body: bodySchema(key, fields, true) }, config: { body: { key, fields } } };
  app.put(`${base}/:id`, partial, async request => ({
    [key]: await change(request, api, call => {
      const { draft } = call;
      const { id, root } = seek(draft, request);
      const item = update(call, resource, id, valuesOf(request));
      guard(draft, root);
      return show(draft, item);
    }),
  }));

  app.delete(`${base}/:id`, { schema: { tags } }, async (request, reply) => {
    const cascade = String((request.query as Query).cascade ?? '').toLowerCase() === 'true';
    await change(request, api, call => remove(call, resource, seek(call.draft, request).id, cascade));
    return reply.code(204).send();
  });
}

function parentKind(path: string): Kind {
  return RESOURCES.find(resource => resource.path === path)!.kind;
}

function balancerRoutes(app: FastifyInstance, api: ApiOptions): void {
  const { store, healthOf } = api;
  const seek = (request: FastifyRequest, kind: 'listener' | 'loadbalancer') =>
    find({ draft: store, ...request.caller }, kind, (request.params as Params).id);
  const tags = [LOADBALANCER.title];
  for (const resource of [LOADBALANCER, LISTENER]) {
    app.get(`/${resource.path}/:id/stats`, { schema: { tags: [resource.title] } }, async request => ({
      stats: stats(store, resource.kind, seek(request, resource.kind), healthOf),
    }));
  }
  // Octavia's name, and LBaaS v2's.
  for (const name of ['status', 'statuses']) {
    app.get(`/loadbalancers/:id/${name}`, { schema: { tags } }, async request => ({
      statuses: statuses(store, seek(request, 'loadbalancer').id, healthOf),
    }));
  }
  app.get('/loadbalancers/:id/loadbalancer-hosting-agent', { schema: { tags } }, async request => {
    return { agent: agentOf(api, seek(request, 'loadbalancer').id) };
  });
  app.put('/loadbalancers/:id/failover', { schema: { tags } }, async (request, reply) => {
    await change(request, api, call => failover(call, (request.params as Params).id));
    return reply.code(202).send();
  });
}

/** LBaaS v2's extension `lb-graph`: a load balancer with all that is below it, whose pools need no names. */
function graphRoute(app: FastifyInstance, api: ApiOptions): void {
  const [key, fields] = ['graph', GRAPH_FIELDS];
  const creation = {
    schema: { tags: [LOADBALANCER.title], body: bodySchema(key, fields, false) },
    config: { body: { key, fields } },
  };
  app.post('/graphs', creation, async (request, reply) => {
    const { loadbalancer, ...owner } = valuesOf(request);
    const shown = await change(request, api, call => {
      const { draft } = call;
      const { id } = create(call, LOADBALANCER, { ...owner, ...(loadbalancer as Values) }, false);
      api.guard(draft, id);
      return graphView(draft, id, api.healthOf);
    });
    return reply.code(201).send({ graph: { loadbalancer: shown } });
  });
}

function batchRoute(app: FastifyInstance, api: ApiOptions): void {
  const { fields } = MEMBER;
  const inner = (bodySchema('member', fields, false) as { properties: { member: object } }).properties.member;
  const body = {
    type: 'object',
    required: ['members'],
    additionalProperties: false,
    properties: { members: { type: 'array', maxItems: MEMBERS_MAX, items: inner } },
  };
  const put = async (request: FastifyRequest, reply: FastifyReply) => {
    const { members } = request.body as { members: readonly Record<string, never>[] };
    const additive = String((request.query as Query).additive_only ?? '').toLowerCase() === 'true';
    await change(request, api, call => {
      const { draft } = call;
      const { parent } = request.params as Params;
      replaceMembers(call, MEMBER, parent, members, additive);
      api.guard(draft, draft.get('pool', parent)!.root);
    });
    return reply.code(202).send();
  };
  app.put(
    '/pools/:parent/members',
    {
      schema: { tags: [MEMBER.title], summary: 'Replaces the members of a pool', body },
      attachValidation: true,
      preValidation: async request => {
        const given = (request.body as { members?: unknown } | undefined)?.members;
        if (!Array.isArray(given))
          throw badRequest('Invalid input for field/attribute members. Mandatory field missing.');
        const members = given.map(one =>
          typeof one === 'object' && one !== null ? coerce(fields, one, dialectOf(request)) : null,
        );
        request.body = { members: members.map((one, i) => (one === null ? given[i] : one.values)) };
      },
      preHandler: async request => {
        const [error] = (request.validationError as { errors?: readonly never[] } | undefined)?.errors ?? [];
        if (error !== undefined) throw schemaRefusal(dialectOf(request), batchError(error), fields);
      },
    },
    put,
  );
}

/** `/members/3/weight` as `/member/weight`. */
function batchError<T extends { readonly instancePath: string }>(error: T): T {
  return { ...error, instancePath: error.instancePath.replace(/^\/members\/\d+/, '/member') };
}
