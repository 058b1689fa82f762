/** The package as npm packs and installs it. Slow, and it needs the npm registry for Node itself. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const ROOT = path.join(import.meta.dirname, '../..');
const ASKED = process.env.SLUICE_INTEROP === '1';
if (!ASKED) console.log('package.test: skipped, it installs from the npm registry: set SLUICE_INTEROP=1');

function run(command: string, args: string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' });
  expect({ command, args, status, stderr: status === 0 ? '' : stderr }).toMatchObject({ status: 0 });
  return stdout;
}

test.skipIf(!ASKED)(
  'npm pack gives a tarball that, installed elsewhere, gives a working command',
  { timeout: 300_000 },
  () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-package-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
    run('npm', ['pack', '--pack-destination', dir], ROOT);
    const tarball = fs.readdirSync(dir).find(name => name.endsWith('.tgz'))!;
    const site = path.join(dir, 'site');
    fs.mkdirSync(site);
    run('npm', ['init', '-y'], site);
    run('npm', ['install', '--no-audit', '--no-fund', path.join(dir, tarball)], site);
    const installed = path.join(site, 'node_modules/sluice');
    expect(fs.existsSync(path.join(installed, 'dist/main.js'))).toBe(true);
    expect(fs.existsSync(path.join(installed, 'workers'))).toBe(false);
    expect(run(path.join(site, 'node_modules/.bin/sluice'), ['-v'], '/')).toMatch(/^HAProxy version .*Sluice/);
    const config = path.join(dir, 'a.cfg');
    fs.writeFileSync(
      config,
      'listen a\n  mode tcp\n  bind 127.0.0.1:8080\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n',
    );
    expect(run(path.join(site, 'node_modules/.bin/sluice'), ['-c', '-f', config], '/')).toBe(
      'Configuration file is valid\n',
    );
  },
);
