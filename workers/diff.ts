/** `sluice diff old.cfg new.cfg`: what a reload would change. A configuration of several files is a folder. */
import { changeLines, diff } from '../engine/config/diff.ts';
import type { Model } from '../engine/config/model.ts';
import { readConfiguration } from './configuration.ts';
import { parseArguments } from './options.ts';
import { type Say, write } from './say.ts';

/** The exit code, as diff(1) has it: 0 = nothing changes, 1 = something does, 2 = one of them cannot be used. */
export function showDiff(paths: readonly string[], say: Say, program: string): number {
  if (paths.length !== 2) {
    write(2, `Usage : ${program} diff <old cfgfile|cfgdir> <new cfgfile|cfgdir>\n`);
    return 2;
  }
  const [before, after] = paths.map(path => read(path, say, program));
  if (!before || !after) return 2;
  const changes = diff(before, after);
  write(
    1,
    changeLines(changes)
      .map(line => `${line}\n`)
      .join(''),
  );
  return changes.length === 0 ? 0 : 1;
}

function read(path: string, say: Say, program: string): Model | null {
  const { options } = parseArguments(['-f', path, '-c', '-dr']);
  return readConfiguration(options, say, program)?.model ?? null;
}
