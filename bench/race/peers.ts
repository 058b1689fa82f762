/** Who races: one row each. Sluice and HAProxy read the same file. */
import path from 'node:path';
import { versionOf } from './processes.ts';

/** What a configuration is made of. */
export interface Course {
  readonly mode: 'http' | 'tcp';
  readonly port: number;
  readonly originPort: number;
  /** Where the statistics are, and of how many servers; null = no statistics. */
  readonly stats: { readonly port: number; readonly servers: number } | null;
}

export interface Peer {
  readonly name: string;
  readonly modes: readonly Course['mode'][];
  readonly statistics: boolean;
  /** Null = not installed. */
  readonly version: () => string | null;
  readonly configuration: (course: Course) => string;
  /** Its command line for a configuration file. It must stay one process in the foreground. */
  readonly command: (file: string, io: string | null) => readonly [string, ...string[]];
}

/** Connections: two descriptors each, so that the usual limit of 20,000 is enough. */
const MAXCONN = 8_000;
const LAUNCHER = path.join(import.meta.dirname, '../../scripts/sluice');

export const PEERS: readonly Peer[] = [
  {
    ...{ name: 'sluice', modes: ['http', 'tcp'], statistics: true, configuration: haproxyConfiguration },
    version: () => versionOf(LAUNCHER),
    command: (file, io) => [LAUNCHER, ...(io === null ? [] : [`--io=${io}`]), '-q', '-f', file],
  },
  {
    ...{ name: 'haproxy', modes: ['http', 'tcp'], statistics: true, configuration: haproxyConfiguration },
    version: () => versionOf('haproxy'),
    command: file => ['haproxy', '-q', '-db', '-f', file],
  },
  {
    // TCP needs a module that is not part of every package.
    ...{ name: 'nginx', modes: ['http'], statistics: false, configuration: nginxConfiguration },
    version: () => versionOf('nginx'),
    // nginx removes its pid file when it ends: never name one that is not its own.
    command: file => ['nginx', '-c', file, '-g', `pid ${file}.pid;`],
  },
];

function haproxyConfiguration({ mode, port, originPort, stats }: Course): string {
  return `global
  nbthread 1
  maxconn ${MAXCONN}

defaults
  mode ${mode}
  timeout connect 5s
  timeout client 60s
  timeout server 60s

frontend race
  bind 127.0.0.1:${port} backlog 4096
  default_backend origin

backend origin
  ${mode === 'http' ? 'http-reuse always' : ''}
  server origin 127.0.0.1:${originPort}
${stats === null ? '' : haproxyStatistics(stats)}`;
}

function haproxyStatistics({ port, servers }: NonNullable<Course['stats']>): string {
  return `
listen stats
  mode http
  bind 127.0.0.1:${port}
  stats enable
  stats uri /

backend many
${Array.from({ length: servers }, (_, i) => `  server s${i} 127.0.0.1:9`).join('\n')}
`;
}

function nginxConfiguration({ port, originPort }: Course): string {
  return `daemon off;
master_process off;
error_log stderr crit;
events { worker_connections ${MAXCONN}; }
http {
  access_log off;
  keepalive_requests 1000000000;
  upstream origin { server 127.0.0.1:${originPort}; keepalive 128; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }
  }
}
`;
}
