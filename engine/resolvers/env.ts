/** What the resolvers work with: the control thread's, or a test's. */
import type { CheckEnv } from '../health/script.ts';
import type { Address } from '../io/contract.ts';
import type { DatagramHandler, Datagrams } from '../io/datagram.ts';

/** Time is `now()` and the wheel, which the caller advances from `io.onTurn`; TCP goes through the io. */
export interface ResolverEnv extends Pick<CheckEnv, 'model' | 'memory' | 'topology' | 'log' | 'now' | 'io' | 'wheel'> {
  openDatagrams(peer: Address, handler: DatagramHandler): Datagrams;
  /** Whether the machine can reach IPv6 addresses (`dns-accept-family auto`). */
  hasIpv6(): boolean;
}
