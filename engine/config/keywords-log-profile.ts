/** Keywords of the log-profile section (manual 8.3.5), and `log-steps` of the proxies. */
import { type Format, LOG_LINE, parseFormat, type Use } from '../log/format-text.ts';
import { LOG_STEPS, TRAFFIC_STEPS, type TrafficStep } from '../log/steps.ts';
import { partOf } from '../sample/expression.ts';
import type { Cursor } from './cursor.ts';
import type { LogProfileDraft, ProxyDraft, Resources } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { ProfileStep } from './log-model.ts';
import { didYouMean } from './suggest.ts';

/** Unlike a line of `log-format` it may be written at any step, where requests and responses are still seen. */
const ANY_STEP: Use = { ...LOG_LINE, point: null };

/** QUIC is not spoken: what is said of its step is never asked. */
const STEPS: readonly string[] = [...LOG_STEPS, 'quic-init', 'any'];

/** The format after `what`; null after reporting. */
function format(cursor: Cursor, what: string, resources: Resources): Format | null {
  const word = cursor.expectWord(what);
  if (word === null) return null;
  const parsed = parseFormat(word.text, ANY_STEP, resources);
  if (!('message' in parsed)) return parsed;
  const { message, hint, at, width } = parsed;
  cursor.error(`failed to parse ${what} : ${message}`, hint ?? undefined, partOf(word, at, width));
  return null;
}

/** Nothing is changed. Lines about one step add up. */
const SILENT: ProfileStep = { drop: false, format: null, data: null };

export const LOG_PROFILE: readonly Keyword<LogProfileDraft>[] = [
  supported({
    name: 'log-tag',
    where: 'P',
    args: '<name>',
    doc: 'Program name in the lines.',
    parse(cursor, profile) {
      profile.logTag = cursor.expectWord('a tag')?.text ?? null;
    },
    good: ['log-tag own'],
    bad: [['log-tag', "'log-tag' expects a tag"]],
  }),
  supported({
    name: 'on',
    where: 'P',
    args: '<step> [drop] [format <format>] [sd <format>]',
    doc: 'What is said at a step instead of what the proxy says.',
    parse(cursor, profile, { resources }) {
      const step = cursor.expectOneOf('a step', STEPS);
      if (step === null) return;
      const said = { ...(profile.steps[step] ?? SILENT) };
      for (;;) {
        if (cursor.match('drop')) said.drop = true;
        else if (cursor.match('format')) {
          said.format = format(cursor, 'format', resources);
          if (said.format === null) return;
        } else if (cursor.match('sd')) {
          said.data = format(cursor, 'sd', resources);
          if (said.data === null) return;
        } else break;
      }
      profile.steps[step] = said;
    },
    good: [
      'on close format "%ci %ST"',
      'on any sd "[x@1 a=1]"',
      'on connect drop',
      'on http-req format %[src]',
      'on quic-init drop',
    ],
    bad: [
      [
        'on',
        `'on' expects ${STEPS.slice(0, -1)
          .map(name => `'${name}'`)
          .join(', ')} or 'any' as a step`,
      ],
      ['on close format %zz', "failed to parse format : no such format variable 'zz'"],
      ['on close foo', "'close' cannot handle unexpected argument 'foo'"],
    ],
  }),
];

export const LOG_STEPS_KEYWORD: Keyword<ProxyDraft> = supported({
  name: 'log-steps',
  where: 'DFL',
  args: '{ all | <step>[,<step>]* }',
  doc: 'A log line at each of these steps.',
  parse(cursor, proxy) {
    const word = cursor.expectWord('a list of steps');
    if (word === null) return;
    const names = word.text === 'all' ? TRAFFIC_STEPS : word.text.split(',');
    const bad = names.find(name => !(TRAFFIC_STEPS as readonly string[]).includes(name));
    if (bad === undefined) proxy.logSteps = [...(names as TrafficStep[])];
    else {
      const message = `'log-steps' expects 'all' or a list of ${TRAFFIC_STEPS.join(', ')}, not '${bad}'`;
      cursor.error(message, didYouMean(bad, TRAFFIC_STEPS) ?? undefined);
    }
  },
  good: ['log-steps all', 'log-steps accept,close'],
  bad: [
    ['log-steps', "'log-steps' expects a list of steps"],
    ['log-steps foo', "'log-steps' expects 'all' or a list of accept, request, connect, response, close, not 'foo'"],
  ],
});
