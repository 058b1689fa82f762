/** What may go wrong with a connection, by HAProxy's number: its name and its message (manual 7.3.3, fc_err_str). */
import { constants } from 'node:os';
import type { TlsConnection } from '../tls/connection.ts';
import { sentName } from '../tls/facts.ts';

interface ConnectionError {
  readonly name: string;
  readonly message: string;
}

const row = (name: string, message: string): ConnectionError => ({ name, message });
/** What the system said. */
const system = (name: string): ConnectionError => row(name, `${name} returned by OS`);

/** A place in the list is the number; those that cannot happen here are in it for that. */
export const CONNECTION_ERRORS: readonly ConnectionError[] = [
  row('', 'Success'),
  row('CONF_FDLIM', 'Reached configured maxconn value'),
  row('PROC_FDLIM', 'Too many sockets on the process'),
  row('SYS_FDLIM', 'Too many sockets on the system'),
  row('SYS_MEMLIM', 'Out of system buffers'),
  row('NOPROTO', 'Protocol or address family not supported'),
  row('SOCK_ERR', 'General socket error'),
  row('PORT_RANGE', 'Source port range exhausted'),
  row('CANT_BIND', "Can't bind to source address"),
  row('FREE_PORTS', 'Out of local source ports on the system'),
  row('ADDR_INUSE', 'Local source address already in use'),
  row('PRX_EMPTY', 'Connection closed while waiting for PROXY protocol header'),
  row('PRX_ABORT', 'Connection error while waiting for PROXY protocol header'),
  row('PRX_TIMEOUT', 'Timeout while waiting for PROXY protocol header'),
  row('PRX_TRUNCATED', 'Truncated PROXY protocol header received'),
  row('PRX_NOT_HDR', 'Received something which does not look like a PROXY protocol header'),
  row('PRX_BAD_HDR', 'Received an invalid PROXY protocol header'),
  row('PRX_BAD_PROTO', 'Received an unhandled protocol in the PROXY protocol header'),
  row('CIP_EMPTY', 'Connection closed while waiting for NetScaler Client IP header'),
  row('CIP_ABORT', 'Connection error while waiting for NetScaler Client IP header'),
  row('CIP_TIMEOUT', 'Timeout while waiting for a NetScaler Client IP header'),
  row('CIP_TRUNCATED', 'Truncated NetScaler Client IP header received'),
  row('CIP_BAD_MAGIC', 'Received an invalid NetScaler Client IP magic number'),
  row('CIP_BAD_PROTO', 'Received an unhandled protocol in the NetScaler Client IP header'),
  row('SSL_EMPTY', 'Connection closed during SSL handshake'),
  row('SSL_ABORT', 'Connection error during SSL handshake'),
  row('SSL_TIMEOUT', 'Timeout during SSL handshake'),
  row('SSL_TOO_MANY', 'Too many SSL connections'),
  row('SSL_NO_MEM', 'Out of memory when initializing an SSL connection'),
  row('SSL_RENEG', 'Rejected a client-initiated SSL renegotiation attempt'),
  row('SSL_CA_FAIL', 'SSL client CA chain cannot be verified'),
  row('SSL_CRT_FAIL', 'SSL client certificate not trusted'),
  row('SSL_MISMATCH', 'Server presented an SSL certificate different from the configured one'),
  row('SSL_MISMATCH_SNI', 'Server presented an SSL certificate different from the expected one'),
  row('SSL_HANDSHAKE', 'SSL handshake failure'),
  row('SSL_HANDSHAKE_HB', 'SSL handshake failure after heartbeat'),
  row('SSL_KILLED_HB', 'Stopped a TLSv1 heartbeat attack (CVE-2014-0160)'),
  row('SSL_NO_TARGET', 'Attempt to use SSL on an unknown target (internal error)'),
  row('SSL_EARLY_FAILED', 'Server refused early data'),
  row('SOCKS4_SEND', 'SOCKS4 Proxy write error during handshake'),
  row('SOCKS4_RECV', 'SOCKS4 Proxy read error during handshake'),
  row('SOCKS4_DENY', 'SOCKS4 Proxy deny the request'),
  row('SOCKS4_ABORT', 'SOCKS4 Proxy handshake aborted by server'),
  row('SSL_FATAL', 'SSL fatal error'),
  row('REVERSE', 'Reverse connect failure'),
  row('POLLERR', 'Poller reported POLLERR'),
  row('EREFUSED', 'ECONNREFUSED returned by OS'),
  row('ERESET', 'ECONNRESET returned by OS'),
  row('EUNREACH', 'ENETUNREACH returned by OS'),
  ...['ENOMEM', 'EBADF', 'EFAULT', 'EINVAL', 'ENCONN', 'ENSOCK', 'ENOBUFS', 'EPIPE'].map(system),
];

/** The number of a name of the list. */
export const numberOf = (name: string): number => CONNECTION_ERRORS.findIndex(error => error.name === name);
const SOCK_ERR = numberOf('SOCK_ERR');

/** Which of them an errno is; what has no row is a general socket error. */
const BY_ERRNO: ReadonlyMap<number, number> = new Map([
  [0, 0],
  [constants.errno.ERANGE, numberOf('PORT_RANGE')],
  [constants.errno.EADDRNOTAVAIL, numberOf('FREE_PORTS')],
  [constants.errno.EADDRINUSE, numberOf('ADDR_INUSE')],
  [constants.errno.ECONNREFUSED, numberOf('EREFUSED')],
  [constants.errno.ECONNRESET, numberOf('ERESET')],
  [constants.errno.ENETUNREACH, numberOf('EUNREACH')],
  [constants.errno.ENOMEM, numberOf('ENOMEM')],
  [constants.errno.EBADF, numberOf('EBADF')],
  [constants.errno.EINVAL, numberOf('EINVAL')],
  [constants.errno.ENOTCONN, numberOf('ENCONN')],
  [constants.errno.ENOTSOCK, numberOf('ENSOCK')],
  [constants.errno.ENOBUFS, numberOf('ENOBUFS')],
  [constants.errno.EPIPE, numberOf('EPIPE')],
]);

export function errorOfErrno(errno: number): number {
  return BY_ERRNO.get(errno) ?? SOCK_ERR;
}

/** X509_V_ERR_HOSTNAME_MISMATCH. */
const OTHER_NAME = 62;

/** Why a handshake with a server failed. */
export function handshakeError(tls: TlsConnection | null): number {
  if (tls === null || tls.freed || tls.verifyResult() !== OTHER_NAME) return numberOf('SSL_HANDSHAKE');
  return numberOf(sentName(tls) === '' ? 'SSL_MISMATCH' : 'SSL_MISMATCH_SNI');
}
