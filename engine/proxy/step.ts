/** The numbers of the steps (steps.ts), for those who only name one. */
export const STEP = {
  idle: 0,
  inspect: 1,
  upgrade: 2,
  request: 3,
  body: 4,
  frontRules: 5,
  backend: 6,
  backInspect: 7,
  backRules: 8,
  tarpit: 9,
  server: 10,
  payload: 11,
  assign: 12,
  queue: 13,
  connect: 14,
  failed: 15,
  turnaround: 16,
  connected: 17,
  waiting: 18,
  response: 19,
  backResponse: 20,
  frontResponse: 21,
  answer: 22,
  transfer: 23,
  tunnel: 24,
  form: 25,
  applet: 26,
  finish: 27,
} as const;

export type StepIndex = (typeof STEP)[keyof typeof STEP];

/** Returned by a step that waits for an event. */
export const WAIT = -1;
export type Next = StepIndex | typeof WAIT;
