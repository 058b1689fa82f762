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
  readonly setup: Setup;
  /** Certificate of rows with TLS. */
  readonly pem: string;
}

/** What a row asks for beyond a plain proxy. */
export interface Setup {
  readonly threads: number;
  /** Connections at most; two descriptors each, so that MAXCONN fits the usual limit of 20,000. */
  readonly maxconn: number;
  /** Lines of these sections, in HAProxy's language; `$ORIGIN` = where the servers are. */
  readonly global: readonly string[];
  readonly frontend: readonly string[];
  /** TLS to clients. */
  readonly tls: boolean;
}

export const PLAIN: Setup = { threads: 1, maxconn: 8_000, global: [], frontend: [], tls: false };

export interface Peer {
  readonly name: string;
  readonly modes: readonly Course['mode'][];
  /** It runs HAProxy's configurations: statistics, rules. */
  readonly cfg: boolean;
  /** Null = not installed. */
  readonly version: () => string | null;
  readonly configuration: (course: Course) => string;
  /** Its command line for a configuration file. It must stay one process in the foreground. */
  readonly command: (file: string, io: string | null) => readonly [string, ...string[]];
}

const LAUNCHER = path.join(import.meta.dirname, '../../scripts/sluice');

export const PEERS: readonly Peer[] = [
  {
    ...{ name: 'sluice', modes: ['http', 'tcp'], cfg: true, configuration: haproxyConfiguration },
    version: () => versionOf(LAUNCHER),
    command: (file, io) => [LAUNCHER, ...(io === null ? [] : [`--io=${io}`]), '-q', '-f', file],
  },
  {
    ...{ name: 'haproxy', modes: ['http', 'tcp'], cfg: true, configuration: haproxyConfiguration },
    version: () => versionOf('haproxy'),
    command: file => ['haproxy', '-q', '-db', '-f', file],
  },
  {
    // TCP needs a module that is not part of every package.
    ...{ name: 'nginx', modes: ['http'], cfg: false, configuration: nginxConfiguration },
    version: () => versionOf('nginx'),
    // nginx removes its pid file when it ends: never name one that is not its own.
    command: file => ['nginx', '-c', file, '-g', `pid ${file}.pid;`],
  },
];

function haproxyConfiguration({ mode, port, originPort, stats, setup, pem }: Course): string {
  const origin = `127.0.0.1:${originPort}`;
  const lines = (list: readonly string[]) => list.map(line => `  ${line.replace('$ORIGIN', origin)}\n`).join('');
  return `global
  nbthread ${setup.threads}
  maxconn ${setup.maxconn}
${lines(setup.global)}
defaults
  mode ${mode}
  timeout connect 5s
  timeout client 60s
  timeout server 60s

frontend race
  bind 127.0.0.1:${port} backlog 4096${setup.tls ? ` ssl crt ${pem} ciphersuites TLS_AES_128_GCM_SHA256` : ''}
  default_backend origin
${lines(setup.frontend)}
backend origin
  ${mode === 'http' ? 'http-reuse always' : ''}
  server origin ${origin}
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

function nginxConfiguration({ port, originPort, setup }: Course): string {
  return `daemon off;
master_process off;
error_log stderr crit;
events { worker_connections ${setup.maxconn}; }
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
