/**
 * Full TLS handshakes over the simulated network, half of them aborted somewhere on the way: how many per second, and
 * whether anything is left of them. `node bench/micro/tls-handshakes.ts [count]`
 */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { DEFAULT_BIND_SETTINGS, DEFAULT_SETTINGS } from '../../engine/config/tls-draft.ts';
import { NOBODY } from '../../engine/io/common.ts';
import type { Conn } from '../../engine/io/contract.ts';
import { createSim } from '../../engine/io/sim.ts';
import { monotonicMs } from '../../engine/time.ts';
import { readBundle } from '../../engine/tls/bundle.ts';
import { acceptTls, connectTls } from '../../engine/tls/conn.ts';
import { clientContext, serverContext } from '../../engine/tls/context.ts';
import type { TlsEnd } from '../../engine/tls/end.ts';
import { alive } from '../../engine/tls/handle.ts';
import { TlsStore } from '../../engine/tls/store.ts';
import { singleKey } from '../../engine/tls/tickets.ts';
import { certificateIn } from '../race/certificate.ts';

const COUNT = Number(process.argv[2] ?? 100_000);
const AT_ONCE = 500;
const REPORT_EVERY = Math.max(AT_ONCE, COUNT / 10);
const LOOPBACK = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 0 } as const;
const HELLO = Buffer.from('hello');

const pem = certificateIn(tmpdir());
const certificate = readBundle(pem, path => (path === pem ? readFileSync(path) : null));
if ('problem' in certificate) throw new Error(certificate.problem);

const ticketKey = new Uint8Array(80).fill(7);
const store = new TlsStore({
  certificates: [],
  authorities: [],
  revocations: [],
  ticketKeys: [],
  lists: [],
  keylog: false,
  ticketKey,
  sessions: null,
});
const side = { identity: 'bench', tickets: singleKey(ticketKey), dhParams: null, dhBits: 0 };
const limits = { sessions: null, lifetimeSeconds: 300, maxRecordBytes: 0, keyUpdatesMax: 100 };
const [accepting, connecting] = [
  serverContext(store, DEFAULT_BIND_SETTINGS, { ...side, ...limits }, certificate),
  clientContext(store, {
    ...DEFAULT_SETTINGS,
    ...{
      certificate: null,
      verifyHost: null,
      sni: null,
      sniIsHost: false,
      renegotiate: true,
      sniName: null,
      reuse: false,
      early: false,
      file: '',
      line: 0,
    },
  }),
];
const SERVER: TlsEnd = { client: false, context: () => accepting };
const CLIENT: TlsEnd = { client: true, context: () => connecting };

let opened = 0;

/** `AT_ONCE` connections of both ends, until none is left. */
function round(seed: number): void {
  const sim = createSim(seed);
  const [client, server] = [sim.host(), sim.host()];
  const fd = sim.bind(LOOPBACK);
  server.listen(fd, AT_ONCE, under => {
    const echo = (conn: Conn, chunk: Parameters<Conn['forward']>[0]) => conn.forward(chunk, chunk.start, chunk.end);
    acceptTls(server, under, SERVER).handler = { ...NOBODY, onData: echo, onEnd: conn => conn.close() };
  });
  const handler = {
    ...NOBODY,
    onOpen: (conn: Conn) => {
      opened++;
      conn.send(HELLO, 0, HELLO.length);
    },
    onData: (conn: Conn) => conn.close(),
  };
  for (let i = 0; i < AT_ONCE; i++) {
    const conn = connectTls(client, CLIENT, handler, under =>
      client.connect(sim.nameOf(fd), { source: null, tfo: false }, under),
    );
    // Some before the handshake, some within it, some after it.
    if (i % 2 === 1) {
      sim.run((i % 40) / 4);
      conn.abort(i % 3 === 0);
    }
  }
  sim.run(10_000);
}

console.log('connections  handshakes  per second  alive  MiB resident');
const start = monotonicMs();
for (let done = 0; done < COUNT; ) {
  round(done + 1);
  done += AT_ONCE;
  if (done % REPORT_EVERY !== 0) continue;
  const seconds = (monotonicMs() - start) / 1000;
  const mib = Math.round(process.memoryUsage.rss() / 2 ** 20);
  const cells = [
    [done, 11],
    [opened, 10],
    [Math.round(opened / seconds), 10],
    [alive.connection, 5],
    [mib, 12],
  ] as const;
  console.log(cells.map(([value, width]) => String(value).padStart(width)).join('  '));
}
accepting.free();
connecting.free();
console.log(`left: ${JSON.stringify(alive)}`);
