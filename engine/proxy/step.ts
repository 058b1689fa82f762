/** The numbers of the steps (steps.ts), for those who only name one. */
export const STEP = {
  idle: 0,
  inspect: 1,
  request: 2,
  body: 3,
  frontRules: 4,
  backend: 5,
  backInspect: 6,
  backRules: 7,
  tarpit: 8,
  server: 9,
  assign: 10,
  queue: 11,
  connect: 12,
  failed: 13,
  turnaround: 14,
  connected: 15,
  waiting: 16,
  response: 17,
  transfer: 18,
  tunnel: 19,
  applet: 20,
  finish: 21,
} as const;

export type StepIndex = (typeof STEP)[keyof typeof STEP];

/** Returned by a step that waits for an event. */
export const WAIT = -1;
export type Next = StepIndex | typeof WAIT;
