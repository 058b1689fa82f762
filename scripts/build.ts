/**
 * Builds dist/ for the npm package: the same files as JavaScript, imports rewritten from .ts to .js. A checkout needs no
 * build: Node runs the TypeScript as it stands.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..');
const dist = path.join(root, 'dist');
const config = path.join(root, 'tsconfig.build.json');

fs.rmSync(dist, { recursive: true, force: true });
const compiler = path.join(root, 'node_modules', '.bin', 'tsc');
const { status, error } = spawnSync(compiler, ['--project', config], { stdio: 'inherit' });
if (error !== undefined) throw error;
process.exitCode = status ?? 1;
