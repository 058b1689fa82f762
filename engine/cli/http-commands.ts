/** `httpclient`: a request of the control thread, whose answer is shown as it comes. */
import { readFileSync } from 'node:fs';
import type { ServerTls, TlsFiles } from '../config/tls-model.ts';
import { SYSTEM_AUTHORITIES } from '../config/verifying-files.ts';
import { METHOD_NAMES } from '../http/names.ts';
import { parseIp } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { PRODUCT } from '../stats/info.ts';
import { readAuthorities } from '../tls/bundle.ts';
import type { TlsEnd } from '../tls/end.ts';
import { TlsServer } from '../tls/server.ts';
import { TlsStore } from '../tls/store.ts';
import type { Call, CliEnv, Command, Later, Reply } from './command.ts';
import { HttpExchange } from './http-exchange.ts';
import { err } from './severity.ts';

const NO_START = "Can't start the HTTP client";

/** `http://host:port/path?query`; all else is no URI that we could ask for. */
const URI = /^(https?):\/\/(?:\[([0-9a-f:.]+)\]|([\w.-]+))(?::(\d{1,5}))?(\/[!-~]*|\?[!-~]*)?$/i;
const PORTS: Readonly<Record<string, number>> = { http: 80, https: 443 };

interface Target {
  readonly secure: boolean;
  readonly host: string;
  /** As the Host header has it. */
  readonly authority: string;
  readonly port: number;
  readonly path: string;
}

function targetOf(uri: string): Target | null {
  const [, scheme, ip6, name, port, path = ''] = URI.exec(uri.replace(/#.*/, '')) ?? [];
  if (scheme === undefined) return null;
  const host = ip6 ?? name!;
  const number = port === undefined ? PORTS[scheme.toLowerCase()]! : Number(port);
  if (number > 0xffff) return null;
  const shown = ip6 === undefined ? host : `[${host}]`;
  return {
    secure: scheme.toLowerCase() === 'https',
    ...{ host, port: number },
    authority: port === undefined ? shown : `${shown}:${port}`,
    path: path.startsWith('/') ? path : `/${path}`,
  };
}

function httpclient({ env, args, payload }: Call): Reply {
  const [method, uri] = args;
  if (method === '--htx') return `${NO_START}: there is no HTX representation to show.`;
  if (method === undefined || uri === undefined) return `${NO_START}: not enough parameters.`;
  const number = METHOD_NAMES.indexOf(method);
  const target = targetOf(uri);
  if (number <= 0 || method === 'CONNECT') return `${NO_START}: it has no method '${method}'.`;
  if (target === null) return `${NO_START}: '${uri}' is no http or https URI.`;
  const tls = target.secure ? secureServer(env, target.host) : null;
  if (typeof tls === 'string') return `${NO_START}: ${tls}.`;
  const bytes = requestBytes(method, target, payload);
  return answer(env, target, { tls, method: number, bytes });
}

function requestBytes(method: string, { authority, path }: Target, payload: string | null): Uint8Array {
  const body = payload ?? '';
  const lines = [
    `${method} ${path} HTTP/1.1`,
    `host: ${authority}`,
    'accept: */*',
    `user-agent: ${PRODUCT}`,
    ...(payload === null ? [] : [`content-length: ${Buffer.byteLength(body)}`]),
    'connection: close',
  ];
  return Buffer.from(`${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** First the address, then the answer, piece by piece as the peer takes it. */
function answer(
  env: CliEnv,
  target: Target,
  request: { tls: TlsServer | null; method: number; bytes: Uint8Array },
): Later {
  const { httpclient: settings, tune } = env.model.global;
  let exchange: HttpExchange | null = null;
  let gone = false;
  let waiting: Parameters<Later>[0] | null = null;
  const tell = () => {
    if (waiting === null || exchange === null) return;
    const piece = exchange.take();
    if (piece.length === 0 && !exchange.over) return;
    const done = waiting;
    waiting = null;
    if (piece.length > 0) return done(piece, part);
    done(exchange.error === null ? '' : err(`No answer: ${exchange.error}.`), null);
  };
  const begin = (address: Address | null) => {
    if (gone) return;
    if (address === null) {
      waiting?.(`${NO_START}: '${target.host}' has no address.`, null);
      return;
    }
    const { tls, ...rest } = request;
    const whole = {
      ...{ ...rest, ...settings, address: { ...address, port: target.port } },
      tls: tls === null ? null : endOf(tls),
      ended: () => tls?.free(),
    };
    exchange = new HttpExchange(env, whole, tune.bufsizeBytes, tell);
  };
  const part: Later = done => {
    const first = waiting === null && exchange === null;
    waiting = done;
    if (first) resolve(env, target.host, begin);
    else tell();
    return () => {
      gone = true;
      exchange?.giveUp();
    };
  };
  return part;
}

function resolve({ model, names }: CliEnv, host: string, done: (address: Address | null) => void): void {
  const { resolves, resolvers, prefer } = model.global.httpclient;
  const ip = parseIp(host, 0);
  const section = model.resolvers.findIndex(({ name }) => name === resolvers);
  if (ip !== null || !resolves || section < 0) done(ip);
  else names.lookUp(section, host, prefer, done);
}

const ENDS = new WeakMap<CliEnv, TlsStore>();

/** TLS towards a host, or what is wrong with the authorities. They are read when the first one is asked for. */
function secureServer(env: CliEnv, host: string): TlsServer | string {
  const { caFile, verify } = env.model.global.httpclient;
  let store = ENDS.get(env);
  if (store === undefined) {
    const authorities = verify === 'none' ? [] : authoritiesOf(caFile);
    if (typeof authorities === 'string') return authorities;
    store = new TlsStore({ ...NO_FILES, authorities });
    ENDS.set(env, store);
  }
  const sniName = parseIp(host, 0) === null ? host : null;
  return new TlsServer(store, {
    ...SETTINGS,
    verify,
    caFile: verify === 'none' ? null : caFile,
    sniName,
    verifyHost: host,
  });
}

/** For one connection: no session is kept. */
function endOf(server: TlsServer): TlsEnd {
  return {
    client: true,
    context: () => server.context(),
    prepare: connection => server.prepare(connection, server.settings.sniName ?? ''),
  };
}

function authoritiesOf(name: string): TlsFiles['authorities'] | string {
  for (const path of name === '@system-ca' ? SYSTEM_AUTHORITIES : [name]) {
    let bytes: Uint8Array;
    try {
      bytes = readFileSync(path);
    } catch {
      continue;
    }
    const file = readAuthorities(name, bytes);
    return 'problem' in file ? file.problem : [file];
  }
  return `the authorities of '${name}' cannot be read`;
}

const NO_FILES: TlsFiles = {
  ...{ certificates: [], authorities: [], revocations: [], ticketKeys: [], lists: [] },
  ...{ ticketKey: new Uint8Array(0), sessions: null, keylog: false },
};

const SETTINGS: Omit<ServerTls, 'verify' | 'caFile' | 'sniName' | 'verifyHost'> = {
  ...{ file: 'httpclient', line: 0, minVersion: 'TLSv1.2', maxVersion: 'TLSv1.3' },
  ...{ ciphers: null, ciphersuites: null, curves: null, sigalgs: null, clientSigalgs: null, crlFile: null },
  ...{
    alpn: [],
    tickets: true,
    securityLevel: null,
    certificate: null,
    sni: null,
    sniIsHost: false,
    renegotiate: true,
    reuse: false,
    early: false,
  },
};

export const HTTP_COMMANDS: readonly Command[] = [
  {
    words: 'httpclient',
    usage: '<method> <URI>',
    help: 'launch an HTTP request',
    level: 'admin',
    mode: 'expert',
    run: httpclient,
  },
];
