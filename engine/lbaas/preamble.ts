/**
 * What stands before the listeners of a configuration, and how the configurations of several load balancers become that of one
 * process. Names do not meet: they all are ids.
 */
import { quote } from './quote.ts';

/** Where the process of a configuration is spoken to, and where it finds what the one before knew. */
export interface Files {
  /** Path of the runtime API's socket. */
  readonly socket: string;
  /** Path of the file with the states that the members had in the process before. */
  readonly states: string;
}

const LAST = '  load-server-state-from-file global';

/** @param own lines of the global section that not every load balancer has */
export function preambleLines({ socket, states }: Files, own: readonly string[]): string[] {
  return [
    'global',
    `  stats socket ${quote(socket)} mode 600 level admin`,
    '  stats timeout 1h',
    `  server-state-file ${quote(states)}`,
    ...own.map(line => `  ${line}`),
    '',
    'defaults',
    '  retries 3',
    '  option redispatch',
    '  option http-keep-alive',
    LAST,
  ];
}

interface Parts {
  readonly title: string;
  readonly own: readonly string[];
  readonly proxies: string;
}

function partsOf(text: string): Parts {
  const lines = text.split('\n');
  const from = lines.findIndex(line => line.startsWith('  server-state-file ')) + 1;
  const own = lines.slice(from, lines.indexOf('', from)).map(line => line.trim());
  return { title: lines[0]!, own, proxies: lines.slice(lines.indexOf(LAST) + 1).join('\n') };
}

/** The listeners and pools of a configuration. */
export function proxiesOf(text: string): string {
  return partsOf(text).proxies;
}

/** Frontends and backends of a configuration. */
export function proxyNames(text: string): string[] {
  return [...text.matchAll(/^(?:frontend|backend) (\S+)$/gm)].map(([, name]) => name!);
}

/** The configuration of a process that is to do what all of these say. */
export function joinedText(texts: readonly string[], files: Files): string {
  const parts = texts.map(partsOf);
  const own = [...new Set(parts.flatMap(part => part.own))];
  const each = parts.flatMap(({ title, proxies }) => ['', title, proxies]);
  return [`# ${texts.length} load balancers: written by sluice lbaas.`, ...preambleLines(files, own), ...each].join(
    '\n',
  );
}

/** Whether a load balancer needs a process of its own: it has settings that are a whole process's. */
export function standsAlone(text: string): boolean {
  return partsOf(text).own.some(line => ALONE.test(line));
}

const ALONE = /^(maxconn|nbthread (?!1$))/;
