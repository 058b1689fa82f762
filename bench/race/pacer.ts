/**
 * Load at a fixed rate, a process of its own: `pacer.ts <port> <requests/s> <seconds> <connections>`. A request's time counts from
 * the moment it was due, not from when it was sent: a proxy that stalls is not spared the requests it held up
 * (coordinated omission). Prints a Load as JSON.
 */
import { connect, type Socket } from 'node:net';
import { build } from 'hdr-histogram-js';
import type { Load } from './load.ts';

const [port, rate, seconds, connections] = process.argv.slice(2).map(Number) as [number, number, number, number];
const REQUEST = Buffer.from('GET / HTTP/1.1\r\nHost: race\r\n\r\n');
/** The end of the origin's small answer: one per response. */
const BODY = '\r\n\r\nok';
/** Requests that wait for an answer longer than this when the time is up are errors. */
const LAST_MS = 1_000;

const histogram = build({
  lowestDiscernibleValue: 1,
  highestTrackableValue: 60_000_000,
  numberOfSignificantValueDigits: 3,
});
let errors = 0;
let answered = 0;

interface Lane {
  readonly socket: Socket;
  /** When the requests without an answer were due, ms. */
  readonly due: number[];
  tail: string;
}

async function open(): Promise<Lane> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true });
  const lane: Lane = { socket, due: [], tail: '' };
  socket.on('error', () => errors++);
  socket.on('data', chunk => {
    const now = performance.now();
    lane.tail += chunk.toString('latin1');
    for (let at = lane.tail.indexOf(BODY); at >= 0; at = lane.tail.indexOf(BODY)) {
      lane.tail = lane.tail.slice(at + BODY.length);
      histogram.recordValue(Math.max(1, Math.round((now - lane.due.shift()!) * 1000)));
      answered++;
    }
  });
  await new Promise<void>(resolve => socket.once('connect', resolve));
  return lane;
}

const lanes = await Promise.all(Array.from({ length: connections }, open));
const begin = performance.now();
const total = Math.round(rate * seconds);
let sent = 0;

/** Sends what is due. The loop never sleeps: a timer's millisecond is longer than what is measured. */
function turn(): void {
  const now = performance.now();
  const due = Math.min(total, Math.floor(((now - begin) * rate) / 1000));
  for (; sent < due; sent++) {
    const lane = lanes[sent % lanes.length]!;
    lane.due.push(begin + (sent * 1000) / rate);
    lane.socket.write(REQUEST);
  }
  if (answered < total && now < begin + seconds * 1000 + LAST_MS) setImmediate(turn);
  else finish();
}

function finish(): void {
  for (const { socket } of lanes) socket.destroy();
  const ms = (percentile: number) => histogram.getValueAtPercentile(percentile) / 1000;
  const load: Load = {
    ...{ requests: answered, seconds, errors: errors + total - answered },
    ...{ p50Ms: ms(50), p99Ms: ms(99), p999Ms: ms(99.9) },
  };
  console.log(JSON.stringify(load));
}

turn();
