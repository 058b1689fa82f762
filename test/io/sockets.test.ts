/** What `bind` and `server` lines want of their sockets, in a real kernel: where connections come from, and their options. */
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import net from 'node:net';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createIo, probeIo } from '../../engine/io/choose.ts';
import { type Rig, startRig } from '../proxy/rig.ts';

const IOS = probeIo('auto').name === 'uring' ? ['net', 'uring'] : ['net'];
/** Addresses that are not ours, and devices, want privileges. */
const ROOT = process.getuid?.() === 0;
const SS = ['/usr/bin/ss', '/bin/ss', '/usr/sbin/ss'].find(existsSync);

let rig: Rig | null = null;
const closing: { close(): unknown }[] = [];

afterEach(async () => {
  await rig?.stop();
  rig = null;
  for (const one of closing.splice(0)) one.close();
});

/** By all mirrors. */
let accepted = 0;

/** A server that answers with the address that it sees, and keeps its connections. */
async function mirror(): Promise<number> {
  const server = net.createServer(socket => {
    accepted++;
    closing.push({ close: () => socket.destroy() });
    socket.on('error', () => {});
    socket.on('data', () => {
      const seen = `${socket.remoteAddress} ${socket.remotePort}`;
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${seen.length}\r\n\r\n${seen}`);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(server);
  return (server.address() as net.AddressInfo).port;
}

async function start(lines: string, io: string, more = ''): Promise<void> {
  rig = await startRig(
    `
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 300
  retries 0
listen web
  bind 127.0.0.1:1
  ${lines}
${more}
`,
    { io: () => createIo(io) },
  );
}

/** Asks from an address; gives what the server saw (or the status), and the client's own port. */
async function ask(localAddress: string, headers = '', proxy = 'web'): Promise<{ saw: string; port: number }> {
  const socket = net.connect({ port: rig!.port(proxy), host: '127.0.0.1', localAddress });
  await once(socket, 'connect');
  const port = socket.localPort!;
  socket.write(`GET / HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`);
  let text = '';
  for await (const data of socket) text += data;
  return { saw: text.startsWith('HTTP/1.1 200') ? text.split('\r\n\r\n')[1]! : text.slice(9, 12), port };
}

describe.runIf(ROOT).each(IOS)('usesrc on %s', io => {
  test('clientip: the server sees the client, and no other client gets that connection', async () => {
    await start(`http-reuse always\n  server s 127.0.0.1:${await mirror()} source 0.0.0.0 usesrc clientip`, io);
    const first = (await ask('127.0.0.5')).saw;
    expect(first).toMatch(/^127\.0\.0\.5 /);
    expect((await ask('127.0.0.6')).saw).toMatch(/^127\.0\.0\.6 /);
    expect((await ask('127.0.0.5')).saw).toBe(first);
  });

  test('client: its port, too', async () => {
    await start(`source 0.0.0.0 usesrc client\n  server s 127.0.0.1:${await mirror()}`, io);
    const { saw, port } = await ask('127.0.0.7');
    expect(saw).toBe(`127.0.0.7 ${port}`);
  });

  test('hdr_ip: the address in a header, else our own', async () => {
    const lines = 'source 127.0.0.3 usesrc hdr_ip(x-forwarded-for,-1)';
    await start(`${lines}\n  server s 127.0.0.1:${await mirror()}`, io);
    expect((await ask('127.0.0.5', 'X-Forwarded-For: 10.0.0.1, 127.0.0.8\r\n')).saw).toMatch(/^127\.0\.0\.8 /);
    expect((await ask('127.0.0.5')).saw).toMatch(/^127\.0\.0\.3 /);
  });

  test('an address, which a line of the server has its own of', async () => {
    const lines = 'source 127.0.0.3 usesrc 127.0.0.9\n  http-reuse never\n  balance roundrobin';
    const port = await mirror();
    await start(`${lines}\n  server a 127.0.0.1:${port}\n  server b 127.0.0.1:${port} source 127.0.0.4`, io);
    const saw = [(await ask('127.0.0.1')).saw, (await ask('127.0.0.1')).saw].map(text => text.split(' ')[0]).sort();
    expect(saw).toEqual(['127.0.0.4', '127.0.0.9']);
  });

  test('a foreign address is bound to: nothing comes back, but nothing is refused', async () => {
    await start(`server s 127.0.0.1:${await mirror()} source 0.0.0.0 usesrc 192.0.2.77`, io);
    expect((await ask('127.0.0.1')).saw).toBe('503');
    // Refused it would be SC.
    expect(rig!.ends[0]!.state).toBe('sC');
  });
});

test.runIf(ROOT).each(IOS)('interface on %s: one that is there is used, another fails', async io => {
  const port = await mirror();
  await start(`server s 127.0.0.1:${port} source 0.0.0.0 interface lo`, io);
  expect((await ask('127.0.0.1')).saw).toMatch(/^127\.0\.0\.1 /);
  await rig!.stop();
  await start(`server s 127.0.0.1:${port} source 0.0.0.0 interface nosuch0`, io);
  expect((await ask('127.0.0.1')).saw).toBe('503');
});

/** What `ss` tells of the open connections to a port. */
function info(port: number, more = '-o'): string {
  return execFileSync(SS!, ['-Htino', more, 'state', 'established', 'dport', '=', String(port)], { encoding: 'utf8' });
}

for (const io of IOS) {
  test.runIf(SS !== undefined)(`${io}: keep-alive probes and buffers are as the lines say`, async () => {
    const port = await mirror();
    await start(
      `option tcpka\n  clitcpka-idle 33s\n  srvtcpka-idle 44s\n  http-reuse always\n  server s 127.0.0.1:${port}`,
      io,
      'global\n  tune.sndbuf.client 20000\n  tune.rcvbuf.server 30000',
    );
    const client = net.connect(rig!.port('web'), '127.0.0.1');
    closing.push({ close: () => client.destroy() });
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await once(client, 'data');
    // The kernel doubles what it is asked for.
    expect(info(port, '-m')).toMatch(/timer:\(keepalive,4\ds[\s\S]*rb60000\b/);
    const ours = execFileSync(SS!, ['-Htinom', 'sport', '=', String(rig!.port('web'))], { encoding: 'utf8' });
    expect(ours).toMatch(/timer:\(keepalive,3\ds/);
  });

  test.runIf(SS !== undefined)(`${io}: cc and tcp-ut reach the connection`, async () => {
    const port = await mirror();
    const sleepy = net.createServer(socket => {
      socket.on('error', () => {});
      closing.push({ close: () => socket.destroy() });
    });
    sleepy.listen(0, '127.0.0.1');
    await once(sleepy, 'listening');
    closing.push(sleepy);
    const silent = (sleepy.address() as net.AddressInfo).port;
    await start(
      `server s 127.0.0.1:${silent} cc reno tcp-ut 12s`,
      io,
      `listen other\n  bind 127.0.0.1:1 cc reno\n  server s 127.0.0.1:${port}`,
    );
    const socket = net.connect(rig!.port('web'), '127.0.0.1');
    closing.push({ close: () => socket.destroy() });
    socket.on('error', () => {});
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await expect.poll(() => info(silent)).toContain(' reno ');
    const client = net.connect(rig!.port('other'), '127.0.0.1');
    closing.push({ close: () => client.destroy() });
    client.on('error', () => {});
    await once(client, 'connect');
    await expect.poll(() => info(client.localPort!)).toContain(' reno ');
  });
}

describe.each(IOS)('tcp-md5sig on %s', io => {
  test('who has the password gets through, nobody else', async () => {
    const port = await mirror();
    const far = `listen far\n  bind 127.0.0.1:1 tcp-md5sig secret\n  server s 127.0.0.1:${port}`;
    rig = await startRig(
      `defaults\n  mode http\n  timeout client 2s\n  timeout server 2s\n  timeout connect 1s\n${far}\n`,
    );
    const signed = rig.port('far');
    const first = rig;
    for (const [word, expected] of [
      ['tcp-md5sig secret', /^127/],
      ['tcp-md5sig other', /^503$/],
      ['', /^503$/],
    ] as const) {
      await start(`server s 127.0.0.1:${signed} ${word}`, io);
      expect((await ask('127.0.0.1')).saw).toMatch(expected);
      await rig!.stop();
    }
    rig = first;
  });
});

for (const io of IOS) {
  test(`${io}: tcp-ss keeps the SYN`, async () => {
    await start(
      'server s 127.0.0.1:1',
      io,
      `listen syn
  bind 127.0.0.1:1 tcp-ss 1
  tcp-request connection set-var(sess.syn) fc_saved_syn
  http-request return status 200 content-type text/plain lf-string %[var(sess.syn),hex]`,
    );
    const { saw, port } = await ask('127.0.0.5', '', 'syn');
    const head = Buffer.from(saw, 'hex');
    expect([head[0], head[9], head.readUInt16BE(20), head[33]]).toEqual([0x45, 6, port, 0x02]);
  });
}

describe.each(IOS)('a range of source ports on %s', io => {
  /** Two ports that nobody has, and that the kernel gives nobody. */
  async function range(): Promise<string> {
    for (let port = 20_000 + (process.pid % 10_000); ; port++) {
      const servers = [port, port + 1].map(at => net.createServer().listen(at, '127.0.0.1'));
      const free = await Promise.allSettled(servers.map(server => once(server, 'listening')));
      for (const server of servers) server.close();
      if (free.every(({ status }) => status === 'fulfilled')) return `${port}-${port + 1}`;
    }
  }

  test('a port that somebody else has: no connection from another one is made', async () => {
    const server = net.createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    closing.push(server);
    const { port } = server.address() as net.AddressInfo;
    await start(`mode tcp\n  server s 127.0.0.1:${await mirror()} source 127.0.0.1:${port}`, io);
    const before = accepted;
    const client = net.connect(rig!.port('web'), '127.0.0.1').resume();
    await once(client, 'close');
    expect([accepted - before, rig!.ends[0]!.state]).toEqual([0, 'SC']);
  });

  test('each connection has a port of its own; none is left: SC; one that is given back is used again', async () => {
    const ports = await range();
    const lines = `mode tcp\n  retries 1\n  server s 127.0.0.1:${await mirror()} source 127.0.0.1:${ports}`;
    await start(lines, io);
    /** A connection, and the port that the server sees; '' = it was closed. */
    const connect = async () => {
      const client = net.connect(rig!.port('web'), '127.0.0.1');
      closing.push({ close: () => client.destroy() });
      client.on('error', () => {}).write('x');
      const data = await Promise.race([once(client, 'data'), once(client, 'close')]);
      return { client, port: /\d+$/.exec(String(data[0]))?.[0] ?? '' };
    };
    const [first, second] = [await connect(), await connect()];
    expect([first.port, second.port].sort().join('-')).toBe(ports);
    const begun = Date.now();
    expect((await connect()).port).toBe('');
    expect(rig!.ends.map(({ state }) => state)).toEqual(['SC']);
    expect(rig!.ends[0]!.retries).toBe(1);
    // Without a turn-around, which would take 300 ms.
    expect(Date.now() - begun).toBeLessThan(250);
    first.client.destroy();
    await vi.waitFor(async () => expect((await connect()).port).toBe(first.port));
  });
});

test.skipIf(process.platform !== 'linux').each(IOS)(
  'abstract names, filled with zeros or as long as they are (%s)',
  async io => {
    const name = `sluice-sockets-${process.pid}-${io}`;
    for (const [path, answer] of [
      [`\0${name}`, 'exact'],
      [`\0${name}`.padEnd(108, '\0'), 'padded'],
    ] as const) {
      const server = net.createServer(socket => {
        socket.on('error', () => {});
        socket.on('data', () => socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${answer.length}\r\n\r\n${answer}`));
      });
      server.listen({ path });
      await once(server, 'listening');
      closing.push(server);
    }
    await start(`server s abnsz@${name}`, io, `listen padded\n  bind 127.0.0.1:1\n  server s abns@${name}`);
    expect((await ask('127.0.0.1')).saw).toBe('exact');
    expect((await ask('127.0.0.1', '', 'padded')).saw).toBe('padded');
  },
);
