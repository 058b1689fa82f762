/** `track` on the line of `add server`: a server of the configuration whose state the new one has (management.txt, `add server`). */
import { trackedName } from '../config/build-server.ts';
import { isBackend, type Model } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { ADDED_SERVERS_MAX } from '../limits.ts';

/** What follows another server is not checked itself. */
const NOT_WITH_TRACK = ['check', 'agent-check', 'init-state'];

export interface Tracking {
  /** The line without it. */
  readonly words: readonly string[];
  readonly track: Server['track'];
}

/** Takes `track [<backend>/]<server>` from the line of a server of `own`; a text: what is wrong with it. */
export function takeTracking(model: Model, own: Proxy, line: readonly string[]): Tracking | string {
  const at = line.indexOf('track', 1);
  if (at < 0) return { words: line, track: null };
  const text = line[at + 1];
  if (text === undefined) return "'track' expects [<proxy>/]<server> as argument.";
  const words = line.toSpliced(at, 2);
  const both = words.slice(1).find(word => NOT_WITH_TRACK.includes(word));
  if (both !== undefined) return `'track' cannot be used together with '${both}'.`;
  const { backend, server: name } = trackedName(text, own.name);
  const proxy = model.proxies.find(p => isBackend(p) && p.name === backend);
  if (proxy === undefined) return `unable to find required proxy '${backend}' for tracking.`;
  const server = proxy.servers.find(s => s.name === name && !s.removed);
  if (server === undefined) return `unable to find required server '${name}' for tracking.`;
  const who = `unable to use ${proxy.name}/${server.name} for tracking`;
  if (server.index >= proxy.serverSlots - ADDED_SERVERS_MAX) return `${who}: it is a dynamic server.`;
  if (server.track === null && server.check === null && server.agent === null) {
    return `${who}: it does not have any check nor agent enabled.`;
  }
  return { words, track: { proxy: proxy.index, server: server.index } };
}
