/**
 * The moments at which a line may be written (manual 4.2, log-steps; 8.3.5): those of a stream's life, and the rule sets in
 * which `do-log` may stand. A row is its name in the configuration and what `%OG` shows.
 */
export const STEP_ORIGINS = {
  accept: 'txn_accept',
  request: 'txn_request',
  connect: 'txn_connect',
  response: 'txn_response',
  close: 'txn_close',
  error: 'sess_error',
  'tcp-req-conn': 'tcp-req-conn',
  'tcp-req-sess': 'tcp-req-sess',
  'tcp-req-cont': 'tcp-req-cont',
  'tcp-res-cont': 'tcp-res-cont',
  'http-req': 'http-req',
  'http-res': 'http-res',
  'http-after-res': 'http-after-res',
} as const;

export type LogStep = keyof typeof STEP_ORIGINS;
export const LOG_STEPS = Object.keys(STEP_ORIGINS) as readonly LogStep[];

/** What a line may show as its origin. */
export type Origin = (typeof STEP_ORIGINS)[LogStep] | 'unspec';

/** Those that `log-steps` may name. */
export const TRAFFIC_STEPS = ['accept', 'request', 'connect', 'response', 'close'] as const;
export type TrafficStep = (typeof TRAFFIC_STEPS)[number];
