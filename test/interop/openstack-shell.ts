/** OpenStack's own command lines, `openstack` and `neutron`, in one process of Python for many commands. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { onTestFinished } from 'vitest';
import type { Farm } from '../lbaas/farm.ts';

/** Why the clients cannot be run; null = they can. */
export function missing(): string | null {
  const code = 'import octaviaclient, openstackclient, neutronclient';
  if (spawnSync('/usr/bin/python3', ['-c', code]).status === 0) return null;
  return 'python3-octaviaclient, python3-openstackclient or python3-neutronclient is not installed';
}

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Shell {
  /** Runs to the end, whatever that is. */
  run(...words: string[]): Promise<Ran>;
  /** Expects success; the output as JSON where there is some. */
  // biome-ignore lint/suspicious/noExplicitAny: what the program prints is what is looked at
  ok(...words: string[]): Promise<any>;
}

export function shell(program: 'neutron' | 'openstack', environment: Record<string, string>): Shell {
  const { PATH = '', HOME = '' } = process.env;
  const script = path.join(import.meta.dirname, 'openstack-shell.py');
  const child = spawn('/usr/bin/python3', [script], {
    env: { PATH, HOME, ...environment },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  onTestFinished(() => void child.kill());
  const lines = readline.createInterface({ input: child.stdout });
  const run = async (...words: string[]): Promise<Ran> => {
    child.stdin.write(`${JSON.stringify([program, ...words])}\n`);
    const [line] = await once(lines, 'line');
    return JSON.parse(line as string) as Ran;
  };
  return {
    run,
    ok: async (...words) => {
      const { code, out, err } = await run(...words);
      if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${err}`);
      return out.startsWith('{') || out.startsWith('[') ? JSON.parse(out) : out;
    },
  };
}

export const noAuth = ({ url }: Farm) => ({ OS_AUTH_TYPE: 'none', OS_ENDPOINT: url });

/** What Python prints of an expression over modules of the clients. */
export function known(imports: string, expression: string): string[] {
  const code = `import json, warnings; warnings.simplefilter('ignore'); ${imports}; print(json.dumps(${expression}))`;
  const { stdout, stderr } = spawnSync('/usr/bin/python3', ['-c', code], { encoding: 'utf8' });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as string[];
}
