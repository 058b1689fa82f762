/** The little of Neutron's and Keystone's APIs that the clients ask of the same endpoint. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { notFound, Refusal } from '../../../engine/lbaas/errors.ts';
import type { Json } from '../../../engine/lbaas/items.ts';
import { type Subnet, stableId } from '../../../engine/lbaas/networks.ts';
import { type View, view } from '../../../engine/lbaas/octavia-views.ts';
import { viewV1 } from '../../../engine/lbaas/v1-views.ts';
import { wallMs } from '../../../engine/time.ts';
import { DEFAULT_PROJECT } from '../auth.ts';
import { listReply } from './octavia-api.ts';
import type { ApiOptions } from './server.ts';

/** The newest version of Octavia's API whose requests we know. */
const OCTAVIA_MINOR = 26;
const TOKEN_HOURS = 24;

export async function neighbours(app: FastifyInstance, { api }: { api: ApiOptions }): Promise<void> {
  versions(app);
  for (const prefix of ['/v2.0', '/v2']) {
    network(app, prefix, api);
    agents(app, prefix, api);
  }
  app.get('/v2.0/octavia/amphorae', { schema: { hide: true } }, async request => listReply(request, 'amphorae', []));
  identity(app, api);
}

const base = (request: FastifyRequest) => `${request.protocol}://${request.host}`;
const OPEN = { config: { open: true }, schema: { hide: true } };

function versions(app: FastifyInstance): void {
  const all = (request: FastifyRequest) => ({
    versions: Array.from({ length: OCTAVIA_MINOR + 1 }, (_, minor) => ({
      id: `v2.${minor}`,
      status: minor === OCTAVIA_MINOR ? 'CURRENT' : 'SUPPORTED',
      updated: '2022-01-01T00:00:00Z',
      links: [{ rel: 'self', href: `${base(request)}/v2` }],
    })),
  });
  app.get('/', OPEN, async request => all(request));
  app.get('/v2', OPEN, async request => ({ version: all(request).versions.at(-1) }));
  app.get('/v2.0', OPEN, async request => ({ version: all(request).versions[0] }));
}

const subnetView = ({ id, name, cidr, networkId, base: bytes }: Subnet): View => ({
  ...{ id, name, cidr, network_id: networkId, ip_version: bytes.length === 4 ? 4 : 6 },
  ...{ enable_dhcp: false, gateway_ip: null, allocation_pools: [], dns_nameservers: [], host_routes: [] },
  ...{ project_id: DEFAULT_PROJECT, tenant_id: DEFAULT_PROJECT, tags: [], description: '' },
});

const networkView = ({ id, name, networkId }: Subnet): View => ({
  ...{ id: networkId, name, subnets: [id], admin_state_up: true, status: 'ACTIVE', shared: true },
  ...{ project_id: DEFAULT_PROJECT, tenant_id: DEFAULT_PROJECT, tags: [], description: '' },
});

const agentId = (host: string | null) => stableId(`agent ${host}`);

/** The agent that runs a tree. @throws Refusal 404 while nobody does */
export function agentOf({ ownership }: ApiOptions, root: string): View {
  const host = ownership.hostOf(root);
  if (host === null) throw notFound('Agent', `for ${root}`);
  return agentView(host);
}

/** An agent of Neutron: a controller of ours. */
function agentView(host: string): View {
  return {
    id: agentId(host),
    ...{ host, agent_type: 'Loadbalancer agent', binary: 'sluice', topic: 'n-lbaas_agent' },
    ...{ admin_state_up: true, alive: true, configurations: {} },
  };
}

const EXTENSIONS: readonly View[] = [
  ['lbaas', 'LoadBalancing service'],
  ['lbaasv2', 'LoadBalancing service v2'],
  ['lbaas_agent_scheduler', 'Loadbalancer Agent Scheduler'],
  ['l7', 'L7 capabilities for LBaaSv2'],
  ['lb-graph', 'Load Balancer Graph'],
  ['pagination', 'Pagination support'],
  ['sorting', 'Sorting support'],
].map(([alias = '', name = '']) => ({
  alias,
  name,
  description: name,
  updated: '2014-06-18T10:00:00-00:00',
  links: [],
}));

function network(app: FastifyInstance, prefix: string, { store, subnets, ownership }: ApiOptions): void {
  const ports = (): View[] => [
    ...store
      .list('loadbalancer')
      .map(lb => portView(lb.vip_port_id, lb.name, lb.vip_address, lb.vip_subnet_id, lb.vip_network_id)),
    ...store.list('v1vip').map(vip => {
      const subnet = subnets.find(s => s.id === vip.subnet_id);
      return portView(vip.port_id, vip.name, vip.address, vip.subnet_id, subnet?.networkId ?? '');
    }),
  ];
  const lists: readonly [path: string, key: string, title: string, views: () => readonly View[]][] = [
    ['subnets', 'subnet', 'Subnet', () => subnets.map(subnetView)],
    ['networks', 'network', 'Network', () => subnets.map(networkView)],
    ['ports', 'port', 'Port', ports],
    ['agents', 'agent', 'Agent', () => ownership.hosts().map(agentView)],
    ['extensions', 'extension', 'Extension', () => EXTENSIONS],
  ];
  for (const [path, key, title, views] of lists) {
    app.get(`${prefix}/${path}`, { schema: { tags: ['Network'] } }, async request => listReply(request, path, views()));
    app.get(`${prefix}/${path}/:id`, { schema: { tags: ['Network'] } }, async request => {
      const { id } = request.params as { id: string };
      const found = views().find(view => view.id === id || view.alias === id);
      if (found === undefined) throw notFound(title, id);
      return { [key]: found };
    });
  }
}

/** What an agent runs. */
function agents(app: FastifyInstance, prefix: string, { store, ownership, healthOf }: ApiOptions): void {
  const isOn = (request: FastifyRequest) => {
    const { id } = request.params as { id: string };
    if (!ownership.hosts().some(host => agentId(host) === id)) throw notFound('Agent', id);
    return (item: { readonly root: string }) => agentId(ownership.hostOf(item.root)) === id;
  };
  app.get(`${prefix}/agents/:id/loadbalancer-pools`, { schema: { hide: true } }, async request => {
    const pools = store.list('v1pool').filter(isOn(request));
    return { pools: pools.map(pool => viewV1(store, 'v1pool', pool, healthOf)) };
  });
  app.get(`${prefix}/agents/:id/agent-loadbalancers`, { schema: { hide: true } }, async request => {
    const lbs = store.list('loadbalancer').filter(isOn(request));
    return { loadbalancers: lbs.map(lb => view(store, 'loadbalancer', lb, healthOf)) };
  });
}

function portView(id: string, name: string, ip_address: string, subnet_id: string, network_id: string): View {
  const fixed_ips: Json = [{ subnet_id, ip_address }];
  const owner = { device_owner: 'neutron:LOADBALANCER', device_id: '', mac_address: '00:00:00:00:00:00' };
  return {
    id,
    name,
    fixed_ips,
    network_id,
    ...owner,
    admin_state_up: true,
    status: 'ACTIVE',
    tenant_id: DEFAULT_PROJECT,
  };
}

function identity(app: FastifyInstance, { auth }: ApiOptions): void {
  const project = { id: DEFAULT_PROJECT, name: 'admin', domain_id: 'default', enabled: true };
  for (const prefix of ['', '/v3']) {
    app.get(`${prefix}/projects`, { schema: { hide: true } }, async request =>
      listReply(request, 'projects', [project]),
    );
    app.get(`${prefix}/projects/:id`, { schema: { hide: true } }, async request => {
      const { id } = request.params as { id: string };
      if (id !== project.id) throw notFound('Project', id);
      return { project };
    });
  }
  app.get('/v3', OPEN, async request => ({
    version: { id: 'v3.14', status: 'stable', links: [{ rel: 'self', href: `${base(request)}/v3/` }] },
  }));
  app.post('/v3/auth/tokens', OPEN, async (request, reply) => {
    const identity = (request.body as { auth?: { identity?: AuthIdentity } } | undefined)?.auth?.identity;
    const token = auth.login(String(identity?.password?.user?.password ?? identity?.token?.id ?? ''));
    if (token === null) throw new Refusal(401, 'Unauthorized', 'The request you have made requires authentication.');
    return reply
      .code(201)
      .header('X-Subject-Token', token)
      .send(tokenBody(base(request)));
  });
}

interface AuthIdentity {
  readonly password?: { readonly user?: { readonly password?: unknown } };
  readonly token?: { readonly id?: unknown };
}

function tokenBody(url: string): object {
  const domain = { id: 'default', name: 'Default' };
  const services = [
    ['identity', 'keystone', `${url}/v3`],
    ['network', 'neutron', url],
    ['load-balancer', 'octavia', url],
  ];
  const catalog = services.map(([type, name, endpoint]) => ({
    id: stableId(`service ${name}`),
    type,
    name,
    endpoints: [
      {
        id: stableId(`endpoint ${name}`),
        interface: 'public',
        region: 'RegionOne',
        region_id: 'RegionOne',
        url: endpoint,
      },
    ],
  }));
  const iso = (ms: number) => new Date(ms).toISOString();
  const now = wallMs();
  return {
    token: {
      methods: ['password'],
      issued_at: iso(now),
      expires_at: iso(now + TOKEN_HOURS * 3_600_000),
      user: { id: stableId('user admin').replaceAll('-', ''), name: 'admin', domain },
      project: { id: DEFAULT_PROJECT, name: 'admin', domain },
      roles: [{ id: stableId('role admin').replaceAll('-', ''), name: 'admin' }],
      catalog,
    },
  };
}
