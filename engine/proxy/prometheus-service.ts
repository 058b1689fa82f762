/** `http-request use-service prometheus-exporter`: a scrape, made as fast as the client reads (stats-applet.ts). */

import { textOf } from '../http/chars.ts';
import { METHOD_HEAD } from '../http/names.ts';
import { ANSWERED, SERVED, type Verdict } from '../rules/action.ts';
import { answerLocally, interceptLocally } from '../rules/answers.ts';
import { dumpPrometheus, PROMETHEUS_TYPE } from '../stats/prometheus.ts';
import { readPrometheusFilter } from '../stats/prometheus-filter.ts';
import { errorReply } from './errors.ts';
import { serveDump } from './stats-applet.ts';
import { STEP } from './step.ts';
import type { Stream } from './stream.ts';

const HEADERS = [
  ['cache-control', 'no-cache'],
  ['content-type', PROMETHEUS_TYPE],
] as const;

export function servePrometheus(stream: Stream): Verdict {
  stream.service = 'prometheus';
  const { uriBytes, uriStart, uriEnd, methodId } = stream.requestHead;
  const uri = textOf(uriBytes, uriStart, uriEnd);
  const query = uri.includes('?') ? uri.slice(uri.indexOf('?') + 1) : '';
  const filter = readPrometheusFilter(query);
  if (filter === null) return answerLocally(stream, errorReply(stream, 400));
  interceptLocally(stream);
  const body = methodId === METHOD_HEAD ? null : dumpPrometheus(stream.context.view, filter, stream.now);
  return serveDump(stream, 200, HEADERS, body) === STEP.applet ? SERVED : ANSWERED;
}
