/**
 * A name server for tests, over UDP and TCP on one port of the loopback. Its answers can change at any time, and it can
 * be late, silent, cut short, or lie.
 */
import dgram from 'node:dgram';
import net from 'node:net';
import dnsPacket, { type Answer, type Packet, type Question, type SrvData } from 'dns-packet';

export type Rcode = 'NOERROR' | 'NXDOMAIN' | 'REFUSED' | 'SERVFAIL';
type Address = 'A' | 'AAAA';

const RCODES: Readonly<Record<Rcode, number>> = { NOERROR: 0, SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 };
/** Header flags: recursion desired and available; truncated. */
const RECURSION = 0x180;
const TRUNCATED = 0x200;
const TTL_SECONDS = 1;

/** What a lie makes of an answer: other bytes, or null for none. */
export type Lie = (answer: Packet, question: Question) => Packet | Uint8Array | null;

export class NameServer {
  readonly #answers = new Map<string, Answer[]>();
  readonly #additionals = new Map<string, Answer[]>();
  readonly #udp = dgram.createSocket('udp4');
  readonly #tcp = net.createServer(socket => this.#serve(socket));
  readonly #sockets = new Set<net.Socket>();
  /** What was asked, in order. */
  readonly asked: { readonly type: string; readonly name: string; readonly tcp: boolean }[] = [];
  /** For names without an answer: the name does not exist. */
  otherwise: Rcode = 'NXDOMAIN';
  /** Answers nothing at all. */
  silent = false;
  /** Answers over UDP only that TCP is to be used. */
  truncates = false;
  delayMs = 0;
  lie: Lie | null = null;
  /** Sends the answers over UDP instead. */
  divert: ((answer: Uint8Array, port: number) => void) | null = null;
  port = 0;
  #stopped = false;

  /** Both sockets on one port, `port` or any. */
  async start(port = 0): Promise<this> {
    for (let tries = 0; tries < 20; tries++) {
      await new Promise<void>(resolve => this.#tcp.listen(port, '127.0.0.1', resolve));
      this.port = (this.#tcp.address() as net.AddressInfo).port;
      const bound = await new Promise<boolean>(resolve => {
        this.#udp.once('error', () => resolve(false));
        this.#udp.bind(this.port, '127.0.0.1', () => resolve(true));
      });
      if (bound) break;
      await new Promise(resolve => this.#tcp.close(resolve));
    }
    this.#udp.removeAllListeners('error');
    this.#udp.on('error', () => {});
    this.#udp.on('message', (bytes: Uint8Array, from) => {
      this.#answer(bytes, false, answer => {
        if (this.divert !== null) this.divert(answer, from.port);
        else this.#udp.send(answer, from.port, from.address);
      });
    });
    return this;
  }

  async stop(): Promise<void> {
    if (this.#stopped) return;
    this.#stopped = true;
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([
      new Promise(resolve => this.#tcp.close(resolve)),
      new Promise<void>(resolve => this.#udp.close(() => resolve())),
    ]);
  }

  /** The addresses of a name; none = the name is there, but has no such address. */
  addresses(type: Address, name: string, ...data: readonly string[]): void {
    this.#answers.set(
      `${type} ${name}`,
      data.map(address => ({ type, name, ttl: TTL_SECONDS, data: address })),
    );
  }

  /** The SRV records of a name; their addresses, where given, come along in the additional section. */
  services(name: string, ...records: readonly (SrvData & { readonly address?: string })[]): void {
    this.#answers.set(
      `SRV ${name}`,
      records.map(({ address: _, ...data }) => ({ type: 'SRV', name, ttl: TTL_SECONDS, data })),
    );
    this.#additionals.set(
      `SRV ${name}`,
      records.flatMap(({ target, address }) =>
        address === undefined ? [] : [{ type: 'A' as const, name: target, ttl: TTL_SECONDS, data: address }],
      ),
    );
  }

  alias(name: string, target: string, type: Address = 'A'): void {
    const answers = this.#answers.get(`${type} ${target}`) ?? [];
    this.#answers.set(`${type} ${name}`, [{ type: 'CNAME', name, ttl: TTL_SECONDS, data: target }, ...answers]);
  }

  /** The name is gone. */
  forget(name: string): void {
    for (const type of ['A', 'AAAA', 'SRV']) this.#answers.delete(`${type} ${name}`);
  }

  #answer(bytes: Uint8Array, tcp: boolean, send: (answer: Uint8Array) => void): void {
    const query = dnsPacket.decode(Buffer.from(bytes));
    const question = query.questions![0]!;
    this.asked.push({ type: question.type, name: question.name, tcp });
    if (this.silent) return;
    const key = `${question.type} ${question.name}`;
    const answers = this.#answers.get(key);
    const known = answers !== undefined || [...this.#answers.keys()].some(k => k.endsWith(` ${question.name}`));
    const rcode = known ? 'NOERROR' : this.otherwise;
    const cut = this.truncates && !tcp;
    const honest: Packet = {
      ...{ type: 'response', id: query.id!, questions: [question] },
      flags: RECURSION | RCODES[rcode] | (cut ? TRUNCATED : 0),
      answers: cut ? [] : (answers ?? []),
      additionals: cut ? [] : (this.#additionals.get(key) ?? []),
    };
    const said = this.lie === null ? honest : this.lie(honest, question);
    if (said === null) return;
    const sendNow = (message: Uint8Array): void => {
      if (!this.#stopped) send(message);
    };
    const encoded = said instanceof Uint8Array ? said : dnsPacket.encode(said);
    if (this.delayMs === 0) sendNow(encoded);
    else setTimeout(sendNow, this.delayMs, encoded);
  }

  #serve(socket: net.Socket): void {
    this.#sockets.add(socket);
    let got = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      while (got.length >= 2 && got.length >= 2 + got.readUInt16BE(0)) {
        const end = 2 + got.readUInt16BE(0);
        this.#answer(got.subarray(2, end), true, answer => {
          const head = Buffer.alloc(2);
          head.writeUInt16BE(answer.length);
          socket.write(Buffer.concat([head, answer]));
        });
        got = got.subarray(end);
      }
    });
  }
}
