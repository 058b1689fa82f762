/** `-dA`, `-dC`, `-dK`, `-dL`. */
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { expect, test } from 'vitest';
import { dumpKeywords } from '../../workers/keywords.ts';
import { config, folder, sluice } from './sluice.ts';

const FILE = '# mine\nlisten l\n  mode http\n  bind 127.0.0.1:0\n';

test('-dC prints the configuration, also one that is wrong', () => {
  const file = config(FILE.replace(':0', ':8'));
  const { out } = sluice('-dC', '-q', '-c', '-f', file);
  expect(out).toBe('listen l\n\tmode http\n\tbind 127.0.0.1:8\n');
  const anonymous = sluice('-dC1', '-q', '-c', '-f', file).out;
  expect(anonymous).toMatch(/^listen [0-9a-f]{6}\n\tmode http\n\tbind 127\.0\.0\.1:8\n$/);
  const wrong = sluice('-dC', '-c', '-f', config('listen l\n  nonsense\n'));
  expect(wrong.code).toBe(1);
  expect(wrong.out).toBe('listen l\n\tnonsense\n');
});

test('-dL lists the libraries, -dA packs them', () => {
  const file = config(FILE.replace(':0', ':8'));
  const archive = path.join(folder(), 'libs.tar');
  const { code, out } = sluice('-dL', `-dA${archive}`, '-q', '-c', '-f', file);
  expect(code).toBe(0);
  const names = out.trimEnd().split('\n');
  expect(names[0]).toMatch(/\/node$/);
  const packed = execFileSync('tar', ['tf', archive], { encoding: 'utf8', stdio: 'pipe' }).trimEnd().split('\n');
  expect(packed.map(name => `/${name}`).sort()).toEqual(names.sort());
  const refused = sluice('-dA/nowhere/x.tar', '-q', '-c', '-f', file);
  expect(refused.code).toBe(1);
});

test('-dK lists each class', () => {
  const all = dumpKeywords('all')
    .split(/^# List of registered /m)
    .slice(1);
  expect(all.map(part => part.split('\n')[0])).toEqual(
    [
      'ACL keywords',
      'configuration keywords',
      'CLI keywords',
      'sample converter functions',
      'filter names',
      'sample fetch functions',
      'service names',
    ].map(title => `${title}:`),
  );
  for (const part of all) expect(part.trimEnd().split('\n').length).toBeGreaterThan(1);
  expect(dumpKeywords('acl')).toContain('\nhdr_beg = req.hdr -m beg\n');
  expect(dumpKeywords('cnv')).toContain('\nfield(integer,string[,integer]): str => str\n');
  expect(dumpKeywords('cli')).toContain('\nshow stat [WORKER]\n');
  const smp = dumpKeywords('smp').split('\n');
  expect(smp.find(line => line.endsWith('] always_true: bool'))).toMatch(/^\[( Y)+ \] always_true: bool$/);
  expect(smp.find(line => / path: str$/.test(line))).toMatch(/^\[ \. \. Y Y Y Y Y Y Y .* \. \. \. \]/);
  expect(smp.filter(line => line.startsWith('#')).at(-2)).toMatch(/^# \/ \/ /);
});
