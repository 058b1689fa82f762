/** Actions that end the evaluation: pass, answer, refuse, close, switch to HTTP; and those that make it wait. */
import type { ProxyDraft } from '../config/draft.ts';
import { authRequired } from '../http/errors.ts';
import { awaitBody, type BodyWait, lateResponseBody, refuseBody } from '../proxy/body-wait.ts';
import { Reply } from '../proxy/reply.ts';
import type { Stream } from '../proxy/stream.ts';
import { isEarly } from '../proxy/tls-handshake.ts';
import type { Standpoint } from '../sample/context.ts';
import { CLIENT_ERROR } from '../stick/tracking.ts';
import { type ActionRow, action, atCondition, CONTINUE, STOP, SWITCH, TARPIT, type Verdict, YIELD } from './action.ts';
import { answerLocally, countDenied, deny, drop, reject } from './answers.ts';
import { compileRedirect, type Redirect, readRedirect } from './redirect.ts';
import { compileReply, type ReplySpec, readReply } from './reply-spec.ts';
import { compileTime, readTime, type Time } from './values.ts';

/** Actions without arguments. */
function bare(name: string, where: string, doc: string, act: ReturnType<ActionRow['compile']>): ActionRow {
  return action<true>({
    ...{ name, where, doc, args: '' },
    read: () => true,
    compile: () => act,
    good: [name],
    bad: [],
  });
}

const REPLY_ARGS =
  '[status <code>] [content-type <type>] [default-errorfiles | errorfile <file> | errorfiles <name> | file <file> | lf-file <file> | string <text> | lf-string <format>] [hdr <name> <format>]*';

const DENY = action<ReplySpec>({
  name: 'deny',
  where: 'QRX',
  args: REPLY_ARGS,
  doc: 'Refuses the request or the response.',
  read: (cursor, rule, context) => readReply(cursor, rule, context, rule.set.name === 'response' ? 502 : 403, true),
  compile(spec, env) {
    const reply = compileReply(spec, env);
    return at => deny(at, reply(at));
  },
  good: ['deny', 'deny deny_status 429', 'deny status 418 content-type text/plain string "no" hdr X-Why rules'],
  bad: [
    ['deny deny_status 999', "'deny_status' expects an integer between 200 and 599 as status, not '999'"],
    ['deny deny_status 418', "status code '418' not handled by error pages"],
    ['deny string x', "a content needs its 'content-type'"],
    ['deny file /nonexistent', "'file': error opening file '/nonexistent'"],
  ],
});

const TARPIT_ROW = action<ReplySpec>({
  name: 'tarpit',
  where: 'Q',
  args: REPLY_ARGS,
  doc: 'Refuses the request after `timeout tarpit`.',
  read: (cursor, rule, context) => readReply(cursor, rule, context, 500, true),
  compile(spec, env) {
    const reply = compileReply(spec, env);
    return at => {
      countDenied(at);
      at.stream!.countTracked(CLIENT_ERROR);
      at.stream!.tarpit = reply(at);
      return TARPIT;
    };
  },
  good: ['tarpit', 'tarpit deny_status 429'],
  bad: [['tarpit status 999', "'status' expects an integer between 200 and 599, not '999'"]],
});

const RETURN = action<ReplySpec>({
  name: 'return',
  where: 'QR',
  args: REPLY_ARGS,
  doc: 'Answers the request.',
  read: (cursor, rule, context) => readReply(cursor, rule, context, 200, false),
  compile(spec, env) {
    const reply = compileReply(spec, env);
    return at => answerLocally(at.stream!, reply(at));
  },
  good: [
    'return',
    'return status 204',
    'return content-type text/plain lf-string "%[src] %%"',
    'return status 503 default-errorfiles',
    'return content-type text/plain file /dev/null',
  ],
  bad: [
    ['return string x file y', "'file' is not possible here: the content of the response is given already"],
    ['return string', "'string' expects a text"],
    ['return lf-string', "'lf-string' expects a format"],
    ['return status 304 content-type text/plain string x', 'No body expected for 304 responses.'],
    ['return hdr x', "'x' expects a format"],
  ],
});

const REDIRECT = action<Redirect>({
  name: 'redirect',
  where: 'QR',
  args: '{ location | prefix | scheme } <to> [code <code>] [options]',
  doc: 'Answers with a redirect.',
  read: readRedirect,
  compile: compileRedirect,
  good: ['redirect location /x code 301', 'redirect location /x set-cookie A=1'],
  bad: [
    ['redirect location', "'location' expects an argument"],
    [
      'redirect location /x code 200',
      "'code': unsupported redirect code '200' (must be one of 301, 302, 303, 307, 308)",
    ],
  ],
});

const AUTH = action<{ readonly realm: string | null; readonly stats: boolean }>({
  name: 'auth',
  where: 'QX',
  args: '[realm <realm>]',
  doc: 'Asks for a user name and a password.',
  read(cursor, rule) {
    const stats = rule.set.name === 'stats';
    if (!cursor.match('realm')) return { realm: null, stats };
    const word = cursor.expectWord('realm');
    return word === null ? null : { realm: word.text, stats };
  },
  compile({ realm, stats }, env) {
    const proxy = env.worker.model.proxies[env.proxy]!;
    const name = realm ?? (stats && proxy.stats !== null ? proxy.stats.realm : proxy.name);
    const origin = new Reply(authRequired(401, name));
    const toProxy = new Reply(authRequired(407, name));
    return at => {
      at.stream!.countTracked(CLIENT_ERROR);
      return answerLocally(at.stream!, isForProxy(at.stream!) ? toProxy : origin);
    };
  },
  good: ['auth', 'auth realm "My Site"'],
  bad: [['auth realm', "'realm' expects an argument"]],
});

const SLASH = 47;
const STAR = 42;

/** `option http-use-proxy-header`: a request in absolute form speaks to a proxy. */
function isForProxy({ requestHead, frontend }: Stream): boolean {
  const first = requestHead.uriBytes[requestHead.uriStart];
  return frontend.proxy.options.httpUseProxyHeader && first !== SLASH && first !== STAR;
}

const SILENT_DROP = action<{ readonly hops: number }>({
  name: 'silent-drop',
  where: 'CSTUQR',
  args: '[rst-ttl <hops>]',
  doc: 'Forgets the connection; the client is not told where the system lets us.',
  read(cursor) {
    const hops = cursor.match('rst-ttl') ? cursor.expectInt('rst-ttl', { min: 0, max: 255 }) : 0;
    return hops === null ? null : { hops };
  },
  compile:
    ({ hops }) =>
    at => {
      at.session.conn.vanish(hops);
      return drop(at);
    },
  good: ['silent-drop', 'silent-drop rst-ttl 5'],
  bad: [['silent-drop rst-ttl 256', "'rst-ttl' expects an integer between 0 and 255, not '256'"]],
});

const PAUSE = action<Time>({
  name: 'pause',
  where: 'QR',
  args: '{ <time> | <expression> }',
  doc: 'Holds the message back for a time.',
  read: readTime,
  compile(time, env) {
    const ms = compileTime(time, env);
    return at => {
      const stream = at.stream!;
      if (stream.paused) {
        stream.paused = false;
        return CONTINUE;
      }
      const duration = ms(at);
      if (duration <= 0) return CONTINUE;
      stream.paused = true;
      stream.wait(duration);
      return YIELD;
    };
  },
  good: ['pause 100', 'pause 1s', 'pause int(5)'],
  bad: [['pause', "'pause' expects a time or an expression"]],
});

export const WAIT_FOR_BODY = action<BodyWait>({
  name: 'wait-for-body',
  where: 'QR',
  args: 'time <time> [at-least <bytes>] [use-large-buffer]',
  doc: 'Waits for the payload of the message.',
  read(cursor) {
    let ms: number | null = null;
    let atLeastBytes: number | null = 0;
    let large = false;
    while (!atCondition(cursor)) {
      const option = cursor.expectOneOf('wait-for-body', ['time', 'at-least', 'use-large-buffer']);
      if (option === null) return null;
      if (option === 'time') ms = cursor.expectTime('time', 'ms');
      else if (option === 'at-least') atLeastBytes = cursor.expectSize('at-least');
      else large = true;
      if (atLeastBytes === null || (option === 'time' && ms === null)) return null;
    }
    if (ms === null) cursor.error("'wait-for-body' expects 'time <time>'");
    return ms === null ? null : { ms, atLeastBytes, large };
  },
  compile: wait => at => {
    const state = awaitBody(at.stream!, wait, at.response);
    if (state === 'there') return CONTINUE;
    if (state === 'waiting') return YIELD;
    return at.response ? lateResponseBody(at.stream!) : refuseBody(at.stream!, state);
  },
  good: ['wait-for-body time 1s', 'wait-for-body time 1s at-least 1k'],
  bad: [
    ['wait-for-body', "'wait-for-body' expects 'time <time>'"],
    ['wait-for-body at-least 5', "'wait-for-body' expects 'time <time>'"],
  ],
});

/** Early data is no request before the client has shown that it is there: it may be a replay. */
function waitForHandshake(at: Standpoint): Verdict {
  const stream = at.stream!;
  const waited = stream.awaitsHandshake;
  stream.awaitsHandshake = false;
  if (!isEarly(at.session.conn)) return CONTINUE;
  if (waited) return reject(at);
  stream.awaitsHandshake = true;
  const { clientHsMs, clientMs } = at.session.frontend.proxy.timeouts;
  stream.wait(clientHsMs || clientMs);
  return YIELD;
}

const SWITCH_MODE = action<true>({
  name: 'switch-mode',
  where: 'T',
  args: 'http [proto h1]',
  doc: 'A TCP client speaks HTTP from here on.',
  read(cursor, { proxy }) {
    if (proxy.kind === 'backend') {
      cursor.error(`'switch-mode' not allowed because backend '${proxy.name}' has no frontend capability`);
      return null;
    }
    if (cursor.expectOneOf('switch-mode', ['http']) === null) return null;
    return cursor.match('proto') && cursor.expectOneOf('proto', ['h1']) === null ? null : true;
  },
  // In an HTTP stream there is nothing to switch; what follows is passed over all the same.
  compile: () => at => (at.stream!.http ? STOP : SWITCH),
  good: ['switch-mode http', 'switch-mode http proto h1'],
  bad: [
    ['switch-mode', "'switch-mode' expects 'http'"],
    ['switch-mode tcp', "'switch-mode' expects 'http', not 'tcp'"],
    ['switch-mode http proto h2', "'proto' expects 'h1', not 'h2'"],
  ],
});

/** True when a TCP proxy's connections may become HTTP: what its lines say about HTTP then counts. */
export function switchesMode({ rules }: ProxyDraft): boolean {
  return rules.content.some(rule => rule.action === SWITCH_MODE.name);
}

export const FLOW_ACTIONS: readonly ActionRow[] = [
  bare('accept', 'CSTU', 'Lets it pass.', () => STOP),
  bare('allow', 'QRAX', 'Lets it pass.', () => STOP),
  bare('reject', 'CSTUQ', 'Closes the connection.', reject),
  bare('close', 'U', 'Closes the connection to the server.', closeServer),
  DENY,
  TARPIT_ROW,
  RETURN,
  REDIRECT,
  AUTH,
  SILENT_DROP,
  PAUSE,
  WAIT_FOR_BODY,
  SWITCH_MODE,
  bare(
    'wait-for-handshake',
    'Q',
    'Waits until the TLS handshake is complete: early data may be a replay.',
    waitForHandshake,
  ),
];

/** The server's connection ends; what it has sent goes to the client. */
function closeServer({ stream }: Standpoint): Verdict {
  stream!.closing = true;
  return STOP;
}
