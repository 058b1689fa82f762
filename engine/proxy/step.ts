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
  payload: 10,
  assign: 11,
  queue: 12,
  connect: 13,
  failed: 14,
  turnaround: 15,
  connected: 16,
  waiting: 17,
  response: 18,
  backResponse: 19,
  frontResponse: 20,
  answer: 21,
  transfer: 22,
  tunnel: 23,
  applet: 24,
  finish: 25,
} as const;

export type StepIndex = (typeof STEP)[keyof typeof STEP];

/** Returned by a step that waits for an event. */
export const WAIT = -1;
export type Next = StepIndex | typeof WAIT;
