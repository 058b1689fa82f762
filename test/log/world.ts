/** A rig that logs: real traffic, a syslog server on UDP, and clients and servers that misbehave. */
import dgram from 'node:dgram';
import net from 'node:net';
import { onTestFinished } from 'vitest';
import { Logger } from '../../engine/log/index.ts';
import { wallMs } from '../../engine/time.ts';
import { type Rig, startRig } from '../proxy/rig.ts';

export interface World {
  readonly rig: Rig;
  /** Waits for the next line and gives it, without its header. */
  readonly next: () => Promise<string>;
  /** The next datagram as it came. */
  readonly nextRaw: () => Promise<string>;
  /** Datagrams that nobody asked for yet. */
  readonly lines: string[];
  readonly complaints: string[];
  /** Sends `data` to a frontend, gives what comes back until the end. */
  readonly send: (frontend: string, data: string | Uint8Array, end?: boolean) => Promise<string>;
}

export const HEADER = /^<\d+>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d haproxy\[\d+\]: /;

/** Starts what `config` says; `$LOG` is the port of the syslog server, `$SERVER` that of a server, `$DEAD` of none. */
export async function start(config: string): Promise<World> {
  const syslog = dgram.createSocket('udp4');
  await new Promise<void>(resolve => syslog.bind(0, '127.0.0.1', resolve));
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  syslog.on('message', bytes => {
    const take = waiting.shift();
    if (take === undefined) lines.push(bytes.toString('latin1'));
    else take(bytes.toString('latin1'));
  });
  const server = net.createServer(answer);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const dead = net.createServer();
  await new Promise<void>(resolve => dead.listen(0, '127.0.0.1', resolve));
  const deadPort = (dead.address() as net.AddressInfo).port;
  await new Promise(resolve => dead.close(resolve));
  const complaints: string[] = [];
  const text = config
    .replaceAll('$LOG', `${syslog.address().port}`)
    .replaceAll('$SERVER', `${(server.address() as net.AddressInfo).port}`)
    .replaceAll('$DEAD', `${deadPort}`);
  const rig = await startRig(text, {
    events: (model, memory, io) => {
      const facts = { pid: 42, hostname: 'vm' };
      return new Logger({
        ...{ model, memory, worker: 0, facts, wall: wallMs, io },
        complain: said => complaints.push(said),
      });
    },
  });
  onTestFinished(async () => {
    await rig.stop();
    server.close();
    syslog.close();
  });
  const nextRaw = async () => lines.shift() ?? (await new Promise<string>(resolve => waiting.push(resolve)));
  return {
    rig,
    nextRaw,
    next: async () => (await nextRaw()).replace(HEADER, '').trimEnd(),
    lines,
    complaints,
    send: (frontend, data, end = false) => exchange(rig.port(frontend), data, end),
  };
}

function answer(socket: net.Socket): void {
  socket.on('error', () => {});
  socket.on('data', data => {
    const [, uri] = data.toString().split(' ');
    if (uri === '/close') socket.destroy();
    else if (uri === '/late') setTimeout(() => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'), 100);
    else if (uri !== '/never') socket.write('HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello');
  });
}

function exchange(port: number, data: string | Uint8Array, end: boolean): Promise<string> {
  return new Promise(resolve => {
    const client = net.connect(port, '127.0.0.1');
    let got = '';
    client.on('error', () => {});
    client.on('data', bytes => (got += bytes.toString('latin1')));
    client.on('close', () => resolve(got));
    if (end) client.end(data);
    else client.write(data);
  });
}

export const GET = (uri: string): string => `GET ${uri} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n`;

/** `listen l` in HTTP mode with one server, logging to the syslog server. */
export const listen = (lines: string, server = 'server s 127.0.0.1:$SERVER'): string => `
  defaults
    log 127.0.0.1:$LOG local0
    timeout client 2s
    timeout server 1s
    timeout connect 1s
    timeout http-request 1s
    retries 1
  listen l
    mode http
    bind 127.0.0.1:1
    ${lines}
    ${server}
`;

/** Dates, ports and times differ from run to run. */
export function steady(line: string): string {
  return line
    .replace(/127\.0\.0\.1:\d+/, 'CLIENT')
    .replace(/\[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}\]/, '[DATE]')
    .replace(/ [-+\d]+(?:\/[-+\d]+){2,4} /, times => times.replace(/(?<!-|\d)\d+/g, 'T'));
}
