/** Requests that a proxy answers itself: `monitor-uri`, `stats uri`. Compiled once per proxy; most have none. */
import type { Proxy } from '../config/model.ts';
import { isExactly, latin1 } from '../http/chars.ts';
import { errorPage } from '../http/errors.ts';
import { YES } from '../sample/condition.ts';
import { INTERCEPTED } from '../shm/counters.ts';
import { Reply } from './errors.ts';
import { HERE } from './rules.ts';
import { statsPage } from './stats-applet.ts';
import { type Next, STEP } from './steps.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** Answers the stream's request and returns the step to go on with; null = not for this one. */
export type LocalReply = (stream: Stream) => Next | null;

/** What `proxy` answers itself, in the order in which it is asked. */
export function localReplies(proxy: Proxy): readonly LocalReply[] {
  const replies: LocalReply[] = [];
  if (proxy.monitorUri !== null) replies.push(monitor(latin1(proxy.monitorUri)));
  if (proxy.stats !== null) replies.push(statsPage(proxy, proxy.stats));
  return replies;
}

/** The first of `replies` that is for this request; null = none, the request goes on. */
export function replyLocally(stream: Stream, replies: readonly LocalReply[]): Next | null {
  for (const reply of replies) {
    const next = reply(stream);
    if (next === null) continue;
    stream.terminate(CAUSE.local);
    stream.context.counters[stream.frontend.row + INTERCEPTED]! += 1;
    return next;
  }
  return null;
}

const MONITOR_OK = new Reply(errorPage(200, null));

/** `monitor-uri`: 200 to exactly this URI, 503 when a `monitor fail` holds; without a server and without a log line. */
function monitor(uri: Uint8Array): LocalReply {
  return stream => {
    const { uriBytes, uriStart, uriEnd } = stream.requestHead;
    if (uriEnd - uriStart !== uri.length || !isExactly(uriBytes, uriStart, uriEnd, uri)) return null;
    HERE.at(stream);
    const failed = stream.frontend.rules.monitorFail.some(condition => condition(HERE) === YES);
    stream.silent = true;
    stream.status = failed ? 503 : 200;
    stream.client.reply(failed ? stream.frontend.errors.get(503) : MONITOR_OK, true);
    return STEP.finish;
  };
}
