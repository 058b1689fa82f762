/** Why streams end: the first letter of the log's termination state (manual 8.5). */
export const CAUSE = {
  none: '-',
  client: 'C',
  server: 'S',
  proxy: 'P',
  local: 'L',
  resource: 'R',
  internal: 'I',
  down: 'D',
  up: 'U',
  killed: 'K',
  clientTimeout: 'c',
  serverTimeout: 's',
} as const;

export type Cause = (typeof CAUSE)[keyof typeof CAUSE];

/** What is known of how a stream fared. */
interface Fared {
  readonly cause: Cause;
  readonly attempts: number;
  readonly redispatched: boolean;
  readonly status: number;
}

/** Errors, time-outs, retries, redispatches and status 5xx (manual 8.3.3). What we answered ourselves is none. */
export function wentWrong({ cause, attempts, redispatched, status }: Fared): boolean {
  return (cause !== CAUSE.none && cause !== CAUSE.local) || attempts > 0 || redispatched || status >= 500;
}
