/** The proxies and servers that arguments name, or what to answer when there is none. */
import { isBackend, isFrontend } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { type StateEnv, type Target, targetOf } from '../health/target.ts';
import type { Call, Command, Reply } from './command.ts';
import { err } from './severity.ts';

/** The server that `backend/server` names, each by its name, or its number after a `#`. */
export function findServer(env: StateEnv, text: string | undefined): Target | string {
  const slash = text?.indexOf('/') ?? -1;
  if (text === undefined || slash < 0 || slash === text.length - 1) return "Require 'backend/server'.";
  const proxy = findProxy(env, text.slice(0, slash), isBackend);
  if (!proxy) return 'No such backend.';
  const name = text.slice(slash + 1);
  const id = numberOf(name);
  const there = proxy.servers.filter(s => !s.removed);
  const server = there.find(s => s.name === name) ?? there.find(s => s.id === id);
  return server ? targetOf(env, proxy, server) : 'No such server.';
}

/** `#12`; -1 = it is a name. */
function numberOf(text: string): number {
  return /^#\d+$/.test(text) ? Number(text.slice(1)) : -1;
}

/** By its name, or its number after a `#`. */
export function findProxy(env: StateEnv, name: string, kind: (proxy: Proxy) => boolean): Proxy | undefined {
  const id = numberOf(name);
  return env.model.proxies.find(p => kind(p) && (p.name === name || p.id === id));
}

/** A command whose first argument is a server. */
export function onServer(act: (call: Call, target: Target, args: readonly string[]) => Reply): Command['run'] {
  return call => {
    const target = findServer(call.env, call.args[0]);
    return typeof target === 'string' ? err(target) : act(call, target, call.args.slice(1));
  };
}

/** A command whose first argument is a frontend. */
export function onFrontend(act: (call: Call, proxy: Proxy, args: readonly string[]) => Reply): Command['run'] {
  return call => {
    const [name, ...rest] = call.args;
    if (name === undefined) return 'A frontend name is expected.';
    const proxy = findProxy(call.env, name, isFrontend);
    return proxy === undefined ? 'No such frontend.' : act(call, proxy, rest);
  };
}

/** A command whose first argument is a backend. */
export function onBackend(act: (call: Call, proxy: Proxy) => Reply): Command['run'] {
  return call => {
    const [name] = call.args;
    if (name === undefined) return 'A backend name is expected.';
    const proxy = findProxy(call.env, name, isBackend);
    return proxy === undefined ? 'No such backend.' : act(call, proxy);
  };
}

/** A number without a sign or anything else; null when it is none, or above what a word holds. */
export function wholeNumber(text: string | undefined): number | null {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return null;
  const value = Number(text);
  return value <= 0x7fff_ffff ? value : null;
}
