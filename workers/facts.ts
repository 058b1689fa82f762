/** What the process knows of itself, for the statistics; and the limits that follow from those of the system. */
import os from 'node:os';
import type { Model } from '../engine/config/model.ts';
import { fdLimits } from '../engine/io/native.ts';
import { WORKERS_MAX } from '../engine/limits.ts';
import { shapeOf } from '../engine/shm/memory.ts';
import type { Facts } from '../engine/stats/view.ts';
import { wallMs } from '../engine/time.ts';
import { RELEASE_DATE, VERSION } from '../engine/version.ts';
import type { Plan } from './generation.ts';
import { processors } from './processors.ts';

/** `nbthread`, or as many as there are processors. */
export function workerCount(model: Model): number {
  return Math.min(model.global.nbthread || processors(), WORKERS_MAX);
}

/** Descriptors left for what is neither a connection nor its server's side: files, epoll, logs, listeners. */
export const SPARE_FDS = 100;

/** Without `maxconn`: two descriptors per connection out of those that the process may have. */
export function withMaxconn(model: Model): Model {
  if (model.global.maxconn > 0) return model;
  const maxconn = Math.max(SPARE_FDS, Math.floor((maxFd() - SPARE_FDS) / 2));
  return { ...model, global: { ...model.global, maxconn } };
}

function maxFd(): number {
  const limits = fdLimits();
  // A system without a limit would give more than a connection table could hold.
  return 'errno' in limits ? 1024 : Math.min(limits.soft, 2 ** 20);
}

/** When the process began, by the wall clock, and how long it took until the first plan was made. */
let start: { readonly wallMs: number; readonly bootMs: number } | null = null;

export function factsOf({ model, workers, io, warnings }: Plan): Facts {
  const sinceStartMs = process.uptime() * 1000;
  start ??= { wallMs: wallMs() - sinceStartMs, bootMs: Math.round(sinceStartMs) };
  const { listeners } = shapeOf(model, workers);
  return {
    pid: process.pid,
    nbthread: workers,
    startWallMs: start.wallMs,
    bootMs: start.bootMs,
    hostName: os.hostname(),
    version: VERSION,
    releaseDate: RELEASE_DATE,
    ioName: io,
    ulimitN: maxFd(),
    maxsock: 2 * model.global.maxconn + listeners + SPARE_FDS,
    warnings,
  };
}
