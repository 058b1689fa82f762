/** `show errors`: the last invalid request and response of each proxy, byte for byte. */

import { INVALID_DOC } from '../http/invalid.ts';
import type { BadMessage, Direction } from '../proxy/bad-messages.ts';
import { wallMs } from '../time.ts';
import { type Call, type CliEnv, type Command, type Later, later, type Reply } from './command.ts';
import { errorPosition } from './error-position.ts';
import { err } from './severity.ts';

/** Columns of one line of the dump, after the offset. */
const WIDTH = 70;

const DIRECTIONS: readonly Direction[] = ['request', 'response'];

function showErrors({ env, args }: Call): Reply {
  const [who, what] = args;
  const all = who === undefined || who === '-1';
  const found = env.model.proxies.find(p => p.name === who || (/^\d+$/.test(who ?? '') && p.id === Number(who)));
  if (!all && found === undefined) return err('No such proxy.');
  const direction = DIRECTIONS.find(d => d === what) ?? null;
  if (what !== undefined && direction === null) return "Expects 'request' or 'response'.";
  return collect(env, all ? -1 : found!.index, direction);
}

/** Each worker keeps its own last ones: the latest of them all is shown. */
function collect(env: CliEnv, proxy: number, direction: Direction | null): Later {
  return later(done =>
    env.asker.ask({ type: 'errors', proxy, direction }, answers => {
      let events = 0;
      const latest = new Map<string, BadMessage>();
      for (const { answer } of answers) {
        if (answer === 'silent') continue;
        events += answer.events;
        for (const message of answer.messages) {
          const key = `${message.proxy} ${message.direction}`;
          if (message.wallMs >= (latest.get(key)?.wallMs ?? 0)) latest.set(key, message);
        }
      }
      const head = `Total events captured on [${date(wallMs())}] : ${events}`;
      const shown = [...latest.values()].sort((a, b) => a.proxy - b.proxy);
      done([head, ...shown.map(message => messageText(env, message))].join('\n'));
    }),
  );
}

function messageText(env: CliEnv, m: BadMessage): string {
  const { proxies } = env.model;
  const name = (index: number) => (index < 0 ? '<NONE> (#-1)' : `${proxies[index]!.name} (#${proxies[index]!.id})`);
  const server = m.server < 0 ? null : proxies[m.backend]!.servers[m.server]!;
  const side = m.direction === 'request' ? 'frontend' : 'backend';
  const other = m.direction === 'request' ? `backend ${name(m.backend)}` : `frontend ${name(m.frontend)}`;
  const who = server === null ? '<NONE> (#-1)' : `${server.name} (#${server.id})`;
  const { acceptInvalidRequest, acceptInvalidResponse } = proxies[m.proxy]!.options;
  const relaxed = m.direction === 'request' ? acceptInvalidRequest : acceptInvalidResponse;
  const position = errorPosition(m, { relaxed, maxHeaders: env.model.global.tune.maxhdr });
  const where = position < 0 ? 'error' : `error at position ${position}`;
  return [
    ' ',
    `[${date(m.wallMs)}] ${side} ${name(m.proxy)}: invalid ${m.direction}`,
    `  ${other}, server ${who}, event #${m.event}, src ${m.source || 'unix'}`,
    `  len ${m.bytes.length}, ${where}: ${INVALID_DOC.get(m.error) ?? m.error} (${m.error}) :`,
    '  ',
    ...dumpBytes(m.bytes),
  ].join('\n');
}

/** One line of the message in each, or a part of it: then the next one begins with `+`. Bytes that do not print are escaped. */
function dumpBytes(bytes: Uint8Array): string[] {
  const lines: string[] = [];
  let text = '';
  let from = 0;
  let mark = ' ';
  const end = (at: number, next: string) => {
    lines.push(`  ${String(from).padStart(5, '0')}${mark} ${text}`);
    text = '';
    from = at;
    mark = next;
  };
  bytes.forEach((byte, i) => {
    const shown = ESCAPES[byte] ?? (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : hex(byte));
    if (text.length + shown.length > WIDTH) end(i, '+');
    text += shown;
    if (byte === 0x0a) end(i + 1, ' ');
  });
  if (text !== '') end(bytes.length, ' ');
  return lines;
}

const ESCAPES: Readonly<Record<number, string>> = { 9: '\\t', 10: '\\n', 13: '\\r', 27: '\\e', 92: '\\\\' };

function hex(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0').toUpperCase()}`;
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** `22/Nov/2026:16:50:40.314`, local time. */
function date(ms: number): string {
  const d = new Date(ms);
  const two = (n: number) => String(n).padStart(2, '0');
  const time = `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}.${String(d.getMilliseconds()).padStart(3, '0')}`;
  return `${two(d.getDate())}/${MONTHS[d.getMonth()]}/${d.getFullYear()}:${time}`;
}

export const ERROR_COMMANDS: readonly Command[] = [
  {
    words: 'show errors',
    usage: '[<px>] [request|response]',
    help: 'report last request and/or response errors for each proxy',
    level: 'operator',
    run: showErrors,
  },
];
