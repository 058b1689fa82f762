/** Where a new load balancer is: its addresses, its subnet, who provides it. */
import { parseIp } from '../io/address.ts';
import { ipText } from '../io/ip.ts';
import { badRequest, conflict, invalid } from './errors.ts';
import { providerOfFlavor } from './flavors.ts';
import type { Common, Json, LoadBalancer } from './items.ts';
import { allocate, contains, type Subnet, stableId } from './networks.ts';
import { type Call, PROVIDERS, type Values } from './octavia.ts';

/** The address of a new load balancer: the one asked for, or a free one of its subnet. */
export function vipOf(call: Call, values: Values & Common): Partial<LoadBalancer> {
  const { vip_address: address, vip_subnet_id, vip_network_id, vip_port_id, additional_vips } = values;
  const subnet = pickSubnet(call.subnets, vip_subnet_id, vip_network_id, vip_port_id, address);
  const flavored = values.flavor_id == null ? null : providerOfFlavor(call.draft, String(values.flavor_id));
  const provider = String(values.provider ?? flavored ?? 'sluice');
  if (!Object.hasOwn(PROVIDERS, provider)) throw badRequest(`Provider '${provider}' is not enabled.`);
  const zone = values.availability_zone;
  if (zone != null && !call.zones.includes(String(zone)))
    throw invalid(`Invalid availability zone: availability_zone '${zone}' not found.`);
  const taken = new Set<string>();
  const more = (additional_vips as unknown as { subnet_id: string; ip_address?: string }[]).map(asked => {
    const at = pickSubnet(call.subnets, asked.subnet_id, null, null, asked.ip_address);
    const ip_address = takeAddress(call, at, asked.ip_address ?? null, 'additional_vips', taken);
    return { subnet_id: at.id, ip_address };
  });
  return {
    provider,
    vip_subnet_id: subnet.id,
    vip_network_id: subnet.networkId,
    vip_port_id: typeof vip_port_id === 'string' ? vip_port_id : stableId(`port ${values.id}`),
    vip_address: takeAddress(call, subnet, address as string | null, 'vip_address', taken),
    additional_vips: more,
  };
}

function pickSubnet(
  subnets: readonly Subnet[],
  id: Json | undefined,
  network: Json | undefined,
  port: Json | undefined,
  ip: Json | undefined,
): Subnet {
  if (typeof id === 'string') {
    const subnet = subnetOf(subnets, id);
    if (typeof network === 'string' && network !== subnet.networkId)
      throw invalid(`Subnet ${id} is not of network ${network}.`);
    return subnet;
  }
  const fits = (s: Subnet) => typeof ip !== 'string' || contains(s, ip);
  if (typeof network === 'string') {
    const subnet = subnets.find(s => s.networkId === network && fits(s)) ?? null;
    if (subnet === null) throw badRequest(`Network ${network} not found.`);
    return subnet;
  }
  if (typeof port === 'string') {
    const subnet = typeof ip === 'string' ? subnets.find(fits) : subnets[0];
    if (subnet !== undefined) return subnet;
  }
  throw invalid('VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.');
}

/** @throws Refusal when there is none */
export function subnetOf(subnets: readonly Subnet[], id: string): Subnet {
  const subnet = subnets.find(s => s.id === id);
  if (subnet === undefined) throw badRequest(`Subnet ${id} not found.`);
  return subnet;
}

/** Takes `asked`, or the first free address when it is null. */
export function takeAddress(
  call: Call,
  subnet: Subnet,
  asked: string | null,
  field: string,
  taken = new Set<string>(),
): string {
  const vips = call.draft
    .list('loadbalancer')
    .flatMap(lb => [lb.vip_address, ...lb.additional_vips.map(v => v.ip_address)]);
  const used = new Set([...vips, ...call.draft.list('v1vip').map(v => v.address), ...taken]);
  if (asked !== null && !contains(subnet, asked)) {
    throw badRequest(
      `Invalid input for field/attribute ${field}. Value: '${asked}'. It is no address of subnet ${subnet.cidr}`,
    );
  }
  // An IPv6 address can be written in several ways.
  const address = asked === null ? allocate(subnet, ip => used.has(ip)) : ipText(parseIp(asked, 0)!.bytes);
  if (address === null)
    throw conflict(`No more IP addresses available on subnet ${subnet.id}`, 'IpAddressGenerationFailure');
  if (used.has(address))
    throw conflict(`IP address ${address} is already allocated in subnet ${subnet.id}`, 'IpAddressInUse');
  taken.add(address);
  return address;
}
