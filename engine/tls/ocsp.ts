/** Answers of authorities about certificates (RFC 6960): what can be stapled, and what it says. */
import type { Problem } from './bundle.ts';
import { printed } from './names.ts';
import { certificateOf } from './objects.ts';
import { openssl, PARTIAL_CHAIN, pointerTo, TRUST_OTHER } from './openssl.ts';

/** A response that can be stapled. */
interface OcspResponse {
  readonly der: Uint8Array;
  /** The CertID of its certificate, in hexadecimal. */
  readonly id: string;
  /** Until when it is good. Milliseconds since the epoch. */
  readonly nextUpdateMs: number;
}

/** OCSP_RESPONSE_STATUS_SUCCESSFUL, V_OCSP_CERTSTATUS_UNKNOWN (openssl/ocsp.h). */
const SUCCESSFUL = 0;
const UNKNOWN = 2;

/** How far clocks may differ. Seconds. */
const SKEW = 300n;

/** Results of calls that write through pointers. */
const results = new BigUint64Array(2);
const resultsAt = pointerTo(results.buffer);

function parsed(der: Uint8Array): bigint {
  results[0] = pointerTo(der);
  const response = openssl.d2i_OCSP_RESPONSE(0n, resultsAt, BigInt(der.length));
  openssl.ERR_clear_error();
  return response;
}

/** A response is good for one certificate, and until a time that it tells. */
export function readResponse(der: Uint8Array): OcspResponse | Problem {
  const response = parsed(der);
  if (response === 0n) return { problem: 'Unable to parse OCSP response' };
  const basic = openssl.OCSP_response_status(response) === SUCCESSFUL ? openssl.OCSP_response_get1_basic(response) : 0n;
  const result = basic === 0n ? { problem: 'OCSP response status not successful' } : readBasic(basic, der);
  if (basic !== 0n) openssl.OCSP_BASICRESP_free(basic);
  openssl.OCSP_RESPONSE_free(response);
  openssl.ERR_clear_error();
  return result;
}

function readBasic(basic: bigint, der: Uint8Array): OcspResponse | Problem {
  const count = openssl.OCSP_resp_count(basic);
  if (count !== 1) return { problem: `OCSP response ignored because contains multiple single responses (${count})` };
  const single = openssl.OCSP_resp_get0(basic, 0);
  const status = openssl.OCSP_single_get0_status(single, 0n, 0n, resultsAt, resultsAt + 8n);
  const [thisUpdate, nextUpdate] = results;
  if (status < 0 || status === UNKNOWN) return { problem: 'OCSP single response: certificate status is unknown' };
  if (nextUpdate === 0n) return { problem: 'OCSP single response: missing nextupdate' };
  if (openssl.OCSP_check_validity(thisUpdate!, nextUpdate!, SKEW, -1n) !== 1) {
    return { problem: 'OCSP single response: no longer valid' };
  }
  return { der, id: idOf(openssl.OCSP_SINGLERESP_get0_id(single)), nextUpdateMs: timeAt(nextUpdate!) };
}

/** struct tm: seconds, minutes, hours, day, month from 0, years since 1900 ... */
const parts = new Int32Array(16);
const partsAt = pointerTo(parts.buffer);

function timeAt(asn1: bigint): number {
  openssl.ASN1_TIME_to_tm(asn1, partsAt);
  const [seconds, minutes, hours, day, month, years] = parts;
  return Date.UTC(1900 + years!, month!, day!, hours!, minutes!, seconds!);
}

/** Whether a response is signed by one of `authorities` (DER: the issuer, its own issuers), or by whom it has given that to. */
export function isSigned(der: Uint8Array, authorities: readonly Uint8Array[]): boolean {
  const response = parsed(der);
  const basic = response === 0n ? 0n : openssl.OCSP_response_get1_basic(response);
  const store = openssl.X509_STORE_new();
  const stack = openssl.OPENSSL_sk_new_null();
  const certificates = authorities.map(certificateOf);
  for (const x509 of certificates) {
    openssl.X509_STORE_add_cert(store, x509);
    openssl.OPENSSL_sk_push(stack, x509);
  }
  openssl.X509_STORE_set_flags(store, PARTIAL_CHAIN);
  const good = basic !== 0n && openssl.OCSP_basic_verify(basic, stack, store, TRUST_OTHER) === 1;
  openssl.OPENSSL_sk_free(stack);
  openssl.X509_STORE_free(store);
  for (const x509 of certificates) openssl.X509_free(x509);
  if (basic !== 0n) openssl.OCSP_BASICRESP_free(basic);
  if (response !== 0n) openssl.OCSP_RESPONSE_free(response);
  openssl.ERR_clear_error();
  return good;
}

function idOf(certificateId: bigint): string {
  const id = Buffer.alloc(openssl.i2d_OCSP_CERTID(certificateId, 0n));
  results[0] = pointerTo(id);
  openssl.i2d_OCSP_CERTID(certificateId, resultsAt);
  return id.toString('hex');
}

/** As `openssl ocsp -resp_text` prints it; '' = it is none. */
export function responseText(der: Uint8Array): string {
  const response = parsed(der);
  if (response === 0n) return '';
  const text = printed(bio => openssl.OCSP_RESPONSE_print(bio, response, 0n));
  openssl.OCSP_RESPONSE_free(response);
  return Buffer.from(text).toString('latin1');
}
