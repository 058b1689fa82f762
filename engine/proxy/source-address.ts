/** What a server sees of a connection: whose address (`usesrc`), and what its packets carry (`set-bc-mark`, `set-bc-tos`). */
import type { UseSource } from '../config/server-model.ts';
import { addressText } from '../io/address.ts';
import { sourceOf } from '../io/connect-options.ts';
import type { Address, ConnectOptions } from '../io/contract.ts';
import { markSettings, NO_MARKS } from '../io/packet-marks.ts';
import { evaluate } from '../rules/values.ts';
import { compileExpression } from '../sample/compile.ts';
import { type Fetch, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { ADDR, IPV4 } from '../sample/sample.ts';
import type { Server } from './nouns.ts';
import { proxyRules } from './rules.ts';
import type { Stream } from './stream.ts';

const HERE = new Standpoint();
const HEADERS = new WeakMap<Server, Fetch>();

/** How a connection is made for `stream`: it may come from the client, and its packets may be marked. */
export function optionsFor(stream: Stream, server: Server): ConnectOptions {
  const options = placed(stream, server, sourced(stream, server));
  if (stream.serverMarks === NO_MARKS) return options;
  return { ...options, settings: [...(options.settings ?? []), ...markSettings(stream.serverMarks)] };
}

/** `namespace *`: where the client is. */
function placed({ session }: Stream, { config }: Server, options: ConnectOptions): ConnectOptions {
  return config.namespace === '*' ? { ...options, namespace: session.namespace } : options;
}

function sourced(stream: Stream, server: Server): ConnectOptions {
  const as = sourceOf(server.config, server.backend.proxy)?.usesrc ?? null;
  if (as === null) return server.connectOptions;
  const source = shown(stream, server, as);
  return source === null ? server.connectOptions : { ...server.connectOptions, source, ports: null, transparent: true };
}

/** The address that a connection shows instead of ours; null = our own. */
function shown(stream: Stream, server: Server, as: UseSource): Address | null {
  if (as.from === 'address') return as.address;
  if (as.from === 'header') return headerAddress(stream, server, as.value);
  const client = stream.session.source();
  if (client === null || client.family === 1) return null;
  return as.from === 'client' ? client : { ...client, port: 0 };
}

function headerAddress(stream: Stream, server: Server, value: Expression): Address | null {
  let fetch = HEADERS.get(server);
  if (fetch === undefined) {
    const { context, proxy } = server.backend;
    fetch = compileExpression(value, proxyRules(context, proxy).env);
    HEADERS.set(server, fetch);
  }
  const found = stream.http ? evaluate(fetch, HERE.at(stream), ADDR) : null;
  return found === null ? null : { family: found.type === IPV4 ? 4 : 6, bytes: found.copy(), port: 0 };
}

/**
 * What tells the pooled connections of a server apart: their name (`pool-conn-name`, else what TLS sends), where they come from,
 * their marks.
 */
export function poolKey(name: string, { transparent, source, namespace }: ConnectOptions, marks = NO_MARKS): string {
  const there = namespace ? `${name} ${namespace}` : name;
  const from = transparent ? `${there} ${addressText(source!)}` : there;
  return marks === NO_MARKS ? from : `${from} ${marks.mark} ${marks.tos}`;
}
