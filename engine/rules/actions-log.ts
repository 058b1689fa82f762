/** Actions about log lines. */
import type { LogStep } from '../log/steps.ts';
import { type ActionRow, action, CONTINUE } from './action.ts';
import type { RuleSetName } from './rule-sets.ts';

const LEVELS = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'] as const;

const SET_LOG_LEVEL = action<{ readonly level: number | null }>({
  name: 'set-log-level',
  where: 'TUQRA',
  args: '{ emerg | alert | crit | err | warning | notice | info | debug | silent }',
  doc: 'Level of the log line of this stream; silent = none.',
  read(cursor) {
    const name = cursor.expectOneOf('set-log-level', [...LEVELS, 'silent']);
    return name === null ? null : { level: name === 'silent' ? null : LEVELS.indexOf(name) };
  },
  compile: ({ level }) => {
    return ({ stream }) => {
      stream!.silent = level === null;
      stream!.logLevel = level ?? -1;
      return CONTINUE;
    };
  },
  good: ['set-log-level err', 'set-log-level silent'],
  bad: [
    [
      'set-log-level',
      "'set-log-level' expects 'emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug' or 'silent'",
    ],
  ],
});

/** How log profiles call the rule sets. */
const STEP_OF: Partial<Record<RuleSetName, LogStep>> = {
  connection: 'tcp-req-conn',
  session: 'tcp-req-sess',
  content: 'tcp-req-cont',
  serverContent: 'tcp-res-cont',
  request: 'http-req',
  response: 'http-res',
  afterResponse: 'http-after-res',
};

interface DoLog {
  readonly step: LogStep;
  /** null = those of the targets. */
  readonly profile: string | null;
}

/** The log profile that the data of a `do-log` names; null = none. */
export function askedProfile(args: unknown): string | null {
  return (args as DoLog).profile;
}

const DO_LOG = action<DoLog>({
  name: 'do-log',
  where: 'CSTUQRA',
  args: '[profile <name>]',
  doc: 'Writes a log line now, beside the usual one.',
  read(cursor, rule) {
    const named = cursor.match('profile');
    const profile = named ? cursor.expectWord('the name of a log-profile section') : null;
    if (named && profile === null) return null;
    return { step: STEP_OF[rule.set.name]!, profile: profile?.text ?? null };
  },
  compile({ step, profile }) {
    return at => {
      at.session.context.events.logNow(at, step, profile);
      return CONTINUE;
    };
  },
  good: ['do-log'],
  bad: [['do-log profile', "'profile' expects the name of a log-profile section"]],
});

export const LOG_ACTIONS: readonly ActionRow[] = [SET_LOG_LEVEL, DO_LOG];
