/**
 * `set severity-output`: a message of the runtime API may begin with how serious it is, as `[3]: ` or `[err]: `. What was
 * asked for (lists, dumps) never does.
 */

/** Syslog's numbers (RFC 5424, 6.2.1). */
const NUMBERS = { err: 3, warning: 4, notice: 5, info: 6 } as const;
export type Severity = keyof typeof NUMBERS;

export const SEVERITY_OUTPUTS = ['none', 'number', 'string'] as const;
export type SeverityOutput = (typeof SEVERITY_OUTPUTS)[number];

/** An answer of a severity that its command does not usually have. */
export interface Message {
  /** null = it is what was asked for. */
  readonly severity: Severity | null;
  readonly text: string;
}

export function err(text: string): Message {
  return { severity: 'err', text };
}

export function warning(text: string): Message {
  return { severity: 'warning', text };
}

export function notice(text: string): Message {
  return { severity: 'notice', text };
}

export function info(text: string): Message {
  return { severity: 'info', text };
}

/** What needs a higher level than the session has. */
export const DENIED = err('Permission denied');

export function data(text: string): Message {
  return { severity: null, text };
}

/**
 * What an answer of a command is that does not say it itself: `show` and `get` tell what was asked for, others say
 * something when they refuse.
 */
export function usualSeverity(words: string): Severity | null {
  return /^(show|get) /.test(words) ? null : 'err';
}

/** The answer as it is sent. */
export function shown(answer: string | Message, usual: Severity | null, output: SeverityOutput): string {
  const { severity, text } = typeof answer === 'string' ? { severity: usual, text: answer } : answer;
  if (output === 'none' || severity === null || text === '') return text;
  return `[${output === 'number' ? NUMBERS[severity] : severity}]: ${text}`;
}
