/** What a process is to do, the same for the trees of all APIs: `deployment.ts` makes it, `configuration.ts` writes it as a haproxy.cfg. */
import type { L7Policy, L7Rule, Listener, ListenerProtocol, MonitorType, Persistence, Pool, Tls } from './items.ts';

export interface Deployment {
  readonly id: string;
  /** For people: names, in comments. */
  readonly title: string;
  readonly addresses: readonly string[];
  readonly fronts: readonly Front[];
  /** What its flavour says: threads that serve traffic, connections at the same time (null = what the machine can). */
  readonly threads: number;
  readonly connectionsMax: number | null;
}

export interface Front {
  readonly id: string;
  readonly name: string;
  readonly protocol: ListenerProtocol;
  readonly port: number;
  /** -1 = unlimited. */
  readonly connectionLimit: number;
  readonly allowedCidrs: readonly string[];
  readonly insertHeaders: Readonly<Record<string, string>>;
  readonly clientMs: number;
  readonly connectMs: number;
  readonly serverMs: number;
  readonly inspectMs: number;
  readonly tls: FrontTls | null;
  readonly policies: readonly Policy[];
  readonly pool: Farm | null;
}

export interface FrontTls extends Tls {
  readonly certificates: readonly string[];
  readonly clientCa: string | null;
  readonly clientAuthentication: Listener['client_authentication'];
  readonly clientCrl: string | null;
}

export interface Policy {
  readonly id: string;
  readonly name: string;
  readonly action: L7Policy['action'];
  readonly pool: Farm | null;
  readonly location: string;
  readonly code: number;
  readonly rules: readonly L7Rule[];
}

export interface Farm {
  readonly id: string;
  readonly name: string;
  readonly protocol: Pool['protocol'];
  readonly algorithm: Pool['lb_algorithm'];
  readonly persistence: Persistence | null;
  /** A member must pass all. */
  readonly monitors: readonly Monitor[];
  readonly members: readonly FarmMember[];
  readonly tls: FarmTls | null;
}

interface FarmTls extends Tls {
  readonly certificate: string | null;
  readonly ca: string | null;
  readonly crl: string | null;
}

export interface Monitor {
  readonly type: MonitorType;
  /** Seconds. */
  readonly delay: number;
  readonly timeout: number;
  readonly rise: number;
  readonly fall: number;
  readonly method: string;
  readonly path: string;
  readonly codes: string;
  readonly version: number | null;
  readonly domain: string | null;
}

export interface FarmMember {
  readonly id: string;
  readonly name: string;
  readonly enabled: boolean;
  readonly address: string;
  readonly port: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly monitorAddress: string | null;
  readonly monitorPort: number | null;
}
