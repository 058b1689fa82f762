/** Why a connection failed before it was of use: HAProxy's numbers, names and words (manual 7.3.3, fc_err_str). */

const ROWS = [
  [11, 'PRX_EMPTY', 'Connection closed while waiting for PROXY protocol header'],
  [13, 'PRX_TIMEOUT', 'Timeout while waiting for PROXY protocol header'],
  [15, 'PRX_NOT_HDR', 'Received something which does not look like a PROXY protocol header'],
  [24, 'SSL_EMPTY', 'Connection closed during SSL handshake'],
  [25, 'SSL_ABORT', 'Connection error during SSL handshake'],
  [26, 'SSL_TIMEOUT', 'Timeout during SSL handshake'],
  [27, 'SSL_TOO_MANY', 'Too many SSL connections'],
  [30, 'SSL_CA_FAIL', 'SSL client CA chain cannot be verified'],
  [31, 'SSL_CRT_FAIL', 'SSL client certificate not trusted'],
  [34, 'SSL_HANDSHAKE', 'SSL handshake failure'],
] as const;

export type ConnectionErrorName = (typeof ROWS)[number][1];

export interface ConnectionError {
  readonly id: number;
  readonly name: ConnectionErrorName;
  readonly text: string;
}

export const CONNECTION_ERRORS = Object.fromEntries(
  ROWS.map(([id, name, text]) => [name, { id, name, text }]),
) as Readonly<Record<ConnectionErrorName, ConnectionError>>;
