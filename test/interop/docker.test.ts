/** scripts/ha/sluice.dockerfile is not built here: what it says is read, and what it runs is run. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ask, config, folder, freePort, start } from '../workers/sluice.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const SOCAT = spawnSync('socat', ['-V']).status === 0;
if (!SOCAT) console.log('docker.test: skipped without socat, which is not installed');

interface Instruction {
  readonly name: string;
  readonly text: string;
}

/** Its instructions, comments and continued lines taken away. */
const INSTRUCTIONS: readonly Instruction[] = fs
  .readFileSync(path.join(ROOT, 'scripts/ha/sluice.dockerfile'), 'utf8')
  .replace(/^#.*\n/gm, '')
  .replace(/\\\n\s*/g, '')
  .split('\n')
  .filter(Boolean)
  .map(line => /^([A-Z]+) (.*)$/.exec(line)!)
  .map(([, name, text]) => ({ name: name!, text: text! }));

const all = (name: string) => INSTRUCTIONS.filter(one => one.name === name).map(({ text }) => text);
const last = (name: string) => all(name).at(-1) ?? '';

test('each instruction is one that Docker knows, each stage there before it is used', () => {
  const known = 'ARG CMD COPY ENTRYPOINT ENV EXPOSE FROM HEALTHCHECK LABEL RUN SHELL STOPSIGNAL USER VOLUME WORKDIR';
  expect(INSTRUCTIONS.map(({ name }) => name).filter(name => !known.split(' ').includes(name))).toEqual([]);
  expect(INSTRUCTIONS[0]!.name).toBe('FROM');
  const stages = new Set<string>();
  for (const { name, text } of INSTRUCTIONS) {
    for (const [, stage] of text.matchAll(/from=([\w-]+)/g)) expect(stages).toContain(stage);
    if (name === 'FROM') stages.add(/ AS (\S+)$/.exec(text)?.[1] ?? '');
  }
});

test('what it is built from fits: the Node.js that the package needs, only what is needed, no root at the end', () => {
  const { engines } = JSON.parse(fs.readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as {
    engines: { node: string };
  };
  for (const image of all('FROM')) expect(`>=${/^node:([\d.]+)-/.exec(image)![1]}`).toBe(engines.node);
  for (const run of all('RUN').filter(text => text.includes('apt-get install'))) {
    expect(run).toMatch(/apt-get update .*-y --no-install-recommends .*rm -rf \/var\/lib\/apt\/lists/);
  }
  expect(last('USER')).not.toMatch(/^(root|0|)$/);
  const ignored = fs.readFileSync(path.join(ROOT, 'scripts/ha/sluice.dockerfile.dockerignore'), 'utf8').trim().split('\n');
  expect(ignored).toEqual(expect.arrayContaining(['.git', 'node_modules']));
});

test.skipIf(!SOCAT)(
  'its command serves, its health check tells, its stop signal stops',
  { timeout: 60_000 },
  async () => {
    const dir = folder();
    const port = await freePort();
    const file = config(
      `listen a\n  mode http\n  bind 127.0.0.1:${port}\n  timeout client 1s\n  monitor-uri /up\n`,
      dir,
    );
    const here = (text: string) => text.replace('/etc/haproxy/haproxy.cfg', file).replaceAll('/run/sluice', dir);
    const health = here(/ CMD (.*)$/.exec(last('HEALTHCHECK'))![1]!);
    const healthy = () => spawnSync('sh', ['-c', health]).status === 0;

    expect(healthy()).toBe(false);
    const [program, ...args] = JSON.parse(here(last('CMD'))) as [string, ...string[]];
    expect(program).toBe('sluice');
    const { child, ended } = start(args);
    expect(await ask(port, '/up')).toContain('Service ready.');
    expect(healthy()).toBe(true);
    child.kill('SIGSTOP');
    expect(healthy()).toBe(false);
    child.kill('SIGCONT');
    expect(healthy()).toBe(true);
    child.kill(last('STOPSIGNAL') as NodeJS.Signals);
    expect(await ended).toEqual({ code: 0, signal: null });
    expect(healthy()).toBe(false);
  },
);
