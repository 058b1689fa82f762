/**
 * The examples of HAProxy's manual, as installed: what the real HAProxy takes is taken here, or refused by name. Lines that belong to no
 * section are put into one; ACLs and proxies that they name are added.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import { SECTIONS } from '../../engine/config/sections.ts';
import { load } from '../config/load-text.ts';
import { haproxyVersion } from './peers.ts';

const MANUAL = '/usr/share/doc/haproxy/configuration.txt.gz';
const ready = existsSync(MANUAL) && haproxyVersion() !== null;
if (!ready) console.log(`manual.test: skipped, it needs haproxy and ${MANUAL} (packages haproxy and haproxy-doc)`);

const DEFAULTS = ['defaults', ' mode http', ...['client', 'server', 'connect'].map(side => ` timeout ${side} 1s`)];
/** In one example `balance hash` names a fetch that there is not: HAProxy looks at the last `balance` line only. */
const MISTAKE = "unknown fetch method 'req.cookie'";
const TABLE =
  ' stick-table type ip size 1k expire 1m store gpc0,conn_cnt,conn_rate(10s),sess_rate(10s),http_req_rate(10s)';
const sections = new Set(SECTIONS.map(({ keyword }) => keyword));

interface Example {
  readonly line: number;
  readonly chapter: string;
  readonly lines: readonly string[];
}

/** Not a comment, and no prose. */
function isLine(text: string): boolean {
  return /^[a-z][a-z_-]*(\s+\S|$)/.test(text) && !text.endsWith('.');
}

/** The indented blocks below the word. */
function examples(text: string): Example[] {
  const lines = text.replaceAll(/\\\n\s*/g, '').split('\n');
  const found: Example[] = [];
  let chapter = '';
  lines.forEach((line, i) => {
    chapter = (lines[i + 1]?.startsWith('---') && /^(\d[\d.]*)\.? /.exec(line)?.[1]) || chapter;
    if (!/^\s*Examples?\b/.test(line)) return;
    const indent = line.search(/\S/);
    const rest = lines.slice(i + 1);
    const end = rest.findIndex(other => other.trim() !== '' && other.search(/\S/) <= indent);
    const block = rest.slice(0, end).map(other => other.trim());
    found.push({ line: i + 1, chapter, lines: block.filter(isLine) });
  });
  return found.filter(example => example.lines.length > 0);
}

/** The example as the sections of a file. */
function wrapped({ chapter, lines }: Example): string[] {
  const out: string[] = [];
  for (const line of lines) {
    const opens = sections.has(line.split(/\s/)[0]!);
    if (!opens && out.length === 0)
      out.push(...(chapter.startsWith('3.') ? ['global'] : ['listen wrapped', ' bind 127.0.0.1:1']));
    out.push(opens ? line : ` ${line}`);
  }
  return out;
}

const folder = ready ? mkdtempSync(join(tmpdir(), 'sluice-manual-')) : '';
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What HAProxy says, and the text that it says it about: with what was missing. */
function asked(example: Example): { readonly text: string; readonly taken: boolean } {
  const body = wrapped(example);
  const more: string[] = [];
  const file = join(folder, `${example.line}.cfg`);
  for (let round = 0; ; round++) {
    const text = [...DEFAULTS, ...body, ...more, 'listen last', ' bind 127.0.0.1:2', ' server s 127.0.0.1:3', ''].join(
      '\n',
    );
    writeFileSync(file, text);
    const { status, stderr } = spawnSync('haproxy', ['-c', '-f', file], { encoding: 'utf8' });
    const acl = /:(\d+)\][^\n]*no such ACL : '([^']+)'/.exec(stderr);
    const backend = /unable to find required (?:use|default)_backend: '([^']+)'/.exec(stderr);
    if (round > 20 || (acl === null && backend === null)) return { text, taken: status === 0 };
    if (acl !== null) {
      const opened = body.slice(0, Number(acl[1]) - DEFAULTS.length).findLastIndex(line => !line.startsWith(' '));
      body.splice(opened + 1, 0, ` acl ${acl[2]} always_true`);
    } else more.push(`backend ${backend![1]}`, TABLE, ' server s 127.0.0.1:3');
  }
}

describe.skipIf(!ready)("the manual's examples", () => {
  const all = ready ? examples(gunzipSync(readFileSync(MANUAL)).toString('latin1')) : [];

  test('there are many', () => expect(all.length).toBeGreaterThan(150));

  test.each(all.map(example => [example.chapter, example.line, example] as const))('%s, line %i', (_, __, example) => {
    const { text, taken } = asked(example);
    if (!taken) return;
    const { diagnostics } = load(text, { files: { '/etc/resolv.conf': 'nameserver 127.0.0.1\n' } });
    const alerts = diagnostics.list.filter(({ severity }) => severity === 'alert').map(({ message }) => message);
    expect(alerts.filter(message => !message.includes('not supported by Sluice yet') && message !== MISTAKE)).toEqual(
      [],
    );
  });
});
