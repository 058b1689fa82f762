/** What the packets of a connection carry: a mark that the firewall and the routing table see, and the TOS byte. */
import * as native from './native.ts';
import type { SocketSetting } from './socket-settings.ts';

/** Options by kind. A socket takes those of its family, and the system may refuse a mark: nobody is told. */
export const PACKET_MARKS = {
  mark: [native.SO_MARK],
  tos: [native.IP_TOS, native.IPV6_TCLASS],
} as const satisfies Readonly<Record<string, readonly native.SocketOption[]>>;

export type PacketMark = keyof typeof PACKET_MARKS;

/** The largest value of each. */
export const PACKET_MARK_MAX: Readonly<Record<PacketMark, number>> = { mark: 0xffff_ffff, tos: 0xff };

/** No mark of either kind: the one object that says so. */
export const NO_MARKS: Readonly<Record<PacketMark, number>> = { mark: -1, tos: -1 };

/** For a socket that connects; negative = none. */
export function markSettings(marks: Readonly<Record<PacketMark, number>>): SocketSetting[] {
  const kinds: readonly PacketMark[] = ['mark', 'tos'];
  return kinds
    .filter(kind => marks[kind] >= 0)
    .flatMap(kind => PACKET_MARKS[kind].map(option => ({ option, value: () => marks[kind], fatal: false })));
}
