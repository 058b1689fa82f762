/** `set server ... addr`, `check-addr` and their kin: where a server is, where it is checked and its agent asked. */
import type { CheckKind } from '../health/health.ts';
import { lookAgain } from '../health/operator.ts';
import { setResolved } from '../health/state.ts';
import { setServerWord, type Target } from '../health/target.ts';
import { hostText, isNowhere, parseIp } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { LiveAddress, readAddress, type WrittenAddress, writeAddress } from '../shm/server-address.ts';
import { SERVER } from '../shm/words.ts';
import type { CliEnv, Reply } from './command.ts';
import { inForce } from './in-force.ts';
import { type Message, notice, warning } from './severity.ts';

const BY = " by 'stats socket command'";
const PORT_MAX = 0xffff;
const NO_BYTES = new Uint8Array(0);

interface Port {
  readonly number: number;
  /** Written with a sign: an offset. */
  readonly relative: boolean;
}

/** `80`, `+1`, `-1`; null for anything else. */
function parsePort(text: string): Port | null {
  if (!/^[+-]?\d{1,5}$/.test(text)) return null;
  const number = Number(text);
  return Math.abs(number) > PORT_MAX ? null : { number, relative: /^[+-]/.test(text) };
}

function portText({ number, relative }: Port): string {
  return relative && number >= 0 ? `+${number}` : String(number);
}

/** `set server b/s addr A [port P]`: tells what changed. Nothing is changed when either is wrong. */
export function setAddress(env: CliEnv, t: Target, args: readonly string[]): Reply {
  const [host, word, portWord = ''] = args;
  if (host === undefined) return 'set server <b>/<s> addr requires an address and optionally a port.';
  if (t.proxy.mode === 'log') return 'The address of a log server cannot be changed.';
  const address = parseIp(host.replace(/^\[(.*)\]$/, '$1'), 0);
  if (address === null) return warning(`Invalid addr '${host}'${BY}`);
  const live = new LiveAddress(env.memory, t.number, t.server);
  if (live.address.family === 1 && !isNowhere(live.address)) {
    return warning(`Update for the current server address family is only supported through configuration file${BY}`);
  }
  const was: Port = { number: live.port, relative: live.relative };
  let port = was;
  if (word === 'port') {
    const parsed = parsePort(portWord);
    if (parsed === null) return warning(`problem converting port '${portWord}' to an int${BY}`);
    if (parsed.relative && !hasCheckPort(env, t)) {
      return warning(
        `can't change <port> to port map because it is incompatible with current health check port configuration (use 'port' statement from the 'server' directive)${BY}`,
      );
    }
    port = parsed;
  }
  const before = hostText(live.address);
  const parts = [changeText('addr', 'IP', before, before === hostText(address) ? before : host)];
  if (word === 'port') parts.push(changeText('port', 'port', portText(was), portText(port)));
  const text = parts.join(', ') + BY;
  if (parts.every(part => part.startsWith('no need'))) return warning(text);
  const { family, bytes } = address;
  writeAddress(env.memory.words, env.memory.server(t.number) + SERVER.at.addr, {
    family: family === 6 ? 6 : 4,
    bytes,
    port: port.number,
    relative: port.relative,
  });
  lookAgain(env, t);
  setResolved(env, t, env.names.originOf(t).name ?? t.server.text);
  return inForce(env, warning(text));
}

function changeText(what: string, name: string, from: string, to: string): string {
  return from === to ? `no need to change the ${what}` : `${name} changed from '${from}' to '${to}'`;
}

/** `set server b/s ssl on|off`: for connections that are made from now on; idle ones are closed as when the address changes. */
export function setSsl(env: CliEnv, t: Target, [value]: readonly string[]): Reply {
  if (t.server.tls === null) return "'set server <srv> ssl' cannot be set.  default-server should define ssl settings";
  if (value !== 'on' && value !== 'off') return "'set server <srv> ssl' expects 'on' or 'off'.";
  const at = env.memory.server(t.number) + SERVER.at.addr;
  setServerWord(env.memory, t, 'plain', value === 'on' ? 0 : 1);
  writeAddress(env.memory.words, at, readAddress(env.memory.words, at));
  return inForce(env, notice('server ssl setting updated.'));
}

/** The server is not checked on the port that it serves on. */
function hasCheckPort(env: CliEnv, t: Target): boolean {
  const { check, address } = t.server;
  return check !== null && (check.address.port !== address.port || writtenCheck(env, t, 'check').port !== 0);
}

function writtenCheck({ memory }: CliEnv, { number }: Target, kind: CheckKind): WrittenAddress {
  return readAddress(memory.words, memory.server(number) + SERVER.at[`${kind}_addr`]);
}

const NOT_ENABLED: Readonly<Record<CheckKind, string>> = {
  check: 'health checks are not enabled on this server',
  agent: 'agent checks are not enabled on this server',
};

type Setter = (env: CliEnv, t: Target, args: readonly string[]) => string | Message;

/** `check-addr A [port P]`, `agent-addr A [port P]`. */
export function setCheckAddress(kind: CheckKind): Setter {
  return (env, t, [host, word, portWord = '']) => {
    if (host === undefined) return `set server <b>/<s> ${kind}-addr requires an address and optionally a port.`;
    if (t.server[kind] === null) return warning(NOT_ENABLED[kind]);
    const address = parseIp(host, 0);
    if (address === null) return warning(`invalid addr '${host}'`);
    const port = word === 'port' ? checkPort(portWord) : writtenCheck(env, t, kind).port;
    return typeof port === 'string' ? warning(port) : writeCheck(env, t, kind, address, port);
  };
}

/** `check-port P`, `agent-port P`. */
export function setCheckPort(kind: CheckKind): Setter {
  return (env, t, [text]) => {
    if (text === undefined) return `set server <b>/<s> ${kind}-port requires a port.`;
    if (t.server[kind] === null) return warning(NOT_ENABLED[kind]);
    const port = checkPort(text);
    if (typeof port === 'string') return warning(port);
    const { family, bytes } = writtenCheck(env, t, kind);
    return writeCheck(env, t, kind, family === null ? null : { family, bytes, port }, port);
  };
}

/** 0 = the server's own, or the configured one. */
function checkPort(text: string): number | string {
  if (!/^\d{1,9}$/.test(text)) return 'provided port is not an integer';
  return Number(text) > PORT_MAX ? 'provided port is invalid' : Number(text);
}

/** In force with the next check: they run in this thread. */
function writeCheck(env: CliEnv, t: Target, kind: CheckKind, host: Address | null, port: number): string {
  const family = host === null ? null : host.family === 6 ? 6 : 4;
  const written = { family, bytes: host?.bytes ?? NO_BYTES, port, relative: false } as const;
  writeAddress(env.memory.words, env.memory.server(t.number) + SERVER.at[`${kind}_addr`], written);
  return '';
}

/** For `show servers state`: where the checks go when that is not where the server is. */
export function ownCheckAddress(env: CliEnv, t: Target, kind: CheckKind): { host: string | null; port: number } {
  const configured = t.server[kind]?.address;
  if (configured === undefined) return { host: null, port: 0 };
  const { address } = t.server;
  const written = writtenCheck(env, t, kind);
  const host = written.family === null ? configured : { family: written.family, bytes: written.bytes, port: 0 };
  const own = written.family !== null || hostText(configured) !== hostText(address);
  return {
    host: own ? hostText(host) : null,
    // That of an agent always stands on the line.
    port: written.port || (kind === 'check' && configured.port === address.port ? 0 : configured.port),
  };
}
