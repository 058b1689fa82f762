/** Converters that look at variables, servers and conditions (manual 7.3.1). */

import type { Stream } from '../proxy/stream.ts';
import { wentWrong } from '../proxy/termination.ts';
import { SERVER } from '../shm/words.ts';
import type { Args } from './arguments.ts';
import { cast } from './cast.ts';
import { negate, YES } from './condition.ts';
import type { Convert, Env } from './context.ts';
import { isStopping, isUp, serverOf, usable } from './fetches-internal.ts';
import { type ConverterRow, converter, type Extras, plainConverter } from './row.ts';
import { BIN, IPV4, IPV6, Sample, SINT, STR, TYPE_NAMES, view } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';
import { getVar, setVarIf, unsetVar, VAR_CONDITIONS } from './vars.ts';

/** Puts pieces behind the sample: texts and the value of a variable, which is left out when it is not set. */
class Appender {
  #to = 0;
  #limit = 0;

  begin(sample: Sample): void {
    this.#to = room();
    this.#limit = this.#to + ROOM_BYTES;
    this.put(sample.bytes, sample.start, sample.end);
  }

  put(bytes: Uint8Array, start: number, end: number): void {
    this.#to += view(bytes).copy(SCRATCH, this.#to, start, Math.min(end, start + this.#limit - this.#to));
  }

  end(sample: Sample, start: number): true {
    give(this.#to);
    return sample.setStr(SCRATCH, start, this.#to);
  }
}

const appender = new Appender();

/** A variable's value as text in `value`; its cast may use a room of its own, so it comes before the appender begins. */
function variableText(args: Args, i: number): (ctx: Parameters<Convert>[1], value: Sample) => boolean {
  const variable = args.variable(i);
  return (ctx, value) => variable !== null && getVar(variable, ctx, value) && cast(value, STR);
}

function concat(args: Args): Convert {
  const first = args.bytes(0);
  const last = args.bytes(2);
  const textOf = variableText(args, 1);
  const value = new Sample();
  return (sample, ctx) => {
    const found = textOf(ctx, value);
    const start = room();
    appender.begin(sample);
    appender.put(first, 0, first.length);
    if (found) appender.put(value.bytes, value.start, value.end);
    appender.put(last, 0, last.length);
    return appender.end(sample, start);
  };
}

/** The delimiter only between two things that are there. */
function addItem(args: Args): Convert {
  const delimiter = args.bytes(0);
  const last = args.bytes(2);
  const textOf = variableText(args, 1);
  const value = new Sample();
  return (sample, ctx) => {
    const found = textOf(ctx, value) && value.length > 0;
    const empty = sample.length === 0;
    const start = room();
    appender.begin(sample);
    if (!empty && (found || last.length > 0)) appender.put(delimiter, 0, delimiter.length);
    if (found) appender.put(value.bytes, value.start, value.end);
    appender.put(last, 0, last.length);
    return appender.end(sample, start);
  };
}

/** A piece of the bytes; offset and length may be variables. Out of range: nothing is left. */
function bytes(args: Args): Convert {
  const numbers = [0, 1].map(i => {
    const variable = args.variable(i);
    const value = new Sample();
    return (ctx: Parameters<Convert>[1], otherwise: number): number => {
      if (variable === null) return args.has(i) ? args.int(i) : otherwise;
      return getVar(variable, ctx, value) && cast(value, SINT) ? value.int : -1;
    };
  });
  return (sample, ctx) => {
    const offset = numbers[0]!(ctx, 0);
    const length = numbers[1]!(ctx, sample.length);
    if (offset < 0 || length < 0 || offset >= sample.length)
      return sample.setBin(sample.bytes, sample.start, sample.start);
    const start = sample.start + offset;
    return sample.setBin(sample.bytes, start, Math.min(start + length, sample.end));
  };
}

/** Where its conditions do not hold, or there is no room, there is no value. */
function setVariable(args: Args): Convert {
  const variable = args.variable(0)!;
  const conditions = args.list.slice(1).filter(arg => typeof arg === 'string');
  const now = new Sample();
  return (sample, ctx) => setVarIf(variable, conditions, ctx, sample, now);
}

/** What `when` may ask, and how it is answered for the stream. */
type When = (ctx: Parameters<Convert>[1]) => boolean;

/** Shows what passes by, and leaves it as it is. Checks have nobody to show it to. */
function debug(args: Args): Convert {
  const prefix = args.text(0);
  const sink = args.text(1, 'buf0');
  const shown = new Sample();
  return (sample, { session }) => {
    shown.assign(sample);
    const text = shown.type === BIN || cast(shown, STR) ? shown.text().replace(/[^ -~]/g, '.') : '';
    session.context.events.debugged(sink, `${prefix}: type=${TYPE_NAMES[sample.type]} <${text}>`);
    return true;
  };
}

const DEBUG = converter(
  'debug',
  '[prefix:str] [destination:sink]',
  'any',
  'any',
  'Shows the value in a ring, or on `stdout` or `stderr`, and passes it on.',
  debug,
  { keeps: true, good: ['debug', 'debug(x)', 'debug(x,stderr)', 'debug(,buf0)'] },
);

const WHENS: Readonly<Record<string, When>> = {
  error: ({ stream }) => stream !== null && wentWrong(stream),
  normal: ({ stream }) => stream !== null && !wentWrong(stream),
  forwarded: ({ stream }) => stream !== null && isForwarded(stream),
  processed: ({ stream }) => stream !== null && (isForwarded(stream) || stream.service !== null),
  toapplet: ({ stream }) => stream !== null && stream.service !== null,
  stopping: ({ session }) => isStopping(session.context),
};

function isForwarded({ service, connectedAt }: Stream): boolean {
  return service === null && connectedAt > 0;
}

function when(args: Args, env: Env): Convert {
  const name = args.text(0);
  const not = name.startsWith('!');
  const key = name.replace('!', '');
  if (key === 'acl') {
    const condition = env.acl(args.text(1).replace('!', ''));
    if (condition === null) return () => false;
    const turned = args.text(1).startsWith('!') !== not;
    return (_, ctx) => (turned ? negate(condition(ctx)) : condition(ctx)) === YES;
  }
  const test = WHENS[key]!;
  return (_, ctx) => test(ctx) !== not;
}

const WHEN: Extras = {
  keeps: true,
  check: args => {
    const name = String(args[0]).replace('!', '');
    if (name === 'acl') return args[1] == null ? "'acl' expects an ACL name" : null;
    return Object.hasOwn(WHENS, name)
      ? null
      : `expects ${Object.keys(WHENS)
          .map(n => `'${n}'`)
          .join(', ')} or 'acl', got '${args[0]}'`;
  },
  good: ['when(error)', 'when(!normal)', 'when(acl,a)'],
  bad: [['when(acl)', "invalid args in converter 'when' : 'acl' expects an ACL name"]],
};

const SET_VAR: Extras = {
  keeps: true,
  check: args => {
    const bad = args.slice(1).find(arg => arg != null && !VAR_CONDITIONS.includes(String(arg)));
    return bad === undefined
      ? null
      : `unknown condition '${bad}', expects ${VAR_CONDITIONS.map(name => `'${name}'`).join(', ')}`;
  },
  good: ['set-var(txn.x)', 'set-var(txn.x,ifnotexists)', 'set-var(txn.x,ifexists,ifgt)'],
  bad: [
    [
      'set-var(ptxn.x)',
      "invalid args in converter 'set-var' : cannot set nor unset 'ptxn.x': it is a variable of the parent stream",
    ],
  ],
};

/** An address with all but the first bits cleared. An IPv6 address that stands for one of IPv4 is masked as that one. */
function ipmask(args: Args): Convert {
  const masks = [args.bytes(0), args.bytes(1)];
  return sample => {
    if (sample.type !== IPV4 && sample.type !== IPV6) return false;
    cast(sample, IPV4);
    const { type, start, end } = sample;
    const mask = masks[type === IPV4 ? 0 : 1]!;
    if (mask.length !== end - start) return false;
    const at = room();
    for (let i = 0; i < mask.length; i++) SCRATCH[at + i] = sample.bytes[start + i]! & mask[i]!;
    give(at + mask.length);
    sample.setBin(SCRATCH, at, at + mask.length);
    sample.type = type;
    return true;
  };
}

/** Keeps the text in a slot of the captures, and passes it on; where there is no such slot, there is no value. */
function capturing(name: string, response: boolean, doc: string): ConverterRow {
  return converter(name, 'slot:int', 'str', 'str', doc, args => {
    const slot = args.int(0);
    return ({ bytes, start, end }, { stream }) => stream?.capture(response, slot, bytes, start, end) === true;
  });
}

export const STATE_CONVERTERS: readonly ConverterRow[] = [
  capturing('capture-req', false, 'Keeps the text in a slot of the request captures, and passes it on.'),
  capturing('capture-res', true, 'Keeps the text in a slot of the response captures, and passes it on.'),
  converter(
    'concat',
    '[start:str] [var:var] [end:str]',
    'str',
    'str',
    'Appends a text, a variable and a text.',
    concat,
    { good: ['concat', 'concat(a)', 'concat(a,txn.b,c)', 'concat(,txn.b)'] },
  ),
  converter(
    'add_item',
    'delim:str [var:var] [suffix:str]',
    'str',
    'str',
    'Appends an item behind a delimiter.',
    addItem,
    {
      check: args => (args[1] == null && (args[2] ?? '') === '' ? 'expects a variable name or a suffix' : null),
      good: ['add_item(",",txn.b)', 'add_item(",",,x)', 'add_item(",",txn.b,x)'],
      bad: [
        ['add_item(a,,)', "invalid args in converter 'add_item' : expects a variable name or a suffix"],
        ['add_item(a)', "invalid args in converter 'add_item' : expects a variable name or a suffix"],
      ],
    },
  ),
  converter('bytes', 'offset:value [length:value]', 'bin', 'bin', 'A piece of the bytes.', bytes),
  converter('ipmask', 'mask4:mask4 [mask6:mask6]', 'addr', 'addr', 'The network of an address.', ipmask),
  converter(
    'set-var',
    'var:target [cond:str] [cond:str] [cond:str] [cond:str]',
    'any',
    'any',
    'Sets a variable, passes the value on.',
    setVariable,
    SET_VAR,
  ),
  converter(
    'unset-var',
    'var:target',
    'any',
    'any',
    'Forgets a variable, passes the value on.',
    args => {
      const variable = args.variable(0)!;
      return (_, ctx) => {
        unsetVar(variable, ctx);
        return true;
      };
    },
    { keeps: true },
  ),
  DEBUG,
  converter('when', 'condition:str [arg:str]', 'any', 'any', 'Passes the value on under a condition.', when, WHEN),
  plainConverter('fe_exists', 'str', 'bool', 'There is a frontend of that name.', (sample, ctx) => {
    const name = sample.text();
    return sample.setBool(ctx.session.context.frontends.some(frontend => frontend?.proxy.name === name));
  }),
  plainConverter('nbsrv', 'str', 'sint', 'Usable servers of the backend of that name.', (sample, ctx) => {
    const worker = ctx.session.context;
    const name = sample.text();
    const backend = worker.backends.find(b => b?.proxy.name === name);
    return backend != null && sample.setInt(usable(backend, worker));
  }),
  converter('srv_is_up', '', 'str', 'bool', 'The server of that name is up.', (_, env) => sample => {
    const server = serverOf(sample.text(), env);
    return server !== null && sample.setBool(isUp(server, env.worker));
  }),
  converter('srv_queue', '', 'str', 'sint', 'Streams in the queue of the server of that name.', (_, env) => sample => {
    const server = serverOf(sample.text(), env);
    return server !== null && sample.setInt(Atomics.load(env.worker.words, server.at + SERVER.at.queued));
  }),
];
