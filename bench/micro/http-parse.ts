/** Nanoseconds per operation of the HTTP/1 codec on a browser's request of ten headers. `node bench/micro/http-parse.ts` */
import { BODY_CHUNKED, Body, DATA } from '../../engine/http/body.ts';
import { latin1 } from '../../engine/http/chars.ts';
import { Head } from '../../engine/http/head.ts';
import { setRequestConnection } from '../../engine/http/hop.ts';
import { parseRequest, parseResponse } from '../../engine/http/parse.ts';
import { writeRequestHead } from '../../engine/http/write.ts';
import { monotonicMs } from '../../engine/time.ts';

const REQUEST = latin1(
  [
    'GET /static/app/main.4f3c2b1a.js?v=20240101 HTTP/1.1',
    'Host: www.example.org',
    'User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0',
    'Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
    'Accept-Language: en-US,en;q=0.5',
    'Accept-Encoding: gzip, deflate, br, zstd',
    'Referer: https://www.example.org/start',
    'Cookie: session=0123456789abcdef0123456789abcdef; theme=dark',
    'Connection: keep-alive',
    'Cache-Control: max-age=0',
    'Sec-Fetch-Mode: no-cors',
    '\r\n',
  ].join('\r\n'),
);
const RESPONSE = latin1(
  'HTTP/1.1 200 OK\r\nServer: nginx\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\nContent-Type: text/html\r\n' +
    'Content-Length: 1234\r\nConnection: keep-alive\r\nETag: "abc"\r\n\r\n',
);
const CHUNKS = latin1(`${`400\r\n${'x'.repeat(1024)}\r\n`.repeat(8)}0\r\n\r\n`);
const LIMITS = { maxHeadBytes: 15_360, maxHeaders: 100, relaxed: false };

const head = new Head(100, 1024);
const body = new Body();
const out = new Uint8Array(16_384);
const name = latin1('x-forwarded-for');
const address = latin1('203.0.113.7');

const OPERATIONS: readonly (readonly [what: string, run: () => number])[] = [
  [`parse a request (${REQUEST.length} bytes)`, () => parseRequest(head, REQUEST, 0, REQUEST.length, LIMITS)],
  [
    'parse, add x-forwarded-for, set connection, write',
    () => {
      parseRequest(head, REQUEST, 0, REQUEST.length, LIMITS);
      head.add(name, address);
      setRequestConnection(head, true);
      return writeRequestHead(head, out, 0);
    },
  ],
  [`parse a response (${RESPONSE.length} bytes)`, () => parseResponse(head, RESPONSE, 0, RESPONSE.length, LIMITS)],
  ['step 8 chunks of 1 KiB', () => chunks('step')],
  ['relay 8 chunks of 1 KiB', () => chunks('relay')],
];

function chunks(how: 'step' | 'relay'): number {
  body.reset(BODY_CHUNKED, 0);
  let at = 0;
  do at = how === 'step' ? body.step(CHUNKS, at, CHUNKS.length) : body.relay(CHUNKS, at, CHUNKS.length);
  while (body.event === DATA);
  return at;
}

const ROUNDS = 5;
const RUNS = 200_000;

for (const [what, run] of OPERATIONS) {
  let best = Infinity;
  for (let round = 0; round < ROUNDS; round++) {
    const start = monotonicMs();
    for (let i = 0; i < RUNS; i++) if (run() <= 0) throw new Error(what);
    best = Math.min(best, monotonicMs() - start);
  }
  console.log(`${((best * 1e6) / RUNS).toFixed(0).padStart(6)} ns  ${what}`);
}
