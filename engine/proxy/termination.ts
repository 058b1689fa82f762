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
