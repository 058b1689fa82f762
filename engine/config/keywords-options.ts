/** `option ...`: switches, and the few options with arguments. Checks' options are in keywords-checks.ts. */

import { parseNetwork } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { Draft, ProxyDraft } from './draft.ts';
import { accepted, type Keyword, supported } from './keyword.ts';
import { FORWARDED } from './keywords-forwarded.ts';
import { newOptions } from './new-drafts.ts';
import type { ForwardHeader, Options } from './proxy-model.ts';

type Switch = { [K in keyof Options]: Options[K] extends boolean | null ? K : never }[keyof Options];

const SWITCHES: readonly (readonly [name: string, where: string, fields: Switch | Switch[], doc: string])[] = [
  ['abortonclose', 'DFLB', 'abortonclose', 'Drops a request whose client has left; on for HTTP backends and TLS.'],
  ['accept-unsafe-violations-in-http-request', 'DFL', 'acceptInvalidRequest', 'Lets some malformed requests through.'],
  [
    'accept-unsafe-violations-in-http-response',
    'DLB',
    'acceptInvalidResponse',
    'Lets some malformed responses through.',
  ],
  [
    'accept-invalid-http-request',
    'DFL',
    'acceptInvalidRequest',
    'Old name of accept-unsafe-violations-in-http-request.',
  ],
  [
    'accept-invalid-http-response',
    'DLB',
    'acceptInvalidResponse',
    'Old name of accept-unsafe-violations-in-http-response.',
  ],
  ['allbackups', 'DLB', 'allbackups', 'Uses all backup servers at once, not only the first.'],
  ['checkcache', 'DLB', 'checkcache', 'Blocks responses whose cookies could be cached.'],
  ['clitcpka', 'DFL', 'clitcpka', 'TCP keep-alive towards clients.'],
  ['contstats', 'DFL', 'contstats', 'Counts bytes while they pass, not at the end of a session.'],
  ['dontlog-normal', 'DFL', 'dontlogNormal', 'Logs only what went wrong.'],
  ['dontlognull', 'DFL', 'dontlognull', 'Does not log connections without data.'],
  ['http-buffer-request', 'DFLB', 'httpBufferRequest', 'Waits for the body before going on.'],
  ['http-drop-request-trailers', 'DB', 'dropRequestTrailers', 'Removes trailers from requests.'],
  ['http-drop-response-trailers', 'DFL', 'dropResponseTrailers', 'Removes trailers from responses.'],
  ['http-ignore-probes', 'DFL', 'httpIgnoreProbes', 'Closes silently on clients that sent nothing.'],
  [
    'http-pretend-keepalive',
    'DLB',
    'httpPretendKeepalive',
    'Hides from the server that its connection will be closed.',
  ],
  ['h1-case-adjust-bogus-client', 'DFL', 'adjustsClientCase', 'Writes header names in the case that clients want.'],
  ['h1-case-adjust-bogus-server', 'DLB', 'adjustsServerCase', 'Writes header names in the case that servers want.'],
  ['http-use-proxy-header', 'DFL', 'httpUseProxyHeader', 'Reads Proxy-Connection instead of Connection.'],
  ['idle-close-on-response', 'DFL', 'idleCloseOnResponse', 'Delays the close of idle clients while stopping.'],
  ['independent-streams', 'DFLB', 'independentStreams', 'A write no longer refreshes the time-out of reads.'],
  ['log-health-checks', 'DLB', 'logHealthChecks', 'Logs changes of check results.'],
  ['log-separate-errors', 'DFL', 'logSeparateErrors', 'Logs failed requests at a higher level.'],
  ['logasap', 'DFL', 'logasap', 'Logs a request when its response starts.'],
  ['nolinger', 'DFLB', 'nolinger', 'Closes with a reset.'],
  ['persist', 'DLB', 'persist', 'Keeps a client on its server even if that is down.'],
  ['prefer-last-server', 'DLB', 'preferLastServer', 'Stays on the server that answered last.'],
  ['socket-stats', 'DFL', 'socketStats', 'Statistics per listening socket.'],
  ['srvtcpka', 'DLB', 'srvtcpka', 'TCP keep-alive towards servers.'],
  ['tcp-smart-accept', 'DFL', 'tcpSmartAccept', 'Saves an ACK when accepting.'],
  ['tcp-smart-connect', 'DLB', 'tcpSmartConnect', 'Saves an ACK when connecting.'],
  ['tcpka', 'DFLB', ['clitcpka', 'srvtcpka'], 'TCP keep-alive towards both sides.'],
];

/** Switches that mean nothing where no HTTP is spoken. */
const HTTP_SWITCHES: readonly string[] = [
  'accept-unsafe-violations-in-http-request',
  'accept-unsafe-violations-in-http-response',
  'checkcache',
  'http-buffer-request',
  'http-drop-request-trailers',
  'http-drop-response-trailers',
  'http-ignore-probes',
  'http-pretend-keepalive',
  'http-use-proxy-header',
  'idle-close-on-response',
  'prefer-last-server',
];

/** Turns off what a TCP proxy cannot do; gives the lines that had asked for it. */
export function dropHttpSwitches({ kind, options }: ProxyDraft): string[] {
  const letters = { defaults: 'D', frontend: 'F', backend: 'B', listen: 'L' } as const;
  const dropped: string[] = [];
  for (const [name, where, fields] of SWITCHES) {
    if (!HTTP_SWITCHES.includes(name)) continue;
    for (const field of [fields].flat()) {
      if (options[field] === true && where.includes(letters[kind])) dropped.push(`option ${name}`);
      switchTo(options, field, 'default');
    }
  }
  return dropped;
}

/** Two switches in one: HAProxy takes no `no` and no `default` before it. */
const WITHOUT_PREFIX = ['option tcpka'];

/** The lines of an option without arguments. */
function bareLines(name: string): Pick<Keyword<ProxyDraft>, 'good' | 'bad' | 'negatable'> {
  const negatable = !WITHOUT_PREFIX.includes(name);
  return {
    negatable,
    good: negatable ? [name, `no ${name}`, `default ${name}`] : [name],
    bad: [[`${name} foo`, `'${name}' cannot handle unexpected argument 'foo'`]],
  };
}

function switchTo<K extends Switch>(options: Draft<Options>, field: K, prefix: string): void {
  options[field] = (prefix === 'default' ? newOptions()[field] : prefix === '') as Options[K];
}

function toggle([short, where, fields, doc]: (typeof SWITCHES)[number]): Keyword<ProxyDraft> {
  const name = `option ${short}`;
  return supported({
    ...{ name, where, doc, args: '' },
    parse(_cursor, proxy, { prefix }) {
      for (const field of [fields].flat()) switchTo(proxy.options, field, prefix);
    },
    ...bareLines(name),
  });
}

const CONNECTION_MODES: readonly (readonly [string, Options['http'], string])[] = [
  ['option http-keep-alive', 'keep-alive', 'Keeps both connections of an HTTP exchange open.'],
  ['option http-server-close', 'server-close', "Closes the server's connection after each response."],
  ['option httpclose', 'close', 'Closes both connections after each response.'],
];

function connectionMode([name, mode, doc]: (typeof CONNECTION_MODES)[number]): Keyword<ProxyDraft> {
  return supported({
    ...{ name, doc, where: 'DFLB', args: '' },
    parse(_cursor, { options }, { prefix }) {
      if (prefix === '') options.http = mode;
      else if (options.http === mode) options.http = newOptions().http;
    },
    ...bareLines(name),
  });
}

type LogStyle = NonNullable<ProxyDraft['logStyle']>;

function logStyle(short: string, style: LogStyle, clf: LogStyle | null, doc: string): Keyword<ProxyDraft> {
  const name = `option ${short}`;
  return supported({
    ...{ name, where: 'DFL', doc, args: clf === null ? '' : '[<clf>]' },
    parse(cursor, proxy) {
      const word = clf === null ? null : cursor.next();
      if (word !== null && word.text !== 'clf') {
        return cursor.error(`keyword '${short}' only supports option 'clf'`, undefined, word);
      }
      proxy.logStyle = word === null ? style : clf;
      proxy.logFormat = null;
    },
    good: clf === null ? [name] : [name, `${name} clf`],
    bad: [
      clf === null
        ? [`${name} foo`, `'${name}' cannot handle unexpected argument 'foo'`]
        : [`${name} foo`, `keyword '${short}' only supports option 'clf'`],
    ],
  });
}

function redispatch(cursor: Cursor, proxy: ProxyDraft, prefix: string): void {
  const interval = cursor.left === 0 ? -1 : cursor.expectInt('option redispatch', { min: -0x8000_0000 });
  if (interval === null) return;
  proxy.redispatch = prefix === '' ? interval : 0;
}

/** `option forwardfor` and `option originalto`: who adds which header, and for whom not. */
function addressHeader(
  name: string,
  header: string,
  field: 'forwardFor' | 'originalTo',
  doc: string,
): Keyword<ProxyDraft> {
  const words = field === 'forwardFor' ? ['except', 'header', 'if-none'] : ['except', 'header'];
  const only = `'${name}' only supports optional values: ${listOf(words)}`;
  return supported({
    ...{ name, doc, where: 'DFLB', args: `[except <network>] [header <name>]${words[2] ? ' [if-none]' : ''}` },
    parse(cursor, proxy) {
      const made: Draft<ForwardHeader> = { header: header.toLowerCase(), except: [], ifNone: false };
      for (let word = cursor.next(); word !== null; word = cursor.next()) {
        if (!words.includes(word.text)) return cursor.error(only, undefined, word);
        if (word.text === 'if-none') made.ifNone = true;
        else if (!headerArgument(cursor, name, word.text, made)) return;
      }
      proxy[field] = made;
    },
    good: [name, `${name} except 127.0.0.0/8`, `${name} header X-Client`],
    bad: [
      [`${name} foo`, only],
      [`${name} header`, `'${name} header' expects <header_name> as argument`],
      [`${name} except`, `'${name} except' expects <address>[/mask] as argument`],
    ],
  });
}

function headerArgument(cursor: Cursor, name: string, what: string, made: Draft<ForwardHeader>): boolean {
  const word = cursor.next();
  if (what === 'header') {
    if (word === null) cursor.error(`'${name} header' expects <header_name> as argument`);
    else made.header = word.text.toLowerCase();
    return word !== null;
  }
  const network = word === null ? null : parseNetwork(word.text);
  if (network === null) cursor.error(`'${name} except' expects <address>[/mask] as argument`);
  else if ('error' in network) cursor.error(`'${name} except': ${network.error}`);
  else {
    const { address, prefixBits } = network.value;
    made.except.push({ address: { ...address }, prefixBits });
    return true;
  }
  return false;
}

/** `'a', 'b' and 'c'`. */
function listOf(words: readonly string[]): string {
  const quoted = words.map(word => `'${word}'`);
  return `${quoted.slice(0, -1).join(', ')} and ${quoted.at(-1)}`;
}

const SPLICE = 'the kernel decides how bytes move';

export const OPTION: readonly Keyword<ProxyDraft>[] = [
  ...SWITCHES.map(toggle),
  ...CONNECTION_MODES.map(connectionMode),
  logStyle('httplog', 'http', 'http-clf', 'Log lines of HTTP requests.'),
  logStyle('httpslog', 'https', null, 'Log lines of HTTP requests with their TLS details.'),
  logStyle('tcplog', 'tcp', 'tcp-clf', 'Log lines of TCP sessions.'),
  supported({
    name: 'option redispatch',
    where: 'DLB',
    args: '[<interval>]',
    doc: 'Lets a retry go to another server.',
    negatable: true,
    parse: (cursor, proxy, { prefix }) => redispatch(cursor, proxy, prefix),
    good: ['option redispatch', 'option redispatch 2', 'option redispatch -1', 'no option redispatch'],
    bad: [
      ['option redispatch x', "'option redispatch' expects an integer of at least -2147483648, not 'x'"],
      ['option redispatch 1 2', "'option redispatch' cannot handle unexpected argument '2'"],
    ],
  }),
  supported({
    name: 'option http-restrict-req-hdr-names',
    where: 'DFLB',
    args: '<preserve|delete|reject>',
    doc: 'What to do with request headers of unusual names.',
    parse(cursor, proxy) {
      const policy = cursor.expectOneOf('option http-restrict-req-hdr-names', ['preserve', 'delete', 'reject']);
      if (policy !== null) proxy.options.restrictReqHdrNames = policy;
    },
    good: ['option http-restrict-req-hdr-names reject'],
    bad: [
      [
        'option http-restrict-req-hdr-names foo',
        "'option http-restrict-req-hdr-names' expects 'preserve', 'delete' or 'reject', not 'foo'",
      ],
    ],
  }),
  FORWARDED,
  addressHeader('option forwardfor', 'X-Forwarded-For', 'forwardFor', "Tells the server the client's address."),
  addressHeader('option originalto', 'X-Original-To', 'originalTo', 'Tells the server which address the client asked.'),
  accepted(
    'option http-no-delay',
    'DFLB',
    '',
    'Forwards HTTP data without waiting for more.',
    'data never waits for more',
  ),
  accepted('option splice-auto', 'DFLB', '', 'Kernel splicing when it helps.', SPLICE),
  accepted('option splice-request', 'DFLB', '', 'Kernel splicing of requests.', SPLICE),
  accepted('option splice-response', 'DFLB', '', 'Kernel splicing of responses.', SPLICE),
  accepted('option disable-h2-upgrade', 'DFL', '', 'No HTTP/2 on plain connections.', 'only HTTP/1 is spoken'),
  accepted(
    'option use-small-buffers',
    'DLB',
    '[<queue|l7-retries|check>] [<queue|l7-retries|check>] [<queue|l7-retries|check>]',
    'Small buffers for waiting requests.',
    'buffers have the size they need',
  ),
];
