/** Where files that are named by relative paths are found, and what they are called then. */
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { loadModel } from '../../engine/config/load.ts';
import type { Model } from '../../engine/config/model.ts';
import { readFileLines } from '../../engine/config/read.ts';
import { pemFile } from '../tls/certificates.ts';

const pem = fs.readFileSync(pemFile({ name: 'site' }), 'utf8');

/** Loads configuration files and tells which of the others were read. */
function read(
  configs: Record<string, string>,
  files: Record<string, string>,
): { model: Model | null; wrong: string[] } {
  const diagnostics = new Diagnostics();
  const lines = Object.entries(configs).flatMap(([file, text]) => [...readFileLines(file, text, {}, diagnostics)]);
  const model = loadModel(lines, diagnostics, {
    ...{ env: {}, resolve: () => null },
    readFile: path => (files[path] === undefined ? null : Buffer.from(files[path])),
    readFolder: path => (path === 'base/.' ? [] : null),
  });
  return { model, wrong: diagnostics.list.filter(d => d.severity === 'alert').map(d => d.message) };
}

const frontend = (name: string) => `
frontend ${name}
  mode http
  bind :8443 ssl crt c.pem
  errorfile 400 400.http
  http-request deny if { src -f nets.acl }
`;

describe('relative paths lead', () => {
  test.each([
    ['', ''],
    ['default-path current', ''],
    ['default-path config', 'conf/'],
    ['default-path parent', 'conf/../'],
    ['default-path origin base', 'base/'],
  ])('%s', (line, folder) => {
    const files = {
      [`${folder}c.pem`]: pem,
      [`${folder}400.http`]: 'HTTP/1.0 400 Bad\r\n\r\n',
      [`${folder}nets.acl`]: '10.0.0.0/8\n',
    };
    const { model, wrong } = read({ 'conf/a.cfg': `global\n  ${line}\n${frontend('f')}` }, files);
    expect(wrong).toEqual([]);
    // They are called as they are written.
    expect(model!.tls.certificates.map(({ name }) => name)).toEqual(['c.pem']);
    expect(model!.patternRefs[0]!.name).toBe('nets.acl');
    const [missing] = Object.keys(files);
    expect(
      read({ 'conf/a.cfg': `global\n  ${line}\n${frontend('f')}` }, { ...files, [missing!]: undefined! }).wrong,
    ).toEqual(["'bind :8443': unable to open 'c.pem': no such file, or not readable."]);
  });

  test('with each configuration file to another folder', () => {
    const page = (text: string) => `HTTP/1.0 400 ${text}\r\n\r\n`;
    const section = (name: string) => `frontend ${name}\n  mode http\n  bind :80\n  errorfile 400 400.http\n`;
    const { model, wrong } = read(
      { 'a/x.cfg': `global\n  default-path config\n${section('a')}`, 'b/x.cfg': section('b'), 'x.cfg': section('c') },
      { 'a/400.http': page('a'), 'b/400.http': page('b'), '400.http': page('c') },
    );
    expect(wrong).toEqual([]);
    const pages = model!.proxies.map(({ errorPages }) => errorPages[0]!.content);
    const texts = pages.map(content => (content.kind === 'file' ? Buffer.from(content.file.bytes).toString() : ''));
    expect(texts).toEqual(['a', 'b', 'c'].map(page));
  });

  test('nowhere else when they are absolute, or of states that are read later', () => {
    const { model, wrong } = read(
      {
        'conf/a.cfg':
          'global\n  default-path config\n  server-state-file states\ndefaults\n  load-server-state-from-file global\n  errorfile 400 /p\nbackend b\n  mode http\n  server s 127.0.0.1:80\n',
      },
      { '/p': 'HTTP/1.0 400 x\r\n\r\n', states: '1\n1 b 1 s 127.0.0.1 2 0 7 1 1 1 0 0 0 0 0 0 - 80 - 0 0 - - 0\n' },
    );
    expect(wrong).toEqual([]);
    expect(model!.proxies[0]!.servers[0]!.saved?.userWeight).toBe(7);
  });
});
