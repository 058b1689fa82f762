/** Nanoseconds and heap bytes of one pick, per algorithm: `node --expose-gc bench/micro/balance.ts [servers]`. */
import type { Slice, Subject } from '../../engine/balance/balancer.ts';
import { type FarmSpec, TestFarm } from '../../test/balance/farm.ts';

const WARM_UP = 200_000;
const PICKS = 1_000_000;

const KINDS: Record<string, Pick<FarmSpec, 'balance' | 'hash'>> = {
  roundrobin: { balance: { algorithm: 'roundrobin' } },
  'static-rr': { balance: { algorithm: 'static-rr' } },
  leastconn: { balance: { algorithm: 'leastconn' } },
  first: { balance: { algorithm: 'first' } },
  random: { balance: { algorithm: 'random' } },
  source: { balance: { algorithm: 'source' } },
  uri: { balance: { algorithm: 'uri' } },
  'uri consistent': { balance: { algorithm: 'uri' }, hash: { method: 'consistent', avalanche: true } },
  'uri bounded load': {
    balance: { algorithm: 'uri' },
    hash: { method: 'consistent', avalanche: true, balanceFactor: 150 },
  },
  url_param: { balance: { algorithm: 'url_param', name: 'id' } },
  'hdr(host)': { balance: { algorithm: 'hdr', name: 'host' } },
  'hdr, absent': { balance: { algorithm: 'hdr', name: 'x-none' } },
};

/** One request whose parts are already there, as those of a stream are. */
function subject(): Subject {
  const slice = (text: string): Slice => ({ bytes: Buffer.from(text), start: 0, end: text.length });
  const source = Uint8Array.of(10, 1, 2, 3);
  const uri = slice('/some/directory/file-1234.html?u=5&id=joe');
  const host = slice('www.example.com');
  return {
    source: () => source,
    uri: () => uri,
    header: name => (name === 'host' ? host : null),
    body: () => null,
    payload: () => null,
    hashed: () => null,
  };
}

function measure(kind: Pick<FarmSpec, 'balance' | 'hash'>, servers: number): { ns: number; bytes: number } {
  const farm = new TestFarm({ ...kind, servers: Array.from({ length: servers }, (_, i) => ({ weight: 1 + (i % 5) })) });
  const balancer = farm.balancer();
  const request = subject();
  let sum = 0;
  for (let n = 0; n < WARM_UP; n++) sum += balancer.pick(request, -1);
  globalThis.gc?.();
  const heap = process.memoryUsage().heapUsed;
  const start = process.hrtime.bigint();
  for (let n = 0; n < PICKS; n++) sum += balancer.pick(request, -1);
  const ns = Number(process.hrtime.bigint() - start) / PICKS;
  if (sum < 0) throw new Error('a pick failed');
  return { ns, bytes: Math.max(0, process.memoryUsage().heapUsed - heap) / PICKS };
}

const servers = Number(process.argv[2] ?? 10);
console.log(`${servers} servers            ns/pick  heap bytes/pick`);
for (const [name, kind] of Object.entries(KINDS)) {
  const { ns, bytes } = measure(kind, servers);
  console.log(`${name.padEnd(20)} ${ns.toFixed(1).padStart(9)} ${bytes.toFixed(2).padStart(16)}`);
}
