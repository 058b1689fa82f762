/** Requests that a proxy answers itself: `monitor-uri`, `stats uri`. Compiled once per proxy; most have none. */
import type { Proxy } from '../config/proxy-model.ts';
import { isExactly, latin1 } from '../http/chars.ts';
import { UriParts } from '../http/uri.ts';
import { YES } from '../sample/condition.ts';
import { INTERCEPTED } from '../shm/counters.ts';
import { answer } from './answer.ts';
import { errorReply } from './errors.ts';
import { HERE } from './rules.ts';
import { statsPage } from './stats-applet.ts';
import { type Next, STEP } from './steps.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** Answers the stream's request and returns the step to go on with; null = not for this one. */
export type LocalReply = (stream: Stream) => Next | null;

const parts = new UriParts();

/**
 * `monitor-uri`: 200 to exactly this path and query, or 503 when a `monitor fail` holds; without a server and without a log line.
 * null = the proxy has none.
 */
export function monitorReply({ monitorUri }: Proxy): LocalReply | null {
  if (monitorUri === null) return null;
  const uri = latin1(monitorUri);
  return stream => {
    const { frontend, requestHead } = stream;
    const { uriBytes, uriStart, uriEnd } = requestHead;
    parts.split(uriBytes, uriStart, uriEnd);
    const { pathStart } = parts;
    if (uriEnd - pathStart !== uri.length || !isExactly(uriBytes, pathStart, uriEnd, uri)) return null;
    intercept(stream);
    stream.silent = true;
    HERE.at(stream);
    const failed = frontend.rules.monitorFail.some(condition => condition(HERE) === YES);
    answer(stream, errorReply(stream, failed ? 503 : 200), true);
    return STEP.finish;
  };
}

/** The statistics page; null = the proxy has none. */
export function statsReply(proxy: Proxy): LocalReply | null {
  if (proxy.stats === null) return null;
  const page = statsPage(proxy, proxy.stats);
  return stream => {
    const next = page(stream);
    // Its own rules may have refused.
    if (next !== null && stream.cause === CAUSE.none) intercept(stream);
    return next;
  };
}

/** What another proxy's backend answers has not stopped at the frontend. */
function intercept(stream: Stream): void {
  const { backend, frontend } = stream;
  stream.terminate(CAUSE.local);
  if (backend !== null && backend.index !== frontend.index) return;
  stream.context.counters[frontend.row + INTERCEPTED]! += 1;
}
