/**
 * The server behind every proxy, a process of its own: `GET /` has two bytes, `GET /1m` has 1 MiB, `GET /json`
 * 20 KiB of JSON. It keeps connections
 * alive unless it is told to close. Log lines sent to the same port over UDP are swallowed. Prints its port.
 */
import dgram from 'node:dgram';
import { type AddressInfo, createServer, type Socket } from 'node:net';

const END = '\r\n\r\n';

function response(body: Buffer, more: string): Buffer {
  return Buffer.concat([Buffer.from(`HTTP/1.1 200 OK\r\n${more}Content-Length: ${body.length}${END}`), body]);
}

/** A response that keeps the connection, and one that ends it. */
function responses(body: Buffer, more = ''): { keep: Buffer; close: Buffer } {
  return { keep: response(body, more), close: response(body, `${more}Connection: close\r\n`) };
}

const SMALL = responses(Buffer.from('ok'));
const LARGE = responses(Buffer.alloc(1 << 20, 'x'));
const ITEMS = Array.from({ length: 240 }, (_, id) => ({
  id,
  name: `item ${id}`,
  tags: ['a', 'b'],
  value: Math.sin(id),
}));
const JSON_TEXT = responses(Buffer.from(JSON.stringify(ITEMS)), 'Content-Type: application/json\r\n');
const PATHS: Readonly<Record<string, typeof SMALL>> = { '/1m': LARGE, '/json': JSON_TEXT };

function serve(socket: Socket): void {
  let text = '';
  socket.setNoDelay(true);
  socket.on('error', () => {});
  socket.on('data', chunk => {
    text += chunk.toString('latin1');
    for (let end = text.indexOf(END); end >= 0; end = text.indexOf(END)) {
      const head = text.slice(0, end);
      text = text.slice(end + END.length);
      const { keep, close } = PATHS[head.split(' ')[1]!] ?? SMALL;
      if (/\r\nconnection: *close/i.test(head)) socket.end(close);
      else socket.write(keep);
    }
  });
}

const server = createServer(serve);
server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 }, () => {
  const { port } = server.address() as AddressInfo;
  dgram.createSocket('udp4').bind(port, '127.0.0.1', () => console.log(port));
});
