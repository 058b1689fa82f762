/** `set server ... addr`, `check-addr` and `check-port`: where a server is, and where it is checked. */
import { type Target, touch } from '../health/state.ts';
import { hostText, parseIp } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { LiveAddress, readAddress, type WrittenAddress, writeAddress } from '../shm/server-address.ts';
import { SERVER } from '../shm/words.ts';
import type { CliEnv, Reply } from './command.ts';
import { inForce } from './in-force.ts';

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
  const address = parseIp(host, 0);
  if (address === null) return `Invalid addr '${host}'${BY}`;
  const live = new LiveAddress(env.memory, t.number, t.server);
  const was: Port = { number: live.relative ? live.offset : live.address.port, relative: live.relative };
  let port = was;
  if (word === 'port') {
    const parsed = parsePort(portWord);
    if (parsed === null) return `problem converting port '${portWord}' to an int${BY}`;
    if (parsed.relative && checksFollow(env, t)) {
      return `can't change <port> to port map because it is incompatible with current health check port configuration (use 'port' statement from the 'server' directive)${BY}`;
    }
    port = parsed;
  }
  const parts = [changeText('addr', 'IP', hostText(live.address), hostText(address))];
  if (word === 'port') parts.push(changeText('port', 'port', portText(was), portText(port)));
  const text = parts.join(', ') + BY;
  if (parts.every(part => part.startsWith('no need'))) return text;
  const { family, bytes } = address;
  writeAddress(env.memory.words, env.memory.server(t.number) + SERVER.at.addr, {
    family: family === 6 ? 6 : 4,
    bytes,
    port: port.number,
    relative: port.relative,
  });
  touch(env, t);
  return inForce(env, text);
}

function changeText(what: string, name: string, from: string, to: string): string {
  return from === to ? `no need to change the ${what}` : `${name} changed from '${from}' to '${to}'`;
}

/** The server is checked on the port that it serves on. */
function checksFollow(env: CliEnv, t: Target): boolean {
  const { check, address } = t.server;
  return check !== null && check.address.port === address.port && writtenCheck(env, t).port === 0;
}

function writtenCheck(env: CliEnv, t: Target): WrittenAddress {
  return readAddress(env.memory.words, env.memory.server(t.number) + SERVER.at.check_addr);
}

const NO_CHECKS = 'health checks are not enabled on this server';

export function setCheckAddress(env: CliEnv, t: Target, args: readonly string[]): string {
  const [host, word, portWord = ''] = args;
  if (host === undefined) return 'set server <b>/<s> check-addr requires an address and optionally a port.';
  if (t.server.check === null) return NO_CHECKS;
  const address = parseIp(host, 0);
  if (address === null) return `invalid addr '${host}'`;
  const port = word === 'port' ? checkPort(portWord) : writtenCheck(env, t).port;
  return typeof port === 'string' ? port : writeCheck(env, t, address, port);
}

export function setCheckPort(env: CliEnv, t: Target, [text]: readonly string[]): string {
  if (text === undefined) return 'set server <b>/<s> check-port requires a port.';
  if (t.server.check === null) return NO_CHECKS;
  const port = checkPort(text);
  if (typeof port === 'string') return port;
  const { family, bytes } = writtenCheck(env, t);
  return writeCheck(env, t, family === null ? null : { family, bytes, port }, port);
}

/** 0 = the server's own, or the configured one. */
function checkPort(text: string): number | string {
  if (!/^\d{1,9}$/.test(text)) return 'provided port is not an integer';
  return Number(text) > PORT_MAX ? 'provided port is invalid' : Number(text);
}

/** In force with the next check: they run in this thread. */
function writeCheck(env: CliEnv, t: Target, host: Address | null, port: number): string {
  const family = host === null ? null : host.family === 6 ? 6 : 4;
  const written = { family, bytes: host?.bytes ?? NO_BYTES, port, relative: false } as const;
  writeAddress(env.memory.words, env.memory.server(t.number) + SERVER.at.check_addr, written);
  return '';
}

/** For `show servers state`: where the checks go when that is not where the server is. */
export function ownCheckAddress(env: CliEnv, t: Target): { host: string | null; port: number } {
  const { check, address } = t.server;
  if (check === null) return { host: null, port: 0 };
  const written = writtenCheck(env, t);
  const configured = check.address;
  const host = written.family === null ? configured : { family: written.family, bytes: written.bytes, port: 0 };
  const own = written.family !== null || hostText(configured) !== hostText(address);
  return {
    host: own ? hostText(host) : null,
    port: written.port || (configured.port === address.port ? 0 : configured.port),
  };
}
