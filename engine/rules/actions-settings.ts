/** Actions that change how a stream or its connection is treated. */

import type { Address } from '../io/contract.ts';
import { NETSCALER, PROXY, type Preamble, withPreamble } from '../proxy/preamble.ts';
import type { Stream } from '../proxy/stream.ts';
import { priorityClass, priorityOffset } from '../proxy/waiting-line.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { ADDR, IPV4, IPV6, SINT } from '../sample/sample.ts';
import { type ActionRow, acceptedAction, action, CONTINUE } from './action.ts';
import { compileTime, evaluate, readSample, readTime, type Time } from './values.ts';

/** [the name in the line, the field in the stream's time-outs]. */
const TIMEOUTS = {
  client: 'clientMs',
  connect: 'connectMs',
  queue: 'queueMs',
  server: 'serverMs',
  tarpit: 'tarpitMs',
  tunnel: 'tunnelMs',
} as const;

type TimeoutName = keyof typeof TIMEOUTS;
const TIMEOUT_NAMES = Object.keys(TIMEOUTS) as TimeoutName[];

const SET_TIMEOUT = action<{ readonly name: TimeoutName; readonly time: Time }>({
  name: 'set-timeout',
  where: 'QR',
  args: '{ client | connect | queue | server | tarpit | tunnel } { <time> | <expression> }',
  doc: 'Another time-out for this stream.',
  read(cursor, rule, context) {
    const name = cursor.expectOneOf('set-timeout', TIMEOUT_NAMES);
    if (name === null) return null;
    const side = name === 'client' ? 'backend' : name === 'tarpit' ? '' : 'frontend';
    if (rule.proxy.kind === side) {
      cursor.error(`'set-timeout ${name}' is not possible in a ${side}, which has no such time-out`);
      return null;
    }
    const time = readTime(cursor, rule, context);
    if (time === 0) cursor.error(`null value is not valid for a 'set-timeout ${name}' rule`);
    return time === null || time === 0 ? null : { name, time };
  },
  compile({ name, time }, env) {
    const field = TIMEOUTS[name];
    const ms = compileTime(time, env);
    return at => {
      const stream = at.stream!;
      const value = ms(at);
      if (value > 0 && name === 'client') stream.clientMs = value;
      else if (value > 0) stream.timeouts = { ...stream.timeouts, [field]: value };
      return CONTINUE;
    };
  },
  good: ['set-timeout tarpit 5s', 'set-timeout tarpit int(100)'],
  bad: [
    [
      'set-timeout foo 5s',
      "'set-timeout' expects 'client', 'connect', 'queue', 'server', 'tarpit' or 'tunnel', not 'foo'",
    ],
    ['set-timeout tarpit', "'tarpit' expects a time or an expression"],
    ['set-timeout tarpit 0', "null value is not valid for a 'set-timeout tarpit' rule"],
  ],
});

/** `set-src` and its kin: the end of the connection and the part of its address. */
function address(name: string, end: 'source' | 'destination', port: boolean, doc: string): ActionRow {
  return action<Expression>({
    ...{ name, doc, where: 'CSTQ', args: '<expression>', read: readSample },
    compile(spec, env) {
      const fetch = compileExpression(spec, env);
      return at => {
        const { session } = at;
        const old = session[end]();
        const found = evaluate(fetch, at, port ? SINT : ADDR);
        if (found === null) return CONTINUE;
        const made = port ? withPort(old, found.int) : addressOf(found.type, found.copy(), old);
        if (made !== null) session.override(end, made, at.stream !== null);
        return CONTINUE;
      };
    },
    good: [port ? `${name} int(4000)` : `${name} ipv4(127.0.0.1)`],
    bad: [[`${name} nosuch`, "unknown fetch method 'nosuch'"]],
  });
}

/** Another address with the port of the old one, as far as that has one. */
function addressOf(type: number, bytes: Uint8Array, old: Address | null): Address | null {
  if (type !== IPV4 && type !== IPV6) return null;
  return { family: type === IPV4 ? 4 : 6, bytes, port: old?.port ?? 0 };
}

/** The old address with another port; a unix socket becomes 0.0.0.0. */
function withPort(old: Address | null, port: number): Address {
  const any = old === null || old.family === 1;
  return { family: any ? 4 : old.family, bytes: any ? new Uint8Array(4) : old.bytes, port: port & 0xffff };
}

const RETRIES_MAX = 100;

const SET_RETRIES = action<number | Expression>({
  name: 'set-retries',
  where: 'TQ',
  args: '{ <number> | <expression> }',
  doc: 'How often a failed connection of this stream is tried again.',
  read(cursor, rule, context) {
    const word = cursor.peek();
    if (rule.proxy.kind === 'frontend') {
      cursor.error("'set-retries' is not possible in a frontend, which has no servers");
      return null;
    }
    return /^-?\d+$/.test(word?.text ?? '')
      ? cursor.expectInt('set-retries', { min: 0, max: RETRIES_MAX })
      : readSample(cursor, rule, context);
  },
  compile(spec, env) {
    const number = typeof spec === 'number' ? () => spec : numberOf(spec, env);
    return at => {
      const count = number(at);
      if (count >= 0 && count <= RETRIES_MAX) at.stream!.retries = at.stream!.retriesLeft = count;
      return CONTINUE;
    };
  },
  good: ['set-retries 3', 'set-retries int(2)'],
  bad: [
    ['set-retries x', "unknown fetch method 'x'"],
    ['set-retries 101', "'set-retries' expects an integer between 0 and 100, not '101'"],
  ],
});

function numberOf(spec: Expression, env: Env): (at: Standpoint) => number {
  const fetch = compileExpression(spec, env);
  return at => evaluate(fetch, at, SINT)?.int ?? -1;
}

/** The place in the queue; what is no number changes nothing. */
function priority(name: string, doc: string, set: (stream: Stream, value: number) => void): ActionRow {
  return action<Expression>({
    ...{ name, where: 'TQ', args: '<expression>', doc, read: readSample },
    compile(spec, env) {
      const fetch = compileExpression(spec, env);
      return at => {
        const value = evaluate(fetch, at, SINT);
        if (value !== null) set(at.stream!, value.int);
        return CONTINUE;
      };
    },
    good: [`${name} int(-5)`, `${name} req.hdr(x-class)`],
    bad: [[`${name} foo`, "unknown fetch method 'foo'"]],
  });
}

const STRICT_MODE = action<{ readonly on: boolean }>({
  name: 'strict-mode',
  where: 'QRA',
  args: '{ on | off }',
  doc: 'Whether a rewrite that fails ends the stream with an error.',
  read(cursor) {
    const word = cursor.expectOneOf('strict-mode', ['on', 'off']);
    return word === null ? null : { on: word === 'on' };
  },
  compile: ({ on }) => {
    return ({ stream }) => {
      stream!.strict = on;
      return CONTINUE;
    };
  },
  good: ['strict-mode off', 'strict-mode on'],
  bad: [['strict-mode', "'strict-mode' expects 'on' or 'off'"]],
});

/** `expect-proxy` and its kin. */
function expects(name: string, doc: string, preamble: Preamble): ActionRow {
  return action<true>({
    ...{ name, where: 'C', args: 'layer4', doc },
    read: cursor => (cursor.expectOneOf(name, ['layer4']) === null ? null : true),
    compile: () => {
      return ({ session }) => {
        session.preambles = withPreamble(session.preambles, preamble);
        return CONTINUE;
      };
    },
    good: [`${name} layer4`],
    bad: [[name, `'${name}' expects 'layer4'`]],
  });
}

const EXPECT_PROXY = expects('expect-proxy', 'The connection begins with a PROXY header.', PROXY);
const EXPECT_CIP = expects('expect-netscaler-cip', 'The connection begins with a NetScaler header.', NETSCALER);

const DISABLE_L7_RETRY = action<true>({
  name: 'disable-l7-retry',
  where: 'Q',
  args: '',
  doc: 'The request is never sent twice.',
  read: () => true,
  compile: () => {
    return ({ stream }) => {
      stream!.noRepeat = true;
      return CONTINUE;
    };
  },
  good: ['disable-l7-retry'],
  bad: [],
});

export const SETTING_ACTIONS: readonly ActionRow[] = [
  SET_TIMEOUT,
  SET_RETRIES,
  priority('set-priority-class', 'Place in the queue: lower classes, -2047 to 2047, come first.', (stream, value) => {
    stream.priorityClass = priorityClass(value);
  }),
  priority(
    'set-priority-offset',
    'Place in the queue: as if it had come so many milliseconds later.',
    (stream, value) => {
      stream.priorityOffsetMs = priorityOffset(value);
    },
  ),
  STRICT_MODE,
  EXPECT_PROXY,
  EXPECT_CIP,
  DISABLE_L7_RETRY,
  address('set-src', 'source', false, "Another address of the client than the connection's."),
  address('set-src-port', 'source', true, "Another port of the client than the connection's."),
  address('set-dst', 'destination', false, 'Another address that the client connected to.'),
  address('set-dst-port', 'destination', true, 'Another port that the client connected to.'),
  acceptedAction('set-nice', 'TUQR', '<nice>', 'Scheduling priority of the stream.', 'the loop knows no priorities'),
];
