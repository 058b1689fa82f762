/**
 * The steps of a stream in which rules decide; what runs when is a table in ARCHITECTURE.md. A proxy without rules of a kind
 * has null in their place and its streams pass at once.
 */
import type { Proxy } from '../config/proxy-model.ts';
import { METHOD_POST } from '../http/names.ts';
import { ANSWERED, CLOSE, CONTINUE, SERVED, STOP, SWITCH, TARPIT, type Verdict, YIELD } from '../rules/action.ts';
import type { RuleList } from '../rules/rule-list.ts';
import { takeRequest } from './account.ts';
import { answer } from './answer.ts';
import { awaitBody, refuseBody } from './body-wait.ts';
import type { Backend, Frontend } from './nouns.ts';
import { HERE } from './rules.ts';
import { type Next, STEP, type StepIndex, WAIT } from './step.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** Where a verdict leads; null = on. */
const NEXT: Readonly<Record<Verdict, Next | null>> = {
  [CONTINUE]: null,
  [STOP]: null,
  [ANSWERED]: STEP.finish,
  [CLOSE]: STEP.finish,
  [YIELD]: WAIT,
  [TARPIT]: STEP.tarpit,
  [SERVED]: STEP.applet,
  [SWITCH]: STEP.upgrade,
};

/** Evaluates `rules`, from where they stopped last; null = the stream goes on. */
export function applyRules(stream: Stream, rules: RuleList, response: boolean, final: boolean): Next | null {
  const start = stream.ruleAt;
  if (start === 0) stream.strict = true;
  const verdict = rules.run(HERE.at(stream, response, final), start);
  stream.ruleAt = verdict === YIELD ? rules.stoppedAt : 0;
  return NEXT[verdict];
}

/** The step's time is up: its rules look once more, and decide with what there is. */
export function timeIsUp(stream: Stream): Next {
  stream.timeUp = true;
  return stream.step;
}

/** `tcp-request content`: may wait for bytes until `inspect-delay` is over. */
function inspect(stream: Stream, { lists, proxy }: Frontend | Backend, next: StepIndex): Next {
  if (lists.content === null) return next;
  const left = stream.clientLeft !== CAUSE.none;
  const over = stream.timeUp || left || proxy.inspectDelayMs === 0 || stream.client.inspected();
  const verdict = applyRules(stream, lists.content, false, over);
  if (verdict === WAIT) {
    if (!stream.inspecting) stream.wait(proxy.inspectDelayMs);
    if (stream.http && !stream.requestDone) stream.client.gather();
    stream.inspecting = true;
    return WAIT;
  }
  const waited = stream.inspecting;
  if (waited) stream.wait(0);
  stream.inspecting = stream.timeUp = false;
  if (verdict !== null || !waited || !stream.http || !stream.client.gather().broken) return verdict ?? next;
  takeRequest(stream);
  return NEXT[refuseBody(stream, 'broken')]!;
}

export function inspectFront(stream: Stream): Next {
  const next = inspect(stream, stream.frontend, stream.http ? STEP.request : STEP.backend);
  // To HAProxy it is bytes as yet.
  if (next === STEP.finish) stream.requestKnown = false;
  return next;
}

export function inspectBack(stream: Stream): Next {
  const next = stream.http ? STEP.backRules : STEP.server;
  return stream.backend!.index === stream.frontend.index ? next : inspect(stream, stream.backend!, next);
}

/** On to `next` when the payload is there, within the time-out of `proxy`. */
function withBody(stream: Stream, { timeouts }: Proxy, next: StepIndex): Next {
  const { httpRequestMs, clientMs } = stream.frontend.proxy.timeouts;
  const ms = timeouts.httpRequestMs || httpRequestMs || clientMs;
  const state = awaitBody(stream, { ms, atLeastBytes: 0, large: false }, false);
  if (state === 'waiting') return WAIT;
  return state === 'there' ? next : NEXT[refuseBody(stream, state)]!;
}

/** `option http-buffer-request` of the frontend: the payload first, then the rules. */
export function bufferBody(stream: Stream): Next {
  const { proxy } = stream.frontend;
  return proxy.options.httpBufferRequest ? withBody(stream, proxy, STEP.frontRules) : STEP.frontRules;
}

/** That of the backend, and `balance url_param ... check_post`: the payload, or what fits of it, before the server. */
export function payload(stream: Stream): Next {
  const { proxy } = stream.backend!;
  const { balance, options } = proxy;
  const looks = balance.checkPostBytes > 0 && stream.requestHead.methodId === METHOD_POST;
  const next = looks || options.httpBufferRequest ? withBody(stream, proxy, STEP.assign) : STEP.assign;
  return next === STEP.assign ? processed(stream) : next;
}

/** All that rules say of the request is done: on to a server, if there still is a client. */
export function processed(stream: Stream): Next {
  stream.requestAt = stream.now;
  if (stream.clientLeft === CAUSE.none) return STEP.assign;
  stream.clientGone(stream.clientLeft);
  return WAIT;
}

/** `http-request`, the statistics page, `redirect`: in this order. */
function requestRules(stream: Stream, { lists, stats }: Frontend | Backend): Next | null {
  const ruled = lists.request === null ? null : applyRules(stream, lists.request, false, true);
  stream.timeUp = false;
  if (ruled !== null) return ruled;
  const page = stats === null ? null : stats(stream);
  if (page !== null) return page;
  return lists.redirect === null ? null : applyRules(stream, lists.redirect, false, true);
}

export function frontRules(stream: Stream): Next {
  return requestRules(stream, stream.frontend) ?? STEP.backend;
}

export function backRules(stream: Stream): Next {
  const backend = stream.backend!;
  const own = backend.index === stream.frontend.index ? null : requestRules(stream, backend);
  return own ?? STEP.server;
}

/** `tarpit`: keeps the client waiting, then refuses. */
export function tarpit(stream: Stream): Next {
  stream.terminate(CAUSE.proxy);
  if (stream.clientLeft !== CAUSE.none) return endTarpit(stream);
  stream.wait(stream.timeouts.tarpitMs || 1);
  return WAIT;
}

export function endTarpit(stream: Stream): Next {
  stream.assignedAt = stream.now;
  answer(stream, stream.tarpit!, true);
  return STEP.finish;
}

/**
 * `tcp-response content` in HTTP mode: the head is there, so nothing is waited for. To these rules it is but data: what they
 * reject has no status.
 */
export function inspectHead(stream: Stream): Next | null {
  const { serverContent } = stream.backend!.lists;
  const verdict = serverContent === null ? null : applyRules(stream, serverContent, true, true);
  if (verdict !== null) stream.phase = 'D';
  return verdict;
}

/** `http-response` rules of one proxy. While they wait the server's side holds the response back. */
function responseRules(stream: Stream, rules: RuleList | null, next: StepIndex): Next {
  const verdict = rules === null ? null : applyRules(stream, rules, true, true);
  if (verdict === WAIT) stream.holdsResponse = true;
  else stream.timeUp = false;
  return verdict ?? next;
}

export function backResponse(stream: Stream): Next {
  return responseRules(stream, stream.backend!.lists.response, STEP.frontResponse);
}

export function frontResponse(stream: Stream): Next {
  const { frontend } = stream;
  const own = frontend.index === stream.backend!.index;
  return responseRules(stream, own ? null : frontend.lists.response, STEP.answer);
}

/** What came from a TCP server is held back while `tcp-response content` rules look at it. */
export function inspectServer(stream: Stream): Next | null {
  const { lists, proxy } = stream.backend!;
  const over = stream.timeUp || proxy.serverInspectDelayMs === 0 || stream.responseDone;
  const verdict = applyRules(stream, lists.serverContent!, true, over);
  if (verdict === WAIT) {
    if (!stream.inspecting) stream.inspectUntil = stream.now + proxy.serverInspectDelayMs;
    stream.inspecting = true;
    stream.wait(Math.max(stream.inspectUntil - stream.now, 1));
    return WAIT;
  }
  stream.inspecting = stream.timeUp = false;
  return verdict;
}
