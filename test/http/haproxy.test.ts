/**
 * Beside HAProxy: each recorded message was sent as raw bytes to HAProxy 2.6; what it answered, and what it sent on, is
 * in haproxy-*.json. Where Sluice judges otherwise, the case is listed here with its reason.
 */
import { describe, expect, test } from 'vitest';
import { BODY_CHUNKED, BODY_UNTIL_CLOSE, Body, DATA, ERROR, responseBody, TRAILERS } from '../../engine/http/body.ts';
import { latin1 } from '../../engine/http/chars.ts';
import {
  clientPersists,
  dropForbiddenLengths,
  dropReceivedPersistence,
  dropUpgradeOfPayload,
  type HttpMode,
  setRequestConnection,
  setResponseConnection,
} from '../../engine/http/hop.ts';
import { errorOf } from '../../engine/http/invalid.ts';
import { METHOD_CONNECT } from '../../engine/http/names.ts';
import { RELAXED, recorded, request, response, verdictOf, written } from './wire.ts';

interface RecordedRequest {
  name: string;
  bytes: string;
  /** HAProxy's answer: 200 when it sent the request on, else its error. 0: it went on in HTTP/2. */
  status: number;
  /** The same with `option accept-invalid-http-request`. */
  relaxed: number;
  toServer: string;
}

/** Accepted by HAProxy 2.6, refused here. */
const STRICTER: Readonly<Record<string, string>> = {
  'bare LF line': 'line-end',
  'all LF': 'line-end',
  'bare LF header': 'line-end',
  'final LF': 'line-end',
  'leading lf': 'line-end',
  'nul value': 'value',
  'ctl value': 'value',
  'del value': 'value',
  'te 1.0': 'transfer-encoding-1.0',
  'te 1.0 ka': 'transfer-encoding-1.0',
  'cl 2^53': 'content-length',
  'host none': 'host-missing',
  'host dup same': 'host-repeated',
  'host bad': 'host',
  'host path': 'host',
  'host userinfo': 'host',
  'host port': 'host',
  'host badport': 'host',
  'host list': 'host',
  'abs no host hdr': 'host-missing',
  'abs empty auth': 'authority',
  'abs empty auth emptyhost': 'authority',
  'abs userinfo': 'authority',
  'abs no scheme': 'target-form',
  'get *': 'target-form',
  'connect badport': 'authority',
  'connect nohost': 'host-missing',
  'two spaces': 'target',
  'two spaces v': 'version',
  'tab sep': 'method',
  '2.0': 'version',
  '0.9v': 'version',
};

/** Sent on by both, with other bytes: HAProxy takes the default port out of a target. */
const OTHER_BYTES = new Set(['abs port80', 'connect hostport']);

describe('requests', () => {
  test.each(recorded<RecordedRequest>('requests'))('$name', ({ name, bytes, status, toServer }) => {
    const { head, verdict, result } = request(bytes);
    const stricter = STRICTER[name];
    if (stricter !== undefined) {
      expect(status).toBe(200);
      expect(verdict).toBe(stricter);
    } else if (status === 200) {
      expect(verdict).toBe('ok');
      dropReceivedPersistence(head);
      dropUpgradeOfPayload(head);
      setRequestConnection(head, true);
      if (!OTHER_BYTES.has(name)) expect(written(head)).toBe(toServer.slice(0, toServer.indexOf('\r\n\r\n') + 4));
    } else if (status === 0) {
      expect(verdict).toBe('http2-preface');
    } else {
      expect(result).toBeLessThan(0);
      // An unknown coding and an empty list element are told apart here, HAProxy answers 422 to both.
      if (name !== 'te ,chunked') expect(errorOf(result).status).toBe(status);
    }
  });

  /** What `option accept-invalid-http-request` lets pass in HAProxy and not here. */
  const STILL_REFUSED = new Set([
    ...['first header fold', 'uri empty', 'two spaces', 'two spaces v', 'tab sep', 'host dup same', 'cl 2^53'],
  ]);

  test.each(recorded<RecordedRequest>('requests'))('relaxed: $name', ({ name, bytes, relaxed }) => {
    const { verdict } = request(bytes, RELAXED);
    if (relaxed === 200 && !STILL_REFUSED.has(name)) expect(verdict).toBe('ok');
    else if (name !== 'ws nokey') expect(verdict).not.toBe('ok');
  });
});

interface RecordedResponse {
  name: string;
  bytes: string;
  status: number;
  toClient: string;
}

describe('responses', () => {
  const stricter: Readonly<Record<string, string>> = {
    'status 2 digits': 'status',
    'status 4': 'status',
    'status 099': 'status',
    'reason ctl': 'reason',
    'two sp': 'status',
    '2.0': 'version',
    lf: 'line-end',
    nul: 'value',
    'leading crlf': 'version',
    'te 1.0': 'transfer-encoding-1.0',
  };
  test.each(recorded<RecordedResponse>('responses'))('$name', ({ name, bytes, status, toClient }) => {
    const { head, verdict } = response(bytes);
    if (name in stricter) {
      expect(verdict).toBe(stricter[name]);
    } else if (status === 502 && name !== '101 nohdr') {
      expect(verdict).not.toBe('ok');
      expect(verdict).not.toBe('more');
    } else {
      expect(verdict).toBe('ok');
      dropForbiddenLengths(head);
      if (status !== 502) expect(written(head)).toBe(toClient.slice(0, toClient.indexOf('\r\n\r\n') + 4));
    }
  });
});

interface RecordedExchange {
  mode: HttpMode;
  request: string;
  response: string;
  toServer: string;
  toClient: string;
  clientClosed: boolean;
}

describe('connection headers by mode', () => {
  const exchanges = recorded<RecordedExchange>('modes');
  test.each(exchanges)('$mode: $request $response', exchange => {
    const { head: req } = request(exchange.request);
    dropReceivedPersistence(req);
    dropUpgradeOfPayload(req);
    expect(setRequestConnection(req, exchange.mode === 'keep-alive')).toBe(true);
    expect(written(req)).toBe(exchange.toServer);

    const interim = exchange.response.startsWith('HTTP/1.1 100') ? exchange.response.indexOf('\r\n\r\n') + 4 : 0;
    const { head: res } = response(exchange.response.slice(interim));
    const untilClose = responseBody(res, req.methodId) === BODY_UNTIL_CLOSE;
    const tunnel = res.status === 101 || (req.methodId === METHOD_CONNECT && res.status < 300);
    const keep = clientPersists(exchange.mode, req) && !untilClose;
    dropReceivedPersistence(res);
    dropForbiddenLengths(res);
    expect(setResponseConnection(res, keep, req.version, req.methodId)).toBe(true);
    expect(written(res)).toBe(exchange.toClient);
    if (!tunnel) expect(keep).toBe(!exchange.clientClosed);
  });
});

describe('chunks', () => {
  const stricter: Readonly<Record<string, string>> = {
    'ext ctl': 'chunk-extension',
    'ext lf': 'chunk-line-end',
    lf: 'chunk-line-end',
    'data lf': 'chunk-end',
    'last lf': 'chunk-line-end',
    'final lf': 'chunk-line-end',
    'trailer lf': 'chunk-line-end',
    'trailer sp colon': 'name-space',
    'trailer nul': 'value',
  };
  test.each(recorded<RecordedRequest>('chunks'))('$name', ({ name, bytes, status }) => {
    const body = new Body();
    body.reset(BODY_CHUNKED, 0);
    const input = latin1(bytes);
    let at = 0;
    do at = body.step(input, at, input.length);
    while (body.event === DATA || body.event === TRAILERS);
    if (body.event === ERROR) expect(verdictOf(body.error)).toBe(stricter[name] ?? verdictOf(body.error));
    expect(body.event === ERROR).toBe(status === 400 || name in stricter);
  });
});
