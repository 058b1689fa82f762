/** The HTTP server of all APIs: who asks, which body means what, how a refusal is written in each API's own shape. */
import { randomUUID } from 'node:crypto';
import swagger from '@fastify/swagger';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { coerce, type Dialect, type SchemaError, schemaRefusal } from '../../../engine/lbaas/body.ts';
import { type Use, usesOf } from '../../../engine/lbaas/containers.ts';
import { badRequest, Refusal } from '../../../engine/lbaas/errors.ts';
import type { Fields } from '../../../engine/lbaas/field.ts';
import type { Json } from '../../../engine/lbaas/items.ts';
import type { Subnet } from '../../../engine/lbaas/networks.ts';
import type { Call, Values } from '../../../engine/lbaas/octavia.ts';
import type { HealthOf } from '../../../engine/lbaas/octavia-views.ts';
import type { Reader, Store } from '../../../engine/lbaas/store.ts';
import { VERSION } from '../../../engine/version.ts';
import type { Auth, Caller } from '../auth.ts';
import type { Log } from '../log.ts';
import type { Ownership } from '../ownership.ts';
import { timestamp } from '../timestamp.ts';
import { metricsApi } from './metrics.ts';
import { neighbours } from './neighbours.ts';
import { octaviaApi } from './octavia-api.ts';
import { v1Api } from './v1-api.ts';

export interface ApiOptions {
  readonly store: Store;
  readonly subnets: readonly Subnet[];
  readonly zones: readonly string[];
  readonly auth: Auth;
  readonly log: Log;
  readonly healthOf: HealthOf;
  readonly isRunning: (root: string) => boolean;
  /** @throws Refusal when the tree asks for what the process cannot do */
  readonly guard: (reader: Reader, root: string) => void;
  /** Gets the TLS containers that a body names. @throws Refusal when one cannot be had */
  readonly fetchContainers: (body: Json, token: string) => Promise<void>;
  /** Tells of containers that trees begin or cease to use; those that the body names are told of again. Never rejects. */
  readonly useContainers: (uses: readonly Use[], body: Json, token: string) => Promise<void>;
  /** Who runs what: the agents of Neutron's API. */
  readonly ownership: Pick<Ownership, 'hostOf' | 'hosts'>;
}

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
    /** Fields of the body that were null, as they are without being given. */
    unset: Values;
  }
  interface FastifyContextConfig {
    /** The key of the body, and the fields in it. */
    body?: { readonly key: string; readonly fields: Fields };
    /** Anyone may ask. */
    open?: boolean;
  }
}

/** A request may be this long: a batch of members. Bytes. */
const BODY_BYTES_MAX = 4 * 1024 * 1024;

export async function createApi(options: ApiOptions): Promise<FastifyInstance> {
  const app = Fastify({
    bodyLimit: BODY_BYTES_MAX,
    forceCloseConnections: true,
    genReqId: () => `req-${randomUUID()}`,
    rewriteUrl: ({ url }) => plainPath(url ?? '/'),
    routerOptions: { ignoreTrailingSlash: true },
    // Bodies are as coerce made them: nothing is converted, left out or added behind our back.
    ajv: {
      customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, verbose: true, strict: false },
    },
    schemaErrorFormatter: errors => Object.assign(new Error('schema'), { errors }),
  });
  app.decorateRequest('caller');
  app.decorateRequest('unset');
  await app.register(swagger, { openapi: { info: { title: 'Sluice load balancing', version: VERSION } } });
  textBodies(app);
  hooks(app, options);
  app.setErrorHandler((error: FastifyError, request, reply) => refuse(error, request, reply, options.log));
  app.setNotFoundHandler((request, reply) => {
    refuse(new Refusal(404, 'NotFound', 'The resource could not be found.'), request, reply, options.log);
  });
  for (const prefix of ['/v2.0/lbaas', '/v2/lbaas']) await app.register(octaviaApi, { prefix, api: options });
  await app.register(v1Api, { prefix: '/v2.0/lb', api: options });
  await app.register(neighbours, { api: options });
  await app.register(metricsApi, { api: options });
  app.get('/openapi.json', { config: { open: true }, schema: { hide: true } }, () => app.swagger());
  return app;
}

/** Older clients put `.json` behind a path; an endpoint may have a prefix of its own, as `/load-balancer`. */
function plainPath(url: string): string {
  const [path = '', ...query] = url.split('?');
  const plain = path
    .replace(/^\/(load-balancer|network|networking|identity)(?=\/|$)/, '')
    .replace(/\.json$/, end => (path === '/openapi.json' ? end : ''));
  return [plain === '' ? '/' : plain, ...query].join('?');
}

/** Some requests have a body's type and no body. */
function textBodies(app: FastifyInstance): void {
  app.removeContentTypeParser('application/json');
  app.addContentTypeParser(
    /^(application\/json|text\/plain|application\/octet-stream)/,
    { parseAs: 'string' },
    (_request, text, done) => {
      if (text === '') return done(null, undefined);
      try {
        done(null, JSON.parse(String(text)));
      } catch {
        done(
          badRequest(
            'The server could not comply with the request since it is either malformed or otherwise incorrect.',
          ),
        );
      }
    },
  );
}

function hooks(app: FastifyInstance, { auth, log, fetchContainers }: ApiOptions): void {
  app.addHook('onRequest', async (request, reply) => {
    reply.header('X-Openstack-Request-Id', request.id);
    if (request.routeOptions.config.open === true || request.is404) return;
    const caller = await auth.caller(tokenOf(request)).catch(error => {
      log('error', `${request.method} ${request.url}: ${(error as Error).message}`, { request: request.id });
      throw new Refusal(503, 'ServiceUnavailable', 'The Keystone service is temporarily unavailable.');
    });
    if (caller === null) throw new Refusal(401, 'Unauthorized', 'The request you have made requires authentication.');
    request.caller = caller;
  });
  app.addHook('preValidation', async request => {
    const { body } = request.routeOptions.config;
    request.unset = {};
    const given = body === undefined ? undefined : (request.body as Values | undefined)?.[body.key];
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return;
    const { values, unset } = coerce(body!.fields, given as Values, dialectOf(request));
    request.body = { ...(request.body as Values), [body!.key]: values };
    // A creation without the field is the same; only a change must say it.
    if (request.method === 'PUT') request.unset = unset;
  });
  // When all else about the request is well-formed.
  app.addHook('preHandler', async request => {
    if (request.routeOptions.config.body !== undefined) await fetchContainers(request.body as Json, tokenOf(request));
  });
  app.addHook('onResponse', async (request, reply) => {
    log('info', `${request.method} ${request.url}`, {
      request: request.id,
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      project: request.caller?.projectId,
    });
  });
}

function tokenOf({ headers }: FastifyRequest): string {
  return String(headers['x-auth-token'] ?? '');
}

/** What the body of a request says, nulls included. */
export function valuesOf(request: FastifyRequest): Values {
  const { key } = request.routeOptions.config.body!;
  return { ...(request.body as Record<string, Values>)[key], ...request.unset };
}

/** A change that a request asks for. Who keeps the TLS containers is told which ones the trees have now. */
export async function change<T>(
  request: FastifyRequest,
  { store, subnets, zones, useContainers }: ApiOptions,
  make: (call: Call) => T,
): Promise<T> {
  const { made, uses } = await store.change(draft => ({
    made: make({ draft, now: timestamp(), ...request.caller, subnets, zones }),
    uses: usesOf(store, draft),
  }));
  await useContainers(uses, request.body as Json, tokenOf(request));
  return made;
}

/** In which API's words a refusal is told. The paths of LBaaS v2 and Octavia are the same: there the client says which. */
export function dialectOf(request: FastifyRequest): Dialect {
  const octavia = /^\/v2(\.0)?\/(lbaas|octavia)/.test(request.url);
  const neutron = String(request.headers['user-agent'] ?? '').startsWith('python-neutronclient');
  return octavia && !neutron ? 'octavia' : 'neutron';
}

function refuse(error: FastifyError | Error, request: FastifyRequest, reply: FastifyReply, log: Log): void {
  const { status, type, message } = refusalOf(error, request);
  // What is refused in so many words is no fault of ours.
  if (status >= 500 && !(error instanceof Refusal))
    log('error', `${request.method} ${request.url}: ${error.stack}`, { request: request.id });
  void reply.code(status).send(shape(request, status, type, message));
}

function refusalOf(error: FastifyError | Error, request: FastifyRequest): Refusal {
  if (error instanceof Refusal) return (dialectOf(request) === 'neutron' ? error.inNeutron : null) ?? error;
  const [first] = (error as { errors?: readonly SchemaError[] }).errors ?? [];
  const fields = request.routeOptions.config.body?.fields;
  if (first !== undefined && fields !== undefined) return schemaRefusal(dialectOf(request), first, fields);
  const status = (error as FastifyError).statusCode ?? 500;
  if (status < 500) return new Refusal(status, 'HTTPBadRequest', error.message);
  return new Refusal(
    status,
    'HTTPInternalServerError',
    'The server has either erred or is incapable of performing the requested operation.',
  );
}

function shape(request: FastifyRequest, status: number, type: string, message: string): object {
  if (/^\/(v3|projects)/.test(request.url)) return { error: { code: status, title: type, message } };
  if (dialectOf(request) === 'neutron') return { NeutronError: { type, message, detail: '' } };
  return { faultcode: status < 500 ? 'Client' : 'Server', faultstring: message, debuginfo: null };
}
