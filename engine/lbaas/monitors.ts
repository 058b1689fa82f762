/**
 * Health monitors as checks. One monitor becomes the check of its kind; several become one script whose steps a member
 * must pass all. A ping needs a program of its own; beside others, or without one, a TCP connection stands for it.
 */
import type { Farm, Monitor } from './deployment-model.ts';
import { quote } from './quote.ts';

export interface Probe {
  /** Program that pings; null = none may. */
  readonly ping: string | null;
  /** The members speak TLS. */
  readonly tls: boolean;
}

/** Lines of the backend. */
export function monitorLines({ monitors }: Farm, probe: Probe): string[] {
  const [first, ...more] = monitors;
  if (first === undefined) return [];
  const time = `timeout check ${Math.min(...monitors.map(m => m.timeout))}s`;
  return [time, ...(more.length === 0 ? single(first, probe) : ['option tcp-check', ...monitors.flatMap(steps)])];
}

/** Words of each server. */
export function serverCheck({ monitors }: Farm, { tls }: Probe): string[] {
  if (monitors.length === 0) return [];
  const overTls = monitors.length === 1 && monitors[0]!.type === 'HTTPS';
  return [
    'check',
    // A member's TLS is checked by TLS-HELLO and HTTPS, all else is plain.
    ...(overTls && !tls ? ['check-ssl', 'verify none'] : []),
    `inter ${Math.min(...monitors.map(m => m.delay))}s`,
    `fall ${Math.min(...monitors.map(m => m.fall))}`,
    `rise ${Math.max(...monitors.map(m => m.rise))}`,
  ];
}

/** Why a member's monitors are not what they say, if so; '' otherwise. */
export function monitorNote(monitors: readonly { readonly type: string }[], ping: string | null): string {
  const pings = monitors.some(m => m.type === 'PING');
  return pings && (ping === null || monitors.length > 1) ? 'PING is done by a TCP connection' : '';
}

function single(monitor: Monitor, { ping }: Probe): string[] {
  switch (monitor.type) {
    case 'TCP':
      return [];
    case 'TLS-HELLO':
      return ['option ssl-hello-chk'];
    case 'PING':
      return ping === null ? [] : ['option external-check', `external-check command ${ping}`];
    case 'HTTP':
    case 'HTTPS':
      return httpLines(monitor);
  }
}

function httpLines({ method, path, codes, version, domain }: Monitor): string[] {
  return [
    `option httpchk ${method} ${quote(path)}${version === 1.1 ? ' HTTP/1.1' : ''}`,
    ...(domain === null ? [] : [`http-check send hdr Host ${domain}`]),
    `http-check expect status ${codes.replaceAll(/\s/g, '')}`,
  ];
}

/** One monitor as steps of a script. */
function steps(monitor: Monitor): string[] {
  const { type, method, path, codes } = monitor;
  if (type === 'TCP' || type === 'PING') return ['tcp-check connect'];
  if (type === 'TLS-HELLO') return ['tcp-check connect ssl'];
  return [
    `tcp-check connect${type === 'HTTPS' ? ' ssl' : ''}`,
    `tcp-check send ${quote(`${method} ${path} HTTP/1.0`)}\\r\\n\\r\\n`,
    `tcp-check expect rstring ^HTTP/1\\.[01]\\ (${codePattern(codes)})`,
  ];
}

/** `200,301` or `200-204` as a pattern of three digits. */
function codePattern(codes: string): string {
  const [from, to] = codes.split('-').map(Number);
  if (to === undefined) return codes.replaceAll(/\s/g, '').replaceAll(',', '|');
  return Array.from({ length: Math.max(to - from! + 1, 1) }, (_, i) => from! + i).join('|');
}
