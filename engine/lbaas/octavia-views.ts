/** Items as the v2 and Octavia APIs show them: with the lists of their children and their operating states. */
import { type Health, NO_COUNTERS, operatingStatus, reason, sum } from './health.ts';
import type { Common, Items, Json, Kind } from './items.ts';
import { FLAVOR, FLAVORPROFILE } from './resources.ts';
import { inTree, type Reader } from './store.ts';

export type View = Readonly<Record<string, Json>>;
/** What is known of the process of a tree. */
export type HealthOf = (root: string) => Health | null;

const ids = (items: readonly { readonly id: string }[]): Json => items.map(({ id }) => ({ id }));

/** What a view has besides the item. */
const MORE: { readonly [K in Kind]?: (reader: Reader, item: Items[K]) => View } = {
  loadbalancer: (reader, item) => ({
    listeners: ids(inTree(reader, item.id, 'listener')),
    pools: ids(inTree(reader, item.id, 'pool')),
  }),
  listener: (reader, item) => ({
    loadbalancers: [{ id: item.root }],
    l7policies: ids(
      inTree(reader, item.root, 'l7policy')
        .filter(p => p.listener_id === item.id)
        .sort((a, b) => a.position - b.position),
    ),
  }),
  pool: (reader, item) => {
    const policies = inTree(reader, item.root, 'l7policy').filter(p => p.redirect_pool_id === item.id);
    const listeners = inTree(reader, item.root, 'listener').filter(
      l => l.default_pool_id === item.id || policies.some(p => p.listener_id === l.id),
    );
    return {
      loadbalancers: [{ id: item.root }],
      listeners: ids(listeners),
      members: ids(inTree(reader, item.root, 'member').filter(m => m.pool_id === item.id)),
      healthmonitor_id: inTree(reader, item.root, 'healthmonitor').find(m => m.pool_id === item.id)?.id ?? null,
    };
  },
  healthmonitor: (_reader, item) => ({ pools: [{ id: item.pool_id }] }),
  l7policy: (reader, item) => ({
    rules: ids(inTree(reader, item.root, 'l7rule').filter(r => r.l7policy_id === item.id)),
  }),
};

/** Fields that only serve us. */
const HIDDEN = new Set(['root']);

export function view<K extends Kind>(reader: Reader, kind: K, item: Items[K], healthOf: HealthOf): View {
  const common = item as Common;
  const shown = Object.fromEntries(Object.entries(item).filter(([name]) => !HIDDEN.has(name)));
  if (kind === FLAVOR.kind || kind === FLAVORPROFILE.kind) return flavorView(kind, shown as View);
  return {
    ...(shown as View),
    tenant_id: item.project_id,
    operating_status: operatingStatus(reader, kind, common, healthOf(common.root)),
    status_description: reason(reader, kind, common, healthOf(common.root)),
    ...MORE[kind]?.(reader, item),
  };
}

/** A load balancer with all that is below it: what its creation answers. */
export function graphView(reader: Reader, id: string, healthOf: HealthOf): View {
  const views = <K extends Kind>(
    kind: K,
    accept: (item: Items[K]) => boolean,
    more: (item: Items[K]) => View = () => ({}),
  ) =>
    inTree(reader, id, kind)
      .filter(accept)
      .map(item => ({ ...view(reader, kind, item, healthOf), ...more(item) }));
  return {
    ...view(reader, 'loadbalancer', reader.get('loadbalancer', id)!, healthOf),
    listeners: views(
      'listener',
      () => true,
      listener => ({
        l7policies: views(
          'l7policy',
          p => p.listener_id === listener.id,
          policy => ({
            rules: views('l7rule', rule => rule.l7policy_id === policy.id),
          }),
        ),
      }),
    ),
    pools: views(
      'pool',
      () => true,
      pool => ({
        members: views('member', m => m.pool_id === pool.id),
        healthmonitor: views('healthmonitor', m => m.pool_id === pool.id)[0] ?? null,
      }),
    ),
  };
}

function flavorView(kind: Kind, shown: View): View {
  const names = Object.keys((kind === 'flavor' ? FLAVOR : FLAVORPROFILE).fields);
  return Object.fromEntries(['id', ...names].map(name => [name, shown[name] ?? null]));
}

/** `stats`: of a load balancer those of all its listeners. */
export function stats(reader: Reader, kind: 'loadbalancer' | 'listener', item: Common, healthOf: HealthOf): View {
  const health = healthOf(item.root);
  const listeners = kind === 'listener' ? [item] : inTree(reader, item.id, 'listener');
  return { ...sum(listeners.map(({ id }) => health?.fronts[id] ?? NO_COUNTERS)) };
}

/** The tree of states below a load balancer. */
export function statuses(reader: Reader, id: string, healthOf: HealthOf): View {
  const lb = reader.get('loadbalancer', id)!;
  const node = <K extends Kind>(kind: K, item: Items[K], more: View = {}): View => {
    const { name, provisioning_status } = item;
    const operating_status = operatingStatus(reader, kind, item, healthOf(id));
    return { id: item.id, name, operating_status, provisioning_status, ...more };
  };
  const pools = (accept: (pool: Items['pool']) => boolean): Json =>
    inTree(reader, id, 'pool')
      .filter(accept)
      .map(pool => {
        const monitor = inTree(reader, id, 'healthmonitor').find(m => m.pool_id === pool.id);
        const members = inTree(reader, id, 'member').filter(m => m.pool_id === pool.id);
        return node('pool', pool, {
          members: members.map(m => node('member', m, { address: m.address, protocol_port: m.protocol_port })),
          ...(monitor === undefined
            ? {}
            : {
                healthmonitor: node('healthmonitor', monitor, { type: monitor.type }),
                health_monitor: node('healthmonitor', monitor, { type: monitor.type }),
              }),
        });
      });
  const listeners = inTree(reader, id, 'listener').map(listener => {
    const policies = inTree(reader, id, 'l7policy').filter(p => p.listener_id === listener.id);
    const used = new Set([listener.default_pool_id, ...policies.map(p => p.redirect_pool_id)]);
    return node('listener', listener, {
      pools: pools(pool => used.has(pool.id)),
      l7policies: policies.map(p =>
        node('l7policy', p, {
          action: p.action,
          rules: inTree(reader, id, 'l7rule')
            .filter(r => r.l7policy_id === p.id)
            .map(r => node('l7rule', r, { type: r.type })),
        }),
      ),
    });
  });
  return { loadbalancer: node('loadbalancer', lb, { listeners, pools: pools(() => true) }) };
}
