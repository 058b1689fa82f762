/**
 * What a proxy says at each step, in the words of one log profile (manual 8.3.5). A proxy has one voice per profile that its
 * `log` lines name; those without a profile share the one that says what the proxy's own formats say.
 */
import type { LogProfile } from '../config/log-model.ts';
import type { Env } from '../sample/context.ts';
import type { ProxyFormats } from './builtin.ts';
import { compileFormat, type LogFormat } from './format.ts';
import { LOG_STEPS, type LogStep } from './steps.ts';
import type { Target } from './target.ts';

/** The line of one step; `data` is the structured data of RFC 5424. */
interface Said {
  readonly format: LogFormat;
  readonly data: LogFormat | null;
}

export interface Voice {
  readonly targets: readonly Target[];
  /** null = nothing is said. */
  readonly steps: Readonly<Record<LogStep, Said | null>>;
}

export function compileVoice(
  profile: LogProfile | null,
  targets: readonly Target[],
  own: ProxyFormats,
  env: Env,
  partial: boolean,
): Voice {
  const steps = Object.fromEntries(
    LOG_STEPS.map(step => [step, said(step, profile, own, format => compileFormat(format, env, partial))]),
  );
  return { targets, steps: steps as Voice['steps'] };
}

function said(
  step: LogStep,
  profile: LogProfile | null,
  own: ProxyFormats,
  compile: (format: NonNullable<LogProfile['steps'][string]['format']>) => LogFormat,
): Said | null {
  const change = profile?.steps[step] ?? profile?.steps.any ?? null;
  if (change?.drop === true) return null;
  const usual = step === 'error' ? own.error : own.traffic;
  const format = change?.format ? compile(change.format) : usual;
  const data = change?.data ? compile(change.data) : own.data;
  return format === null ? null : { format, data };
}
