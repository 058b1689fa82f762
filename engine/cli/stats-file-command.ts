import { dumpStatsFile } from '../stats/stats-file.ts';
import type { Command } from './command.ts';

export const DUMP_STATS_FILE: Command = {
  words: 'dump stats-file',
  usage: '',
  help: 'dump stats for initialization of another process',
  level: 'operator',
  run: ({ env }) => dumpStatsFile(env.model, env.memory),
};
