/**
 * Plays one script against HAProxy and against Sluice, and gives what each made of it: all bytes and closes that clients
 * and servers saw, log lines, counters. The scripts are in scenarios/; differential.test.ts compares.
 */
import { once } from 'node:events';
import net from 'node:net';
import { closeFd, openListener } from '../../engine/io/bind.ts';
import { PLAIN_SPEC } from '../io/plain-spec.ts';
import { dial, type Wire, WireServer } from '../proxy/wire.ts';
import { type Peer, type Setup, type Stats, startHaproxy, startSluice } from './peers.ts';

/** What a script plays with. Nothing throws when a peer does not do as expected: what happened is compared afterwards. */
export interface Stage {
  /** Connects a client. */
  client(): Promise<Player>;
  /** Waits for the n-th connection at origin `which`. */
  server(n?: number, which?: number): Promise<Player>;
  /** Makes origin `which` answer each request head by itself; null = say nothing. */
  answer(with_: (head: string, n: number) => string | null, which?: number): void;
  pause(ms: number): Promise<void>;
}

/** A connection in the hands of a script. */
export interface Player {
  readonly wire: Wire;
  send(text: string): Player;
  /** Waits until `text` has come. */
  has(text: string): Promise<Player>;
  /** Waits for the other side's end. */
  end(): Promise<Player>;
  fin(): void;
  rst(): void;
}

export interface Scenario {
  readonly name: string;
  /** Words after the address of the bind line. */
  readonly bind?: string;
  readonly global?: readonly string[];
  /** Lines of the listen section. `$1`, `$2` ... are origins, `$dead` refuses, `$mute` never completes a connection. */
  readonly lines: readonly string[];
  readonly play: (stage: Stage) => Promise<void>;
  /** What may differ, and why: names of fields of `Outcome`, or of counters as `FRONTEND.bin`. */
  readonly differs?: Readonly<Record<string, string>>;
}

export interface Outcome {
  readonly clients: readonly string[];
  readonly servers: readonly string[];
  readonly log: readonly string[];
  readonly counters: Readonly<Record<string, string>>;
}

/** Gives up waiting after this long: the outcome then tells what was missing. Milliseconds. */
const PATIENCE_MS = 2500;

const DEFAULTS = [
  'mode http',
  // Since 3.3 HTTP backends have it unless it is switched off.
  'no option abortonclose',
  'balance roundrobin',
  'timeout client 1s',
  'timeout server 1s',
  'timeout connect 400ms',
  'retries 0',
];

/** Not the bytes of HTTP: HAProxy counts those of its own representation, Sluice those on the wire. */
const COMPARED = [
  'scur',
  'qcur',
  'stot',
  'dreq',
  'dresp',
  'ereq',
  'econ',
  'eresp',
  'wretr',
  'wredis',
  'lbtot',
  'hrsp_1xx',
  'hrsp_2xx',
  'hrsp_3xx',
  'hrsp_4xx',
  'hrsp_5xx',
  'hrsp_other',
  'req_tot',
  'cli_abrt',
  'srv_abrt',
  'conn_tot',
  'intercepted',
  'connect',
  'reuse',
  'wrew',
  'eint',
  'qmax',
  'smax',
] as const;

export const PEERS = { haproxy: startHaproxy, sluice: startSluice } as const;

/** One peer with the sections of many scenarios. */
export class Theatre {
  readonly #peer: Peer;
  readonly #stages: ReadonlyMap<string, Hall>;
  readonly #mute: Mute;

  private constructor(peer: Peer, stages: ReadonlyMap<string, Hall>, mute: Mute) {
    this.#peer = peer;
    this.#stages = stages;
    this.#mute = mute;
  }

  static async open(start: (setup: Setup) => Promise<Peer>, scenarios: readonly Scenario[]): Promise<Theatre> {
    const mute = await openMute();
    const stages = new Map<string, Hall>();
    const sections: { name: string; bind: string; lines: string[] }[] = [];
    for (const [i, scenario] of scenarios.entries()) {
      const hall = await openHall(`p${i}`, scenario);
      stages.set(scenario.name, hall);
      sections.push({
        name: hall.proxy,
        bind: scenario.bind ?? '',
        lines: linesOf(scenario).map(line =>
          line
            .replace(/\$(\d)/g, (_, n) => `127.0.0.1:${hall.origins[Number(n) - 1]!.port}`)
            .replaceAll('$dead', '127.0.0.1:1')
            .replaceAll('$mute', `127.0.0.1:${mute.port}`),
        ),
      });
    }
    const global = scenarios[0]?.global ?? [];
    return new Theatre(await start({ global, defaults: DEFAULTS, sections }), stages, mute);
  }

  async play(scenario: Scenario): Promise<Outcome> {
    const hall = this.#stages.get(scenario.name)!;
    const players: Player[] = [];
    const stage = stageOf(hall, this.#peer.port(hall.proxy), players);
    await scenario.play(stage);
    await stage.pause(60);
    const outcome = {
      clients: players.map(player => describe(player.wire)),
      servers: hall.origins.flatMap((origin, i) => origin.conns.map(wire => `${i + 1}: ${describe(wire)}`)),
    };
    for (const player of players) player.wire.socket.destroy();
    for (const origin of hall.origins) for (const wire of origin.conns) wire.socket.destroy();
    return { ...outcome, counters: await this.#settled(hall.proxy), log: this.#peer.log(hall.proxy) };
  }

  /** The counters, once the gauges are back at zero. */
  async #settled(proxy: string): Promise<Record<string, string>> {
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      const stats = await this.#peer.stats(proxy);
      const busy = Object.values(stats).some(row => Number(row.scur) > 0 || Number(row.qcur) > 0);
      if (!busy || Date.now() > deadline) return countersOf(stats);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }

  async close(): Promise<void> {
    for (const hall of this.#stages.values()) for (const origin of hall.origins) origin.stop();
    await this.#peer.stop();
    this.#mute.close();
  }
}

function countersOf(stats: Stats): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [row, cells] of Object.entries(stats)) {
    const names = cells.mode === 'tcp' ? [...COMPARED, 'bin', 'bout'] : COMPARED;
    for (const name of names)
      if ((cells[name] ?? '0') !== '0' && cells[name] !== '') found[`${row}.${name}`] = cells[name]!;
  }
  return found;
}

/** The origins of one scenario. */
interface Hall {
  readonly proxy: string;
  readonly origins: readonly WireServer[];
  readonly answers: (((head: string, n: number) => string | null) | null)[];
}

function linesOf(scenario: Scenario): readonly string[] {
  return scenario.lines.some(line => line.startsWith('server ')) ? scenario.lines : [...scenario.lines, 'server s1 $1'];
}

async function openHall(proxy: string, scenario: Scenario): Promise<Hall> {
  const text = linesOf(scenario).join('\n');
  const count = Math.max(0, ...[...text.matchAll(/\$(\d)/g)].map(m => Number(m[1])));
  const answers: Hall['answers'] = [];
  const origins: WireServer[] = [];
  for (let i = 0; i < count; i++) {
    answers.push(null);
    origins.push(await WireServer.start());
    serve(origins[i]!, answers, i);
  }
  return { proxy, origins, answers };
}

/** Answers heads on the connections of an origin once its script asked for that. What was received stays as it is. */
function serve(origin: WireServer, answers: Hall['answers'], i: number): void {
  origin.onConn = wire => {
    let at = 0;
    let n = 0;
    wire.socket.on('data', () => {
      const answer = answers[i];
      if (answer === null || answer === undefined) return;
      for (let end = wire.received.indexOf('\r\n\r\n', at); end >= 0; end = wire.received.indexOf('\r\n\r\n', at)) {
        const head = wire.received.slice(at, end + 4);
        at = end + 4;
        const text = answer(head, n++);
        if (text !== null) wire.send(text);
      }
    });
    wire.socket.on('end', () => {
      if (answers[i] !== null) wire.socket.end();
    });
  };
}

function stageOf(hall: Hall, port: number, players: Player[]): Stage {
  return {
    async client() {
      const player = playerOf(await dial(port));
      players.push(player);
      return player;
    },
    async server(n = 0, which = 1) {
      const origin = hall.origins[which - 1]!;
      const deadline = Date.now() + PATIENCE_MS;
      while (origin.conns.length <= n && Date.now() < deadline) await new Promise(resolve => setTimeout(resolve, 5));
      return playerOf(origin.conns[n] ?? null);
    },
    answer(with_, which = 1) {
      hall.answers[which - 1] = with_;
    },
    pause: ms => new Promise(resolve => setTimeout(resolve, ms)),
  };
}

/** `wire` null: the connection never came, and everything done with it is nothing. */
function playerOf(wire: Wire | null): Player {
  const player: Player = {
    wire: wire!,
    send(text) {
      wire?.send(text);
      return player;
    },
    async has(text) {
      await wire?.until(w => w.received.includes(text) || w.closed, PATIENCE_MS).catch(() => {});
      return player;
    },
    async end() {
      await wire?.until(w => w.ended || w.closed, PATIENCE_MS).catch(() => {});
      return player;
    },
    fin: () => void wire?.socket.end(),
    rst: () => void wire?.socket.resetAndDestroy(),
  };
  return player;
}

function describe(wire: Wire): string {
  const reset = wire.error?.code === 'ECONNRESET' && !wire.ended;
  const end = reset ? 'RST' : wire.ended ? 'FIN' : wire.closed ? 'closed' : 'open';
  return `${normalise(wire.received)}[${end}]`;
}

/** Ports are never the same twice; chunks may be cut in any way; long payloads are told by their length. */
function normalise(text: string): string {
  return joinChunks(text)
    .replace(/(PROXY TCP4 \S+ \S+) \d+ \d+/g, '$1 P P')
    .replace(/(.)\1{199,}/g, (run, c) => `<${c}*${run.length}>`);
}

/** Chunked payloads as one chunk without extensions: `{abcde}`; what is left of an incomplete one stands as it is. */
function joinChunks(text: string): string {
  const head = /transfer-encoding: chunked\r\n(?:.+\r\n)*\r\n/g;
  let out = '';
  let at = 0;
  for (let found = head.exec(text); found !== null; found = head.exec(text)) {
    let pos = head.lastIndex;
    let payload = '';
    for (;;) {
      const line = /^([0-9a-fA-F]+)[^\r]*\r\n/.exec(text.slice(pos));
      const size = line === null ? 0 : Number.parseInt(line[1]!, 16);
      if (size === 0) break;
      payload += text.slice(pos + line![0].length, pos + line![0].length + size);
      pos = Math.min(text.length, pos + line![0].length + size + 2);
    }
    out += `${text.slice(at, head.lastIndex)}{${payload}}`;
    at = pos;
    head.lastIndex = pos;
  }
  return out + text.slice(at);
}

/** A port whose connections never complete: its backlog is full. */
interface Mute {
  readonly port: number;
  close(): void;
}

async function openMute(): Promise<Mute> {
  const address = { family: 4 as const, bytes: new Uint8Array([127, 0, 0, 1]), port: 0 };
  const opened = openListener({ ...PLAIN_SPEC, address, backlog: 1 });
  if ('errno' in opened) throw new Error(opened.message);
  const { port } = opened.address;
  const fill = [0, 1, 2, 3].map(() => net.connect({ port, host: '127.0.0.1' }).on('error', () => {}));
  await once(fill[0]!, 'connect');
  return {
    port,
    close: () => {
      for (const socket of fill) socket.destroy();
      closeFd(opened.fd);
    },
  };
}
