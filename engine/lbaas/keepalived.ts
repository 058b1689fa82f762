/**
 * What keepalived is told: one virtual router per host, which holds the addresses of all load balancers that the host runs. They
 * leave it when the host may no longer run them: then another one does.
 */
import { createHash } from 'node:crypto';

export interface VirtualRouter {
  readonly device: string;
  /** 1 to 255: of this host alone on its network. */
  readonly id: number;
  /** Path of a program that fails when the addresses must go; null = they stay whatever happens. */
  readonly lease: string | null;
}

const IDS = 255;

/** Hosts have different numbers; where two names have the same by chance, they must be told. */
export function routerIdOf(host: string): number {
  return (createHash('sha1').update(host).digest()[0]! % IDS) + 1;
}

const block = (head: string, lines: readonly string[]): string[] => [
  `${head} {`,
  ...lines.map(line => `  ${line}`),
  '}',
];

/** A file for keepalived's `include`. VRRP tells of the first address only, the others go with it: any number of them may. */
export function keepalivedText({ device, id, lease }: VirtualRouter, addresses: readonly string[]): string {
  const [first, ...others] = addresses.map(ip => `${ip}/${ip.includes(':') ? 128 : 32} dev ${device}`);
  const head = '# Written by sluice lbaas, and again at each change.';
  if (first === undefined) return `${head}\n`;
  const script = ['interval 1', 'timeout 2', 'fall 1', 'rise 1'];
  return [
    head,
    ...(lease === null ? [] : block('vrrp_script sluice_lease', [`script "${lease}"`, ...script])),
    ...block('vrrp_instance sluice', [
      ...[
        'state BACKUP',
        `interface ${device}`,
        `virtual_router_id ${id}`,
        'version 3',
        'advert_int 0.3',
        'priority 100',
      ],
      ...block('virtual_ipaddress', [first]),
      ...(others.length === 0 ? [] : block('virtual_ipaddress_excluded', others)),
      ...(lease === null ? [] : block('track_script', ['sluice_lease'])),
    ]),
    '',
  ].join('\n');
}

/**
 * A program that fails when the file has not been touched for so long.
 * @param seconds whole
 */
export function leaseScript(file: string, seconds: number): string {
  return `#!/bin/sh
# Does the controller of this host keep its lease? Else another host has its load balancers.
touched=$(stat -c %Y '${file}' 2>/dev/null || echo 0)
[ $(($(date +%s) - touched)) -le ${seconds} ]
`;
}
