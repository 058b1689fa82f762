/** The control plane's own log: a JSON object per line on standard error. */
import fs from 'node:fs';
import { wallMs } from '../../engine/time.ts';

type LogLevel = 'error' | 'info' | 'warning';
export type Log = (level: LogLevel, message: string, more?: Readonly<Record<string, unknown>>) => void;

export const log: Log = (level, message, more = {}) => {
  const line = JSON.stringify({ time: new Date(wallMs()).toISOString(), level, message, ...more });
  try {
    fs.writeSync(2, `${line}\n`);
  } catch {
    // nobody reads
  }
};

export const SILENT: Log = () => {};
