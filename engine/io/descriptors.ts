/** The descriptors of the process as the system knows them: what each is, and where sockets lead (Linux: proc(5)). */
import fs from 'node:fs';
import { addressText } from './address.ts';
import { fileDescriptors } from './process.ts';

/** pipe, listening socket, connection of a client, connection to a server, anything else. */
export type FdKind = 'pipe' | 'listener' | 'frontend' | 'backend' | 'other';

export interface Descriptor {
  readonly fd: number;
  readonly kind: FdKind;
  /** What the system calls it: `socket:[1234]`, a path. */
  readonly what: string;
  /** Of a socket: its family and addresses. */
  readonly socket: string;
}

interface Socket {
  readonly family: string;
  readonly listens: boolean;
  readonly connected: boolean;
  readonly local: string;
  readonly peer: string;
}

/** TCP_LISTEN in <netinet/tcp.h>, as /proc/net/tcp writes it. */
const LISTENS = '0A';
/** __SO_ACCEPTCON in /proc/net/unix. */
const ACCEPTS = 0x10000;

export function descriptors(): Descriptor[] {
  const sockets = socketTable();
  const own = fileDescriptors();
  const found = own.map(({ what }) => sockets.get(/^socket:\[(\d+)\]$/.exec(what)?.[1] ?? ''));
  const listening = new Set(found.filter(socket => socket?.listens).map(socket => portOf(socket!)));
  return own.map(({ fd, what }, i) => {
    const socket = found[i];
    return { fd, what, kind: kindOf(what, socket, listening), socket: socket === undefined ? '' : textOf(socket) };
  });
}

/** A connection that ends at a port where we listen came from a client. */
function kindOf(what: string, socket: Socket | undefined, listening: ReadonlySet<string>): FdKind {
  if (what.startsWith('pipe:')) return 'pipe';
  if (socket === undefined) return 'other';
  if (socket.listens) return 'listener';
  if (!socket.connected) return 'other';
  return listening.has(portOf(socket)) ? 'frontend' : 'backend';
}

function portOf({ family, local }: Socket): string {
  return family === 'unix' ? local : local.slice(local.lastIndexOf(':'));
}

function textOf({ family, listens, local, peer }: Socket): string {
  const state = listens ? 'l.st=RDY ' : '';
  const to = listens || peer === '' ? '' : ` peer=${peer}`;
  return `${state}fam=${family}${local === '' ? '' : ` local=${local}`}${to}`;
}

function lines(path: string): string[] {
  try {
    return fs.readFileSync(path, 'utf8').split('\n').slice(1);
  } catch {
    return [];
  }
}

/** All sockets of the network namespace, by inode. */
function socketTable(): Map<string, Socket> {
  const table = new Map<string, Socket>();
  for (const [file, family] of [
    ['tcp', 'ipv4'],
    ['tcp6', 'ipv6'],
    ['udp', 'ipv4'],
    ['udp6', 'ipv6'],
  ] as const) {
    for (const line of lines(`/proc/self/net/${file}`)) {
      const words = line.trim().split(/\s+/);
      if (words.length < 10) continue;
      const stream = file.startsWith('tcp');
      const listens = stream && words[3] === LISTENS;
      const [local, peer] = [words[1]!, words[2]!].map(hostPort);
      table.set(words[9]!, { family, listens, connected: stream && !listens, local: local!, peer: peer! });
    }
  }
  for (const line of lines('/proc/self/net/unix')) {
    const [, flags, state, inode, path = ''] = /^\S+ \S+ \S+ (\S+) \S+ (\S+) +(\d+) ?(.*)$/.exec(line) ?? [];
    if (inode === undefined) continue;
    const listens = (Number.parseInt(flags!, 16) & ACCEPTS) !== 0;
    table.set(inode, { family: 'unix', listens, connected: state === '03', local: path, peer: '' });
  }
  return table;
}

/** `0100007F:1F90`: words of four bytes in the order of the machine, then the port. */
function hostPort(text: string): string {
  const [host, port] = text.split(':') as [string, string];
  const bytes = Buffer.from(host, 'hex');
  bytes.swap32();
  return addressText({ family: bytes.length === 4 ? 4 : 6, bytes, port: Number.parseInt(port, 16) });
}
