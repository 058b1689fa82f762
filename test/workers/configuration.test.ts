/** What the command line says of the configuration. */
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { readConfiguration } from '../../workers/configuration.ts';
import { parseArguments } from '../../workers/options.ts';
import type { Say } from '../../workers/say.ts';

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-configuration-'));

afterAll(() => fs.rmSync(folder, { recursive: true }));

/** What is said of the file; '' = nothing. */
function said(...flags: string[]): string {
  const texts: string[] = [];
  const say = Object.assign(() => {}, { raw: (more: string) => void texts.push(more) }) as unknown as Say;
  const { options } = parseArguments([...flags, '-f', `${folder}/c.cfg`]);
  readConfiguration(options, say, 'sluice');
  return texts.join('');
}

test('-dV: the certificates of servers need not be verifiable, unless the file wants it', () => {
  const backend = 'backend b\n timeout connect 1s\n timeout server 1s\n server one 127.0.0.1:1 ssl\n';
  fs.writeFileSync(`${folder}/c.cfg`, backend);
  expect(said()).toContain('verify');
  expect(said('-dV')).toBe('');
  fs.writeFileSync(`${folder}/c.cfg`, `global\n ssl-server-verify required\n${backend}`);
  expect(said('-dV')).toContain('verify');
});
