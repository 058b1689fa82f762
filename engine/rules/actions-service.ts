/** `use-service`: a request answered by a service of our own. */
import { servePrometheus } from '../proxy/prometheus-service.ts';
import type { Stream } from '../proxy/stream.ts';
import { type ActionRow, action, type Verdict } from './action.ts';

/** The services, by name. */
export const SERVICES: Readonly<Record<string, (stream: Stream) => Verdict>> = {
  'prometheus-exporter': servePrometheus,
};

const NAMES = Object.keys(SERVICES);

export const SERVICE_ACTIONS: readonly ActionRow[] = [
  action<string>({
    name: 'use-service',
    where: 'Q',
    laterIn: 'T',
    args: NAMES.join(' | '),
    doc: 'Answers by a service: metrics for Prometheus.',
    read: cursor => cursor.expectOneOf('use-service', NAMES),
    compile(name) {
      const serve = SERVICES[name]!;
      return at => serve(at.stream!);
    },
    good: ['use-service prometheus-exporter'],
    bad: [
      ['use-service', "'use-service' expects 'prometheus-exporter'"],
      ['use-service nothing', "'use-service' expects 'prometheus-exporter', not 'nothing'"],
    ],
  }),
];
