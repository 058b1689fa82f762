/** Answers in binary protocols, read as far as a check has to. Texts are one character per byte. */
import type { Finding } from './matches.ts';
import { L7RSP, L7STS, type Verdict, verdict } from './statuses.ts';

function byte(text: string, at: number): number {
  return text.charCodeAt(at);
}

/** What is missing may come, unless the server has closed. */
function incomplete(ended: boolean): Finding {
  return ended ? verdict(L7RSP) : 'more';
}

/** From `at` to the next zero byte. */
function cString(text: string, at: number): string {
  const end = text.indexOf('\0', at);
  return text.slice(at, end < 0 ? text.length : end);
}

// --- MySQL: packets of length (3, little endian), number, payload; 0xff begins an error, 0 or 0xfe its opposite ---

const MYSQL_HEAD_BYTES = 4;
const MYSQL_ERROR = 0xff;
/** A greeting shorter than this is none. */
const MYSQL_HELLO_MIN_BYTES = 5;

function mysqlLength(text: string, at: number): number {
  return byte(text, at) | (byte(text, at + 1) << 8) | (byte(text, at + 2) << 16);
}

/** The packet at `at`: 'more', or where its payload ends. */
function mysqlPacket(text: string, at: number): number | 'more' {
  if (text.length < at + MYSQL_HEAD_BYTES + 1) return 'more';
  const end = at + MYSQL_HEAD_BYTES + mysqlLength(text, at);
  return end > text.length ? 'more' : end;
}

/** Error number (2, little endian), then a text. */
function mysqlError(text: string, at: number, end: number): Verdict {
  const code = byte(text, at + 5) | (byte(text, at + 6) << 8);
  return verdict(L7STS, text.slice(at + 7, end), Number.isNaN(code) ? 0 : code);
}

/** The greeting of a server: packet 0, any protocol version. */
export function mysqlHello(text: string, ended: boolean): Finding {
  const end = mysqlPacket(text, 0);
  if (end === 'more') return incomplete(ended);
  if (byte(text, MYSQL_HEAD_BYTES) === MYSQL_ERROR) return mysqlError(text, 0, end);
  return end < MYSQL_HELLO_MIN_BYTES ? verdict(L7RSP) : 'good';
}

/** The server's version, in its greeting: behind the version of the protocol, up to a zero byte. */
export function mysqlVersion(text: string): string {
  return cString(text, MYSQL_HEAD_BYTES + 1);
}

/** What the server says to the login, in the packet behind its greeting. */
export function mysqlOk(text: string, ended: boolean): Finding {
  const first = mysqlPacket(text, 0);
  const end = first === 'more' ? 'more' : mysqlPacket(text, first);
  if (first === 'more' || end === 'more') return incomplete(ended);
  return byte(text, first + MYSQL_HEAD_BYTES) === MYSQL_ERROR ? mysqlError(text, first, end) : 'good';
}

// --- LDAP (RFC 4511): LDAPMessage ::= SEQUENCE { messageID, [APPLICATION 1] { resultCode ... } } ---

const NOT_LDAP = 'Not LDAPv3 protocol';
const LDAP_CODES = 'See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9';
/** Sequence with a short length (2), message id (3), bind response with a short length (2), result code (3). */
const LDAP_BIND_BYTES = 10;

/** BER: behind a tag, the bytes that the length takes. */
function berLength(text: string, at: number): number {
  const first = byte(text, at);
  return first & 0x80 ? 1 + (first & 0x7f) : 1;
}

export function ldapBind(text: string, ended: boolean): Finding {
  if (text.length < LDAP_BIND_BYTES) return incomplete(ended);
  let at = 1 + berLength(text, 1);
  // Our message had the number 1.
  if (text.slice(at, at + 3) !== '\x02\x01\x01') return verdict(L7RSP, NOT_LDAP);
  at += 3;
  if (text[at] !== '\x61') return verdict(L7RSP, NOT_LDAP);
  at += 1 + berLength(text, at + 1);
  if (text.length < at + 3) return incomplete(ended);
  if (text.slice(at, at + 2) !== '\x0a\x01') return verdict(L7RSP, NOT_LDAP);
  const code = byte(text, at + 2);
  return code === 0 ? 'good' : verdict(L7STS, LDAP_CODES, code);
}

// --- SPOP: length (4), type, flags (4), stream and frame id (varint), then pairs of name and typed value ---

const SPOP_HEAD_BYTES = 4;
const SPOP_AGENT_HELLO = 101;
const SPOP_AGENT_DISCONNECT = 102;
/** Type, flags, and the two ids, which are 0 in a handshake. */
const SPOP_FRAME_HEAD_BYTES = 7;
const SPOP_STRING = 8;
const SPOP_INVALID = 'invalid frame received';

/** Reads pairs until the frame ends; null when it is malformed. Only strings and numbers occur in a handshake. */
function spopPairs(frame: string): Map<string, string | number> | null {
  const pairs = new Map<string, string | number>();
  let at = SPOP_FRAME_HEAD_BYTES;
  /** SPOE's variable integers: 4 bits in the first byte when that is 240 or more, then 7 in each. */
  const varint = (): number => {
    let value = byte(frame, at++);
    if (value < 240) return value;
    for (let shift = 4; ; shift += 7) {
      const next = byte(frame, at++);
      if (Number.isNaN(next) || shift > 28) return Number.NaN;
      value += next * 2 ** shift;
      if (next < 128) return value;
    }
  };
  const text = (): string => {
    const length = varint();
    at += length;
    return frame.slice(at - length, at);
  };
  while (at < frame.length) {
    const name = text();
    const type = byte(frame, at++) & 15;
    const value = type === SPOP_STRING ? text() : type >= 2 && type <= 5 ? varint() : 0;
    if (!(at <= frame.length)) return null;
    pairs.set(name, value);
  }
  return pairs;
}

export function spopHello(text: string, ended: boolean): Finding {
  const cut = ended ? verdict(L7RSP, SPOP_INVALID) : 'more';
  if (text.length < SPOP_HEAD_BYTES) return cut;
  const length = Buffer.from(text.slice(0, SPOP_HEAD_BYTES), 'latin1').readUInt32BE();
  if (text.length < SPOP_HEAD_BYTES + length) return cut;
  const frame = text.slice(SPOP_HEAD_BYTES, SPOP_HEAD_BYTES + length);
  const type = byte(frame, 0);
  const pairs = frame.length < SPOP_FRAME_HEAD_BYTES ? null : spopPairs(frame);
  if (pairs === null) return verdict(L7RSP, SPOP_INVALID);
  if (type === SPOP_AGENT_DISCONNECT) {
    return verdict(L7RSP, `${pairs.get('message') ?? 'a disconnect frame was received'}`);
  }
  if (type !== SPOP_AGENT_HELLO) return verdict(L7RSP, SPOP_INVALID);
  const complaint = spopComplaint(pairs);
  return complaint === '' ? 'good' : verdict(L7RSP, complaint);
}

/** What an agent must say of itself, in HAProxy's words. */
function spopComplaint(pairs: ReadonlyMap<string, string | number>): string {
  const version = pairs.get('version');
  if (version === undefined) return 'version value not found';
  if (!/^[12]\.0$/.test(String(version).trim())) return 'unsupported version';
  if (pairs.get('max-frame-size') === undefined) return 'max-frame-size value not found';
  return pairs.get('capabilities') === undefined ? 'capabilities value not found' : '';
}

/** A piece of a response from `at` on: to the end of the line or a zero byte, without blanks before it. */
export function pieceOf(text: string, at: number): string {
  return cString(text, at)
    .replace(/^ +/, '')
    .replace(/[\r\n].*$/s, '');
}
