/** The steps that options such as `option redis-check` stand for. Texts and statuses are HAProxy's. */
import { connectStep, expectStep, type StepDraft } from './check-draft.ts';
import type { CheckStep, ExpectStep, MatchKind, SendStep } from './check-model.ts';
import { bytesOfHex } from './check-rules.ts';

type Steps = StepDraft<CheckStep>[];
type Details = Partial<StepDraft<ExpectStep>>;

/** Numbers the steps of a preset; it begins with a connection, which is its first step. */
function script(...steps: Steps): Steps {
  return [connectStep(1), ...steps].map((step, i) => ({ ...step, id: i + 1 }));
}

/** The same for those whose connection HAProxy does not count. */
function afterConnection(...steps: Steps): Steps {
  return script(...steps).map(step => ({ ...step, id: step.id - 1 }));
}

function send(...parts: (string | Uint8Array)[]): StepDraft<SendStep> {
  const bytes = Buffer.concat(parts.map(part => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)));
  return { kind: 'send', id: 0, comment: '', bytes: new Uint8Array(bytes), hex: false };
}

function expect(match: MatchKind, pattern: string, details: Details = {}): StepDraft<ExpectStep> {
  return expectStep(0, match, pattern, details);
}

export function redisCheck(): Steps {
  return afterConnection(
    send('*1\r\n$4\r\nPING\r\n'),
    expect('string', '+PONG\r\n', {
      errorStatus: 'L7STS',
      onSuccess: { text: 'Redis server is ok' },
      onError: { responseFrom: 0 },
    }),
  );
}

/**
 * An SSL 3 client hello with all cipher suites of its time. A server answers with a handshake record (22) or, at the
 * least, an alert (21).
 *
 *   record: type, version, length | handshake: type, length (3) | version, random (4 + 28), session id, suites, compression
 */
export function sslHelloCheck(): Steps {
  const suites = [...Array.from({ length: 27 }, (_, i) => i + 1), ...Array.from({ length: 12 }, (_, i) => i + 0x2f)];
  const body = Buffer.concat([
    bytesOfHex('0300'),
    new Uint8Array(4), // when it is sent: no server looks
    Buffer.from('HAPROXYSSLCHK\nHAPROXYSSLCHK\n'),
    Uint8Array.of(0, 0, suites.length * 2),
    Uint8Array.from(suites.flatMap(suite => [0, suite])),
    Uint8Array.of(1, 0),
  ]);
  const handshake = Uint8Array.of(1, 0, body.length >> 8, body.length & 255);
  const length = handshake.length + body.length;
  return afterConnection(
    send(Uint8Array.of(22, 3, 0, length >> 8, length & 255), handshake, body),
    expect('rbinary', '^1[56]', { minRecv: 5, okStatus: 'L6OK', errorStatus: 'L6RSP', toutStatus: 'L6TOUT' }),
  );
}

export function smtpCheck(hello: string): Steps {
  const answer: Details = { errorStatus: 'L7STS', onError: { responseFrom: 4 }, codeFromResponse: true };
  return script(
    expect('rstring', '^[0-9]{3}[ \r]', { minRecv: 4, errorStatus: 'L7RSP', onError: { responseFrom: 0 } }),
    expect('rstring', '^2[0-9]{2}[ \r]', { ...answer, minRecv: 4 }),
    send(`${hello}\r\n`),
    expect('rstring', '^2[0-9]{2}[- \r]', answer),
    send('QUIT\r\n'),
    expect('rstring', '^2[0-9]{2}[- \r]', { ...answer, onSuccess: { responseFrom: 4 } }),
  );
}

/** Text with a zero byte behind it. */
function zeroTerminated(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** A StartupMessage of protocol 3.0; anything but an error that asks to authenticate will do. */
export function pgsqlCheck(user: string): Steps {
  const body = Buffer.concat([bytesOfHex('00030000'), zeroTerminated('user'), zeroTerminated(user), Uint8Array.of(0)]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(body.length + 4);
  return script(
    send(length, body),
    expect('rstring', '^E', { negate: true, minRecv: 5, errorStatus: 'L7RSP', onError: { responseFrom: 6 } }),
    expect('rbinary', '^52000000[A-Fa-f0-9]{2}000000(00|02|03|04|05|06|07|09|0[Aa])', {
      minRecv: 9,
      errorStatus: 'L7STS',
      onSuccess: { text: 'PostgreSQL server is ok' },
      onError: { text: 'PostgreSQL unknown error' },
    }),
  );
}

/** What a MySQL client may say of itself: capabilities, then what its packet has behind them. */
export type MysqlClient = 'pre-41' | 'post-41' | 'post-80';

/** Packets are: length (3, little endian), number, payload. */
function mysqlPacket(number: number, payload: Uint8Array): Buffer {
  const { length } = payload;
  return Buffer.concat([Uint8Array.of(length & 255, (length >> 8) & 255, length >> 16, number), payload]);
}

function mysqlLogin(user: string, client: MysqlClient): Buffer {
  const name = zeroTerminated(user);
  // CLIENT_SECURE_CONNECTION (2 bytes of flags), largest packet (3), user, no password.
  if (client === 'pre-41') return Buffer.concat([bytesOfHex('0080000001'), name, Uint8Array.of(0)]);
  const plugin = client === 'post-80';
  // CLIENT_PROTOCOL_41 and CLIENT_SECURE_CONNECTION, perhaps CLIENT_PLUGIN_AUTH; largest packet; utf8; reserved.
  const capabilities = plugin ? '00820800' : '00820000';
  const head = Buffer.concat([bytesOfHex(capabilities), bytesOfHex('00800001'), Uint8Array.of(33), new Uint8Array(23)]);
  const tail = plugin ? zeroTerminated('mysql_native_password') : new Uint8Array(0);
  return Buffer.concat([head, name, Uint8Array.of(0), tail]);
}

/** Without a user only the server's greeting is looked at. */
export function mysqlCheck(user: string | null, client: MysqlClient): Steps {
  if (user === null) return script(expect('mysql-hello', ''));
  return script(
    send(mysqlPacket(1, mysqlLogin(user, client)), mysqlPacket(0, Uint8Array.of(1))),
    expect('mysql-hello', ''),
    expect('mysql-ok', ''),
  );
}

/** RFC 4511: an anonymous simple bind of version 3. */
export function ldapCheck(): Steps {
  return afterConnection(
    send(bytesOfHex('300c020101600702010304008000')),
    expect('rbinary', '^30', { minRecv: 14, errorStatus: 'L7RSP', onError: { text: 'Not LDAPv3 protocol' } }),
    expect('ldap-bind', ''),
  );
}

/** SPOP: a HAPROXY-HELLO frame that says it is a health check. */
export function spopCheck(): Steps {
  const pair = (name: string, value: string): Buffer =>
    Buffer.concat([Uint8Array.of(name.length), Buffer.from(name), bytesOfHex(value)]);
  const frame = Buffer.concat([
    bytesOfHex('01000000010000'), // type HAPROXY-HELLO, flags FIN, stream 0, frame 0
    pair('supported-versions', '0803322e30'), // the string 2.0
    pair('max-frame-size', '03fcf006'), // 16380
    pair('capabilities', '0800'),
    pair('healthcheck', '11'),
  ]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(frame.length);
  return afterConnection(send(length, frame), expect('spop-hello', ''));
}

/** `agent-check`: perhaps a text, then a line of words. */
export function agentCheck(text: string): Steps {
  return text === ''
    ? script(expect('agent', ''))
    : script(send(new Uint8Array(Buffer.from(text))), expect('agent', ''));
}
