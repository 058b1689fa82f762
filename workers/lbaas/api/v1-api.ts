/** LBaaS v1. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodySchema } from '../../../engine/lbaas/body.ts';
import { badRequest } from '../../../engine/lbaas/errors.ts';
import type { Common, Json } from '../../../engine/lbaas/items.ts';
import { find } from '../../../engine/lbaas/octavia.ts';
import { pick, type Query } from '../../../engine/lbaas/query.ts';
import type { Resource } from '../../../engine/lbaas/resources.ts';
import type { Reader } from '../../../engine/lbaas/store.ts';
import {
  associate,
  createV1,
  disassociate,
  poolsOf,
  removeV1,
  updateV1,
  type V1Kind,
} from '../../../engine/lbaas/v1.ts';
import { V1_RESOURCES } from '../../../engine/lbaas/v1-resources.ts';
import { statsV1, viewV1 } from '../../../engine/lbaas/v1-views.ts';
import { agentOf } from './neighbours.ts';
import { listReply, visible } from './octavia-api.ts';
import { type ApiOptions, change, valuesOf } from './server.ts';

interface Params {
  readonly id: string;
  readonly monitor: string;
}

export async function v1Api(app: FastifyInstance, { api }: { api: ApiOptions }): Promise<void> {
  for (const resource of V1_RESOURCES) routes(app, resource, api);
  poolRoutes(app, api);
}

function routes(app: FastifyInstance, resource: Resource & { kind: V1Kind }, api: ApiOptions): void {
  const { store, healthOf, guard } = api;
  const { kind, path, key, plural, fields, title } = resource;
  const tags = [`${title} (v1)`];
  const config = { body: { key, fields } };
  const show = (reader: Reader, item: Common) => viewV1(reader, kind, item as never, healthOf);
  const roots = (reader: Reader, item: Common) =>
    kind === 'v1monitor' ? poolsOf(reader, item.id).map(pool => pool.id) : [item.root];

  app.get(`/${path}`, { schema: { tags } }, async request =>
    listReply(
      request,
      plural,
      visible(store, kind, request).map(item => show(store, item)),
    ),
  );
  app.get(`/${path}/:id`, { schema: { tags } }, async request => {
    const item = find({ draft: store, ...request.caller }, kind, (request.params as Params).id, title);
    return { [key]: pick(show(store, item), request.query as Query) };
  });
  app.post(`/${path}`, { schema: { tags, body: bodySchema(key, fields, false) }, config }, async (request, reply) => {
    const shown = await change(request, api, call => {
      const { draft } = call;
      const made = createV1(call, resource, valuesOf(request));
      for (const root of roots(draft, made)) guard(draft, root);
      return show(draft, made);
    });
    return reply.code(201).send({ [key]: shown });
  });
  app.put(`/${path}/:id`, { schema: { tags, body: bodySchema(key, fields, true) }, config }, async request => ({
    [key]: await change(request, api, call => {
      const { draft } = call;
      const item = updateV1(call, resource, (request.params as Params).id, valuesOf(request));
      for (const root of roots(draft, item)) guard(draft, root);
      return show(draft, item);
    }),
  }));
  app.delete(`/${path}/:id`, { schema: { tags } }, async (request, reply) => {
    await change(request, api, call => removeV1(call, resource, (request.params as Params).id));
    return reply.code(204).send();
  });
}

function poolRoutes(app: FastifyInstance, api: ApiOptions): void {
  const { store, healthOf, guard } = api;
  const schema = { tags: ['Pool (v1)'] };
  const pool = (request: FastifyRequest) =>
    find({ draft: store, ...request.caller }, 'v1pool', (request.params as Params).id, 'Pool');
  app.get('/pools/:id/stats', { schema }, async request => ({ stats: statsV1(pool(request).id, healthOf) }));
  app.get('/pools/:id/loadbalancer-agent', { schema }, async request => {
    return { agent: agentOf(api, pool(request).id) };
  });
  app.post('/pools/:id/health_monitors', { schema }, async (request, reply) => {
    const id = (request.body as { health_monitor?: { id?: Json } } | undefined)?.health_monitor?.id;
    if (typeof id !== 'string') throw badRequest("Failed to parse request. Required attribute 'id' not specified");
    const health_monitor = await change(request, api, call => {
      const ids = associate(call, (request.params as Params).id, id);
      guard(call.draft, (request.params as Params).id);
      return ids;
    });
    return reply.code(201).send({ health_monitor });
  });
  app.delete('/pools/:id/health_monitors/:monitor', { schema }, async (request, reply) => {
    const { id, monitor } = request.params as Params;
    await change(request, api, call => disassociate(call, id, monitor));
    return reply.code(204).send();
  });
}
