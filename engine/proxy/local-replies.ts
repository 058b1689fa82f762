/** Requests that a proxy answers itself, one row each: `monitor-uri`, `stats uri`. */
import type { Proxy } from '../config/model.ts';
import { isExactly, latin1 } from '../http/chars.ts';
import { errorPage } from '../http/errors.ts';
import { YES } from '../sample/condition.ts';
import { INTERCEPTED } from '../shm/counters.ts';
import { Reply } from './errors.ts';
import { HERE } from './rules.ts';
import { openStats } from './stats-applet.ts';
import { type Next, STEP } from './steps.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** Answers the stream's request and returns the step to go on with; null = not for this one. */
type LocalReply = (stream: Stream, proxy: Proxy) => Next | null;

const LOCAL_REPLIES: readonly LocalReply[] = [monitor, statistics];

/** What `proxy` answers itself; null = nothing, the request goes on. */
export function localReply(stream: Stream, proxy: Proxy): Next | null {
  for (const reply of LOCAL_REPLIES) {
    const next = reply(stream, proxy);
    if (next !== null) return next;
  }
  return null;
}

const MONITOR_OK = new Reply(errorPage(200, null));

/** `monitor-uri`: 200, or 503 when a `monitor fail` holds; not logged, not counted as a request that was served. */
function monitor(stream: Stream, proxy: Proxy): Next | null {
  if (proxy.monitorUri === null) return null;
  const { uriBytes, uriStart, uriEnd } = stream.requestHead;
  if (uriEnd - uriStart !== proxy.monitorUri.length) return null;
  if (!isExactly(uriBytes, uriStart, uriEnd, latin1(proxy.monitorUri))) return null;
  intercept(stream);
  stream.silent = true;
  HERE.at(stream);
  const failed = stream.frontend.rules.monitorFail.some(condition => condition(HERE) === YES);
  stream.status = failed ? 503 : 200;
  stream.client.reply(failed ? stream.frontend.errors.get(503) : MONITOR_OK, true);
  return STEP.finish;
}

function statistics(stream: Stream, proxy: Proxy): Next | null {
  if (proxy.stats === null) return null;
  const next = openStats(stream, proxy, proxy.stats);
  if (next !== null) intercept(stream);
  return next;
}

function intercept(stream: Stream): void {
  stream.terminate(CAUSE.local);
  stream.context.counters[stream.frontend.row + INTERCEPTED]! += 1;
}
