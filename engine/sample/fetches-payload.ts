/** Fetches of received bytes (manual 7.3.5): raw payload, the TLS client hello, the RDP cookie. */
import type { Slice } from '../balance/balancer.ts';
import { isWord, latin1 } from '../http/chars.ts';
import type { Args } from './arguments.ts';
import {
  ClientHello,
  EXT_ALPN,
  EXT_KEY_SHARE,
  EXT_SERVER_NAME,
  EXT_SESSION_TICKET,
  EXT_SIGNATURE_ALGORITHMS,
  EXT_SUPPORTED_GROUPS,
  NOT_TLS,
  u16,
} from './client-hello.ts';
import type { Fetch, SampleContext } from './context.ts';
import { payload, received } from './fetches-body.ts';
import { alias, type Extras, type FetchRow, fetch, plain } from './row.ts';
import type { Sample, TypeName } from './sample.ts';
import { give, room, SCRATCH } from './scratch.ts';

type Buffered = (ctx: SampleContext) => Slice | null;

/** Bytes of the server that are held while its content is inspected. */
const responsePayload: Buffered = ctx => (ctx.check === null ? received(ctx) : ctx.check.bytes());
/** `payload`: whichever direction is evaluated. */
export const anyPayload: Buffered = ctx => (ctx.response || ctx.check !== null ? responsePayload(ctx) : payload(ctx));

/** Not found yet: more bytes may come. */
export function wait(out: Sample): false {
  out.mayChange = true;
  return false;
}

function length(of: Buffered): Fetch {
  return (ctx, out) => {
    if (ctx.stream === null && ctx.check === null) return false;
    const held = of(ctx);
    out.mayChange = true;
    return out.setInt(held === null ? 0 : held.end - held.start);
  };
}

const heldLength = length(payload);

/** In HTTP mode the head is there as well, which `payload` does not count. */
const requestLength: Fetch = (ctx, out) => {
  if (!heldLength(ctx, out)) return false;
  const { stream } = ctx;
  if (stream?.http && !stream.refused) out.setInt(out.int + stream.requestHead.end - stream.requestHead.start);
  return true;
};

function block(of: Buffered): (args: Args) => Fetch {
  return args => {
    const offset = args.int(0);
    const wanted = args.int(1);
    return (ctx, out) => {
      const held = of(ctx);
      if (held === null) return wait(out);
      const start = held.start + offset;
      if (start + wanted > held.end || start > held.end) return wait(out);
      out.mayChange = wanted === 0;
      return out.setBin(held.bytes, start, wanted === 0 ? held.end : start + wanted);
    };
  };
}

/** A block whose length stands in the bytes; the second offset is relative when it has a sign. */
function prefixedBlock(of: Buffered): (args: Args) => Fetch {
  return args => {
    const offset = args.int(0);
    const size = args.int(1);
    const from = args.text(2);
    const relative = from === '' || /^[+-]/.test(from);
    return (ctx, out) => {
      const held = of(ctx);
      if (held === null || held.start + offset + size > held.end) return wait(out);
      let wanted = 0;
      for (let i = 0; i < size; i++) wanted = wanted * 256 + held.bytes[held.start + offset + i]!;
      const start = held.start + (relative ? offset + size : 0) + Number(from);
      if (start < held.start || wanted === 0) return false;
      return start + wanted > held.end ? wait(out) : out.setBin(held.bytes, start, start + wanted);
    };
  };
}

const BLOCK: Extras = {
  check: args => (Number(args[0]) < 0 || Number(args[1]) < 0 ? 'payload offset and length must not be negative' : null),
};
const PREFIXED: Extras = {
  check: args => {
    if (Number(args[1]) <= 0) return 'payload length must be > 0';
    return args[2] == null || /^[+-]?\d+$/.test(String(args[2])) ? null : `'${args[2]}' is not a valid offset`;
  },
  good: ['NAME(0,2)', 'NAME(0,2,5)', 'NAME(0,2,+1)'],
  bad: [['NAME(1,0)', "invalid args in fetch method 'NAME' : payload length must be > 0"]],
};

function prefixedExtras(name: string): Extras {
  const fill = (line: string): string => line.replaceAll('NAME', name);
  return {
    ...PREFIXED,
    good: PREFIXED.good!.map(fill),
    bad: PREFIXED.bad!.map(([line, text]) => [fill(line), fill(text)]),
  };
}

const hello = new ClientHello();

/** Reads the hello in the bytes; false, and `mayChange`, while it is not whole. */
function helloOf(of: Buffered): Fetch {
  return (ctx, out) => {
    const held = of(ctx);
    if (held === null) return wait(out);
    const state = hello.read(held.bytes, held.start, held.end);
    if (state === 0) return true;
    return state === NOT_TLS ? false : wait(out);
  };
}

/** A fetch of a whole client hello. */
function ofHello(name: string, out: TypeName, doc: string, read: (out: Sample) => boolean): FetchRow {
  const whole = helloOf(payload);
  return plain(
    name,
    out,
    'requestBuffer',
    doc,
    (ctx, sample) => whole(ctx, sample) && hello.type === 1 && read(sample),
  );
}

/** The list in an extension, behind its own two bytes of length. */
function listOf(type: number): (out: Sample) => boolean {
  return out => {
    const at = hello.extension(type);
    if (at < 0 || hello.lengthOf(at) < 2) return false;
    const end = Math.min(at + 2 + u16(hello.bytes, at), at + hello.lengthOf(at));
    return out.setBin(hello.bytes, at + 2, end);
  };
}

/** server_name: a list of type 1, <2> name; type 0 is a host name (RFC 6066 3). */
function serverName(out: Sample): boolean {
  const at = hello.extension(EXT_SERVER_NAME);
  if (at < 0) return false;
  const end = at + hello.lengthOf(at);
  for (let entry = at + 2; entry + 3 <= end; ) {
    const stop = entry + 3 + u16(hello.bytes, entry + 1);
    if (stop > end) return false;
    if (hello.bytes[entry] === 0) return out.setStr(hello.bytes, entry + 3, stop);
    entry = stop;
  }
  return false;
}

/** The protocols of ALPN (RFC 7301), separated by commas. */
function alpn(out: Sample): boolean {
  const at = hello.extension(EXT_ALPN);
  if (at < 0) return false;
  const end = at + hello.lengthOf(at);
  const start = room();
  let to = start;
  for (let entry = at + 2; entry < end; ) {
    const stop = entry + 1 + hello.bytes[entry]!;
    if (stop > end) return false;
    if (to > start) SCRATCH[to++] = 44;
    for (let i = entry + 1; i < stop; i++) SCRATCH[to++] = hello.bytes[i]!;
    entry = stop;
  }
  give(to);
  return to > start && out.setStr(SCRATCH, start, to);
}

/** The groups of the key shares: each is group 2, <2> key. */
function keyShares(out: Sample): boolean {
  const at = hello.extension(EXT_KEY_SHARE);
  if (at < 0) return false;
  const end = at + hello.lengthOf(at);
  const start = room();
  let to = start;
  for (let entry = at + 2; entry + 4 <= end; entry += 4 + u16(hello.bytes, entry + 2)) {
    SCRATCH[to++] = hello.bytes[entry]!;
    SCRATCH[to++] = hello.bytes[entry + 1]!;
  }
  give(to);
  return to > start && out.setBin(SCRATCH, start, to);
}

function sessionTicket(out: Sample): boolean {
  const at = hello.extension(EXT_SESSION_TICKET);
  return out.setInt(at < 0 ? 0 : hello.lengthOf(at) > 0 ? 2 : 1);
}

const RDP_LABEL = latin1('cookie:');

/** [MS-RDPBCGR] 2.2.1.1: behind 11 bytes of headers, `Cookie: name=value` and CR LF. `name` '' = any. */
function rdpCookie(args: Args): Fetch {
  const name = latin1(args.text(0).toLowerCase());
  return (ctx, out) => {
    const held = payload(ctx);
    if (held === null) return wait(out);
    const { bytes, start, end } = held;
    if (end - start < 12) return wait(out);
    if (bytes[start] !== 3 || bytes[start + 5] !== 0xe0) return false;
    let at = start + 11;
    if (!isWord(bytes, at, at + RDP_LABEL.length, RDP_LABEL)) return false;
    at += RDP_LABEL.length;
    while (at < end && bytes[at] === 32) at++;
    const equals = bytes.indexOf(61, at);
    if (equals < 0 || equals >= end) return wait(out);
    if (name.length > 0 && !isWord(bytes, at, equals, name)) return false;
    const stop = bytes.indexOf(13, equals);
    if (stop < 0 || stop + 1 >= end) return wait(out);
    return bytes[stop + 1] === 10 && out.setStr(bytes, equals + 1, stop);
  };
}

function rdpCookieCount(args: Args): Fetch {
  const find = rdpCookie(args);
  return (ctx, out) => out.setInt(find(ctx, out) ? 1 : 0);
}

function helloType(of: Buffered): Fetch {
  const whole = helloOf(of);
  return (ctx, out) => whole(ctx, out) && out.setInt(hello.type);
}

const older = (row: FetchRow, ...names: string[]): FetchRow[] => [row, ...names.map(name => alias(name, row))];

export const PAYLOAD_FETCHES: readonly FetchRow[] = [
  ...older(plain('req.len', 'sint', 'requestBuffer', 'Bytes received and not passed on.', requestLength), 'req_len'),
  plain('res.len', 'sint', 'responseBuffer', 'Bytes of the server held.', length(responsePayload)),
  fetch(
    'req.payload',
    'offset:int length:int',
    'bin',
    'requestBuffer',
    'A block of the bytes received.',
    block(payload),
    BLOCK,
  ),
  fetch(
    'res.payload',
    'offset:int length:int',
    'bin',
    'responseBuffer',
    "A block of the server's bytes.",
    block(responsePayload),
    BLOCK,
  ),
  fetch(
    'payload',
    'offset:int length:int',
    'bin',
    'eitherBuffer',
    'A block of the bytes of this direction.',
    block(anyPayload),
    BLOCK,
  ),
  fetch(
    'req.payload_lv',
    'offset1:int length:int [offset2:str]',
    'bin',
    'requestBuffer',
    'A block of a length that the bytes tell.',
    prefixedBlock(payload),
    prefixedExtras('req.payload_lv'),
  ),
  fetch(
    'res.payload_lv',
    'offset1:int length:int [offset2:str]',
    'bin',
    'responseBuffer',
    'A block of a length that the bytes tell.',
    prefixedBlock(responsePayload),
    prefixedExtras('res.payload_lv'),
  ),
  fetch(
    'payload_lv',
    'offset1:int length:int [offset2:str]',
    'bin',
    'eitherBuffer',
    'A block of a length that the bytes tell.',
    prefixedBlock(anyPayload),
    prefixedExtras('payload_lv'),
  ),
  ...older(
    fetch(
      'req.rdp_cookie',
      '[name:str]',
      'str',
      'requestBuffer',
      'The routing cookie of a remote desktop client.',
      rdpCookie,
    ),
    'rdp_cookie',
  ),
  ...older(
    fetch(
      'req.rdp_cookie_cnt',
      '[name:str]',
      'sint',
      'requestBuffer',
      'How many such cookies there are: 0 or 1.',
      rdpCookieCount,
    ),
    'rdp_cookie_cnt',
  ),
  ...older(
    plain('req.ssl_hello_type', 'sint', 'requestBuffer', 'Type of a whole TLS hello.', helloType(payload)),
    'req_ssl_hello_type',
  ),
  ...older(
    plain(
      'res.ssl_hello_type',
      'sint',
      'responseBuffer',
      "Type of the server's TLS hello.",
      helloType(responsePayload),
    ),
    'rep_ssl_hello_type',
  ),
  ...older(
    ofHello('req.ssl_ver', 'sint', 'Version of a TLS hello: 65536 x major + minor.', out => out.setInt(hello.version)),
    'req_ssl_ver',
  ),
  ...older(ofHello('req.ssl_sni', 'str', 'The server name that the client asks for.', serverName), 'req_ssl_sni'),
  ofHello('req.ssl_alpn', 'str', 'The protocols that the client offers.', alpn),
  ofHello('req.ssl_cipherlist', 'bin', 'The cipher suites that the client offers.', out =>
    out.setBin(hello.bytes, hello.ciphersStart, hello.ciphersEnd),
  ),
  ofHello('req.ssl_ec_ext', 'bool', 'The client knows elliptic curves.', out =>
    out.setBool(hello.extension(EXT_SUPPORTED_GROUPS) >= 0),
  ),
  ofHello('req.ssl_keyshare_groups', 'bin', 'The groups of its key shares.', keyShares),
  ofHello('req.ssl_sigalgs', 'bin', 'The signature algorithms that it knows.', listOf(EXT_SIGNATURE_ALGORITHMS)),
  ofHello('req.ssl_supported_groups', 'bin', 'The groups that it knows.', listOf(EXT_SUPPORTED_GROUPS)),
  ofHello('req.ssl_st_ext', 'sint', 'Session ticket: 0 none, 1 asked for, 2 given.', sessionTicket),
];
