/** The PROXY header that a check sends first (`check-send-proxy`): proxy-protocol.txt, 2.1 and 2.2. */
import { hostText } from '../io/address.ts';
import type { Conn } from '../io/contract.ts';

/** Version 2, command LOCAL: "the proxy speaks for itself", no addresses. */
const V2_LOCAL = Uint8Array.from([13, 10, 13, 10, 0, 13, 10, 0x51, 0x55, 0x49, 0x54, 10, 0x20, 0, 0, 0]);

export function proxyHeader(version: 1 | 2, conn: Conn): Uint8Array {
  if (version === 2) return V2_LOCAL;
  const from = conn.local();
  const to = conn.peer();
  if (!from || !to || from.family === 1 || to.family !== from.family) return Buffer.from('PROXY UNKNOWN\r\n');
  return Buffer.from(`PROXY TCP${from.family} ${hostText(from)} ${hostText(to)} ${from.port} ${to.port}\r\n`);
}
