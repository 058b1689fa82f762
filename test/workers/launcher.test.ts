import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { config, folder, LAUNCHER, sluice } from './sluice.ts';

const VALID = `
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend fe
  bind 127.0.0.1:8080
  default_backend be
backend be
  server s 127.0.0.1:9
`;
const WARNING = VALID.replace('  timeout client 1s\n', '');
const WRONG = VALID.replace('default_backend', 'default_backnd');

describe('versions', () => {
  test('-v: a first line of HAProxy’s shape that says it is Sluice', () => {
    const { code, out } = sluice('-v');
    expect(code).toBe(0);
    expect(out).toMatch(/^HAProxy version 3\.4-sluice\d+\.\d+\.\d+ \d{4}\/\d\d\/\d\d - .*Sluice/);
  });

  test('-vv: the lines that tools look for, in their order', () => {
    const { code, out } = sluice('-vv');
    expect(code).toBe(0);
    const heads = ['HAProxy version ', '  TARGET  = ', 'Feature list : ', 'Available services : '];
    const at = heads.map(head => out.split('\n').findIndex(line => line.startsWith(head)));
    expect(at).not.toContain(-1);
    expect(at).toEqual([...at].sort((a, b) => a - b));
    expect(out).toContain(' +THREAD');
  });
});

describe('-cc', () => {
  const rows: [condition: string, code: number][] = [
    ['feature(THREAD)', 0],
    ['version_atleast(2.4)', 0],
    ['version_before(2.4)', 1],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the configuration
    ['streq("${SLUICE_TEST_UNSET-x}",x)', 0],
    ['nothing(1)', 2],
  ];
  test.each(rows)('%s exits %i', (condition, code) => {
    expect(sluice('-cc', condition)).toMatchObject({ code, out: '' });
  });

  test('says why it cannot be evaluated', () => {
    expect(sluice('-cc', 'nothing(1)').err).toMatch(/^\[ALERT\] {4}\(\d+\) : config : Failed to evaluate condition: /);
  });
});

describe('-c', () => {
  test('a valid configuration', () => {
    const valid = { code: 0, out: 'Configuration file is valid\n', err: '' };
    expect(sluice('-c', '-f', config(VALID))).toEqual(valid);
    expect(sluice('-c', '-V', '-f', config(VALID))).toEqual(valid);
    expect(sluice('-c', '-q', '-f', config(VALID))).toEqual({ code: 0, out: '', err: '' });
    expect(sluice('-Ws', '-S', '/nowhere/m', '-c', '-q', '-f', config(VALID)).code).toBe(0);
  });

  test('nothing to listen on: exit 2, and no start', () => {
    const out = 'Configuration file has no error but will not start (no listener) => exit(2).\n';
    for (const text of ['global\n  hard-stop-after 1s\n', VALID.replace('frontend fe', 'frontend fe\n  disabled')]) {
      expect(sluice('-c', '-f', config(text))).toMatchObject({ code: 2, out });
    }
    expect(sluice('-c', '-f', config('global\n  stats socket /tmp/nobody-binds-this\n')).code).toBe(0);
    const { code, err } = sluice('-db', '-f', config('global\n  hard-stop-after 1s\n'));
    expect({ code, err }).toEqual({ code: 1, err: expect.stringContaining('No enabled listener found') });
  });

  test('servers without an address are told, and start with -dr', () => {
    const file = config(`${VALID}\nbackend lost\n  server s nobody.invalid:80\n`);
    expect(sluice('-c', '-f', file)).toMatchObject({ code: 1, err: expect.stringMatching(/ALERT.*could not resolve/) });
    expect(sluice('-c', '-dr', '-f', file)).toMatchObject({
      code: 0,
      out: 'Warnings were found.\nConfiguration file is valid\n',
      err: expect.stringMatching(/WARNING.*could not resolve address 'nobody.invalid', disabling server/),
    });
  });

  test('a master CLI that nobody serves is told', () => {
    const { code, err } = sluice('-c', '-S', '/nowhere/m', '-f', config(VALID));
    expect({ code, err }).toEqual({ code: 0, err: expect.stringContaining('a master CLI socket was defined, but') });
  });

  test('a folder that is not there', () => {
    const { code, err } = sluice('-C', '/nowhere', '-c', '-f', config(VALID));
    expect(code).toBe(1);
    expect(err).toMatch(/: Could not change to directory \/nowhere : No such file or directory\.\n$/);
  });

  test('warnings are fatal with -dW only', () => {
    const file = config(WARNING);
    const warned = sluice('-c', '-V', '-f', file);
    expect(warned).toMatchObject({ code: 0, out: 'Warnings were found.\nConfiguration file is valid\n' });
    expect(warned.err).toContain('[WARNING]');
    const refused = sluice('-dW', '-c', '-f', file);
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.err).toContain('Some warnings were found');
    expect(sluice('-q', '-dW', '-c', '-f', file)).toEqual({ code: 1, out: '', err: '' });
  });

  test('an error names file and line', () => {
    const file = config(WRONG);
    const { code, out, err } = sluice('-c', '-f', file);
    expect({ code, out }).toEqual({ code: 1, out: '' });
    expect(err).toMatch(/\[ALERT\] {4}\(\d+\) : config : parsing \[.*sluice\.cfg:9\] : .*default_backnd/);
    expect(sluice('-q', '-c', '-f', file)).toEqual({ code: 1, out: '', err: '' });
  });

  test('files, folders and -C', () => {
    const dir = folder();
    config(VALID, dir);
    fs.writeFileSync(path.join(dir, 'ignored.txt'), 'nonsense');
    expect(sluice('-c', '-f', dir).code).toBe(0);
    expect(sluice('-C', dir, '-c', '--', 'sluice.cfg').code).toBe(0);
    expect(sluice('-C', path.join(dir, 'no'), '-c', '-f', 'x').code).toBe(1);
    expect(sluice('-c', '-f', path.join(dir, 'no.cfg'))).toMatchObject({ code: 1, out: '' });
  });
});

test('a command line that cannot be used: the version, why not, the usage, exit 1', () => {
  const { code, out, err } = sluice('-foo');
  expect(code).toBe(1);
  expect(out).toMatch(/^HAProxy version/);
  expect(err).toMatch(/^\[ALERT\] {4}\(\d+\) : unknown option '-foo'/);
  expect(err).toContain('\nUsage : ');
  expect(sluice()).toMatchObject({ code: 1 });
});

test('-dK lists keywords of the tables', () => {
  const { code, out } = sluice('-dKcfg', '-q', '-c', '-f', config(VALID));
  expect(code).toBe(0);
  expect(out).toContain('# List of registered configuration keywords:\nglobal\n');
  expect(out).toContain('\n\ttimeout client ');
  expect(sluice('-dKhelp', '-q', '-c', '-f', config(VALID)).out).toContain('\ncfg: ');
});

describe('scripts/sluice', () => {
  test('works through links, from any folder, with no or an old node in PATH', () => {
    const dir = folder();
    fs.symlinkSync(LAUNCHER, path.join(dir, 'one'));
    fs.symlinkSync('one', path.join(dir, 'two'));
    fs.writeFileSync(path.join(dir, 'node'), '#!/bin/sh\necho v20.0.0\n', { mode: 0o755 });
    const PATH = `${dir}:/usr/bin:/bin`;
    const run = spawnSync('two', ['-v'], { cwd: '/', env: { PATH }, encoding: 'utf8' });
    expect(run).toMatchObject({ status: 0, stderr: '' });
    expect(run.stdout).toMatch(/^HAProxy version/);
  });

  test('runs the bundle, but the sources when one of them is newer', () => {
    const dir = folder();
    for (const sub of ['scripts', 'dist', 'engine', 'workers']) fs.mkdirSync(path.join(dir, sub));
    fs.copyFileSync(LAUNCHER, path.join(dir, 'scripts/sluice'));
    fs.writeFileSync(path.join(dir, 'node'), '#!/bin/sh\necho v26.10.0; for word; do :; done; echo "$word"\n', {
      mode: 0o755,
    });
    const main = (): string => {
      const env = { PATH: `${dir}:/usr/bin:/bin` };
      return spawnSync(path.join(dir, 'scripts/sluice'), [], { env, encoding: 'utf8' }).stdout.split('\n')[1]!;
    };
    const at = (file: string, seconds: number): void => {
      fs.writeFileSync(path.join(dir, file), '');
      fs.utimesSync(path.join(dir, file), seconds, seconds);
    };
    at('workers/main.ts', 100);
    expect(main()).toBe(path.join(dir, 'workers/main.ts'));
    at('dist/main.js', 200);
    expect(main()).toBe(path.join(dir, 'dist/main.js'));
    at('engine/changed.ts', 300);
    expect(main()).toBe(path.join(dir, 'workers/main.ts'));
    fs.rmSync(path.join(dir, 'engine'), { recursive: true });
    fs.rmSync(path.join(dir, 'workers'), { recursive: true });
    expect(main()).toBe(path.join(dir, 'dist/main.js'));
  });

  test('says what is missing', () => {
    const dir = folder();
    fs.mkdirSync(path.join(dir, 'scripts'));
    fs.copyFileSync(LAUNCHER, path.join(dir, 'scripts/sluice'));
    fs.writeFileSync(path.join(dir, 'node'), '#!/bin/sh\necho v20.0.0\n', { mode: 0o755 });
    const run = spawnSync(path.join(dir, 'scripts/sluice'), ['-v'], {
      env: { PATH: `${dir}:/usr/bin:/bin` },
      encoding: 'utf8',
    });
    expect(run).toMatchObject({ status: 1, stdout: '' });
    expect(run.stderr).toMatch(/^sluice: needs Node\.js 26\.10 or later, but .*node is 20\.0\.0/);
  });
});
