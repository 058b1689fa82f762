/**
 * Where expressions are evaluated, and what can be seen from there: a fetch names the source that it looks at, a source
 * the points at which it is there (manual 7.3.3 to 7.3.6). HAProxy's names of both, which its messages use.
 */

/** The points in the order in which a stream passes them. */
const POINT_NAMES = {
  connection: 'frontend tcp-request connection rule',
  session: 'frontend tcp-request session rule',
  frontContent: 'frontend tcp-request content rule',
  frontRequest: 'frontend http-request header rule',
  setBackend: 'frontend use-backend rule',
  backContent: 'backend tcp-request content rule',
  backRequest: 'backend http-request header rule',
  setServer: 'backend use-server, balance or stick-match rule',
  connect: 'server source selection',
  backResponseContent: 'backend tcp-response content rule',
  backResponse: 'backend http-response header rule',
  store: 'backend stick-store rule',
  frontResponseContent: 'frontend tcp-response content rule',
  frontResponse: 'frontend http-response header rule',
  log: 'logs',
  check: 'backend tcp-check rule',
  config: 'configuration parser',
  cli: 'CLI parser',
} as const;

export type Point = keyof typeof POINT_NAMES;

/** In the order in which a stream passes them. */
export const POINTS = Object.keys(POINT_NAMES) as readonly Point[];

export function pointName(point: Point): string {
  return POINT_NAMES[point];
}

/** All points of a stream from one to another. */
function span(from: Point, to: Point): readonly Point[] {
  return POINTS.slice(POINTS.indexOf(from), POINTS.indexOf(to) + 1);
}

const REQUEST = span('frontContent', 'connect');
const RESPONSE = span('backResponseContent', 'frontResponse');
/** What looks at requests in rules of requests, at responses in those of responses. */
const EITHER = [...REQUEST, ...RESPONSE];

/** [HAProxy's name of the source, the points that see it]. */
const SOURCES = {
  /** What depends on nothing that is yet to come. */
  constant: ['constants', POINTS],
  internal: ['internal state', POINTS.filter(point => point !== 'config')],
  listener: ['listener', span('connection', 'log')],
  frontend: ['frontend', span('connection', 'log')],
  client: ['client address', span('connection', 'log')],
  clientSession: ['client-side connection', span('session', 'log')],
  requestBuffer: ['request buffer', REQUEST],
  requestHeaders: ['HTTP request headers', REQUEST],
  request: ['HTTP request', span('frontContent', 'log')],
  eitherBuffer: ['request buffer', EITHER],
  eitherHeaders: ['HTTP request headers', EITHER],
  requestBody: ['HTTP request body', REQUEST],
  backend: ['backend', [...span('backContent', 'log'), 'check']],
  server: ['server', [...span('connect', 'log'), 'check']],
  serverAddress: ['server address', [...span('connect', 'log'), 'check']],
  serverSession: ['server-side connection', [...span('backResponseContent', 'log'), 'check']],
  /** What is asked of a server in rules of requests as well, where it is not there yet. */
  eitherSession: ['client-side connection', [...span('session', 'log'), 'check']],
  responseBuffer: ['response buffer', [...RESPONSE, 'check']],
  responseHeaders: ['HTTP response headers', [...RESPONSE, 'check']],
  response: ['HTTP response', [...RESPONSE, 'log', 'check']],
  responseBody: ['HTTP response body', [...RESPONSE, 'check']],
  requestEnd: ['request buffer statistics', [...RESPONSE, 'log']],
  responseEnd: ['response buffer statistics', ['log']],
  transactionEnd: ['transaction statistics', ['log']],
  sessionEnd: ['session statistics', ['log']],
} as const satisfies Readonly<Record<string, readonly [string, readonly Point[]]>>;

export type Source = keyof typeof SOURCES;

export function sourceName(source: Source): string {
  return SOURCES[source][0];
}

const BYTES: readonly Source[] = ['requestBuffer', 'eitherBuffer', 'responseBuffer'];

/** It is the bytes as they came: where HTTP is spoken nothing is found there. */
export function isBytes(source: Source): boolean {
  return BYTES.includes(source);
}

export function isSeen(source: Source, point: Point): boolean {
  return (SOURCES[source][1] as readonly Point[]).includes(point);
}
