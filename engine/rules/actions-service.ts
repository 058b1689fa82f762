/** `use-service`: a request answered by a service of our own. */
import { servePrometheus } from '../proxy/prometheus-service.ts';
import type { Stream } from '../proxy/stream.ts';
import { type ActionRow, action, type Verdict } from './action.ts';

/** The services, by name. All speak HTTP: those of TCP, and any in Lua, are not here. */
export const SERVICES: Readonly<Record<string, (stream: Stream) => Verdict>> = {
  'prometheus-exporter': servePrometheus,
};

const NAMES = Object.keys(SERVICES);

export const SERVICE_ACTIONS: readonly ActionRow[] = [
  action<string>({
    name: 'use-service',
    where: 'Q',
    args: NAMES.join(' | '),
    doc: 'Answers by a service: metrics for Prometheus.',
    read(cursor) {
      const word = cursor.peek();
      if (word === null || !word.text.startsWith('lua.')) return cursor.expectOneOf('use-service', NAMES);
      cursor.error(`'${word.text}': services in Lua are not supported by Sluice`, undefined, word);
      return null;
    },
    compile(name) {
      const serve = SERVICES[name]!;
      return at => serve(at.stream!);
    },
    good: ['use-service prometheus-exporter'],
    bad: [
      ['use-service', "'use-service' expects 'prometheus-exporter'"],
      ['use-service lua.x', "'lua.x': services in Lua are not supported by Sluice"],
      ['use-service nothing', "'use-service' expects 'prometheus-exporter', not 'nothing'"],
    ],
  }),
];
