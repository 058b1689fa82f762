/** The table of all fetches. */
import { AUTH_FETCHES } from './fetches-auth.ts';
import { BODY_FETCHES } from './fetches-body.ts';
import { CAPTURE_FETCHES } from './fetches-captures.ts';
import { CERTIFICATE_FETCHES } from './fetches-certificate.ts';
import { CONNECTION_FETCHES } from './fetches-connection.ts';
import { COOKIE_FETCHES } from './fetches-cookies.ts';
import { DISTCC_FETCHES } from './fetches-distcc.ts';
import { HEADER_FETCHES } from './fetches-headers.ts';
import { HELLO_FETCHES } from './fetches-hello.ts';
import { INTERNAL_FETCHES } from './fetches-internal.ts';
import { LATER_FETCHES } from './fetches-later.ts';
import { MUX_FETCHES } from './fetches-mux.ts';
import { PAYLOAD_FETCHES } from './fetches-payload.ts';
import { PROXY_HEADER_FETCHES } from './fetches-proxy-header.ts';
import { REQUEST_LINE_FETCHES } from './fetches-request.ts';
import { STICK_FETCHES } from './fetches-stick.ts';
import { STREAM_FETCHES } from './fetches-stream.ts';
import { TLS_FETCHES } from './fetches-tls.ts';
import { VARIABLE_FETCHES } from './fetches-variables.ts';
import { byName, type FetchRow } from './row.ts';

export const FETCHES: ReadonlyMap<string, FetchRow> = byName<FetchRow>([
  INTERNAL_FETCHES,
  VARIABLE_FETCHES,
  CAPTURE_FETCHES,
  CONNECTION_FETCHES,
  STREAM_FETCHES,
  MUX_FETCHES,
  DISTCC_FETCHES,
  PAYLOAD_FETCHES,
  REQUEST_LINE_FETCHES,
  HEADER_FETCHES,
  COOKIE_FETCHES,
  BODY_FETCHES,
  AUTH_FETCHES,
  STICK_FETCHES,
  TLS_FETCHES,
  CERTIFICATE_FETCHES,
  HELLO_FETCHES,
  PROXY_HEADER_FETCHES,
  LATER_FETCHES,
]);
