// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are those of environment variables
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import type { Environment } from '../../engine/config/lexer.ts';
import { readLines } from '../../engine/config/read.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-read-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

function read(paths: string[], env: Environment = {}) {
  const diagnostics = new Diagnostics();
  const lines = readLines(paths, env, diagnostics);
  const texts = lines.map(line => line.words.map(word => word.text).join(' '));
  return { lines, texts, env, messages: diagnostics.list.map(d => d.message) };
}

const readText = (text: string, env: Environment = {}) => read([file('text.cfg', text)], env);

describe('files', () => {
  test('a folder stands for its visible .cfg files in byte order', () => {
    const dir = join(folder, 'conf.d');
    mkdirSync(join(dir, 'sub.cfg'), { recursive: true });
    for (const name of ['b.cfg', 'a.cfg', 'B.cfg', 'é.cfg', '.h.cfg', 'x.txt', '10.cfg', '9.cfg']) {
      writeFileSync(join(dir, name), `global # ${name}\n`);
    }
    const last = file('last.cfg', 'defaults\n');
    const { lines, env, messages } = read([dir, last]);
    const names = ['10.cfg', '9.cfg', 'B.cfg', 'a.cfg', 'b.cfg', 'é.cfg'].map(name => join(dir, name));
    expect(lines.map(line => line.file)).toEqual([...names, last]);
    expect(env.HAPROXY_CFGFILES).toBe([...names, last].join(';'));
    expect(messages).toEqual([]);
  });

  test('what cannot be read is reported, the rest is read', () => {
    const missing = join(folder, 'missing.cfg');
    expect(read([missing, file('there.cfg', 'global\n')])).toMatchObject({
      texts: ['global'],
      messages: [`Cannot open configuration file/directory ${missing} : No such file or directory`],
    });
    expect(read([file('big.cfg', '#'.repeat(10 * 1024 * 1024 + 1))]).messages[0]).toMatch(
      /larger than 10485760 bytes$/,
    );
  });

  test('text is UTF-8, or Latin-1 when it is not; a byte order mark is no character', () => {
    expect(read([file('u.cfg', '\ufeffdescription é\n')]).texts).toEqual(['description é']);
    expect(read([file('l.cfg', Buffer.from('description é\n', 'latin1'))]).texts).toEqual(['description é']);
  });
});

describe('environment', () => {
  test('setenv and its kin act on the lines that follow, in global', () => {
    const { texts, messages } = readText(
      [
        'global',
        ' setenv A 1',
        ' a "<$A>"',
        ' presetenv A 2',
        ' presetenv B 3',
        ' a "<$A><$B>"',
        ' unsetenv A NOPE',
        ' a "<${A-none}><$B>"',
        ' resetenv HOME',
        ' a "<$B><$HOME>"',
        '.if defined(HOME) && !defined(B)',
        ' a yes',
        '.endif',
        'frontend f',
        ' setenv HOME x',
        ' a "$HOME"',
        '',
      ].join('\n'),
      { HOME: '/root' },
    );
    expect(messages).toEqual([]);
    expect(texts.filter(text => text.startsWith('a '))).toEqual([
      'a <1>',
      'a <1><3>',
      'a <none><3>',
      'a <></root>',
      'a yes',
      'a /root',
    ]);
    expect(texts).toContain('setenv A 1');
  });

  // Messages of HAProxy 2.6, but for the last: it ignores what is too much.
  test.each([
    ['setenv A', "'setenv' expects a name and a value"],
    ['presetenv', "'presetenv' expects a name and a value"],
    ['unsetenv', "'unsetenv' expects at least one variable name"],
    ['setenv A=b c', "'setenv' failed on variable 'A=b' : Invalid argument"],
    ['unsetenv A=b', "'unsetenv' failed on variable 'A=b' : Invalid argument"],
    ['setenv A b c', "'b' cannot handle unexpected argument 'c'"],
  ])('%s', (line, message) => {
    const { texts, messages } = readText(`global\n ${line}\n`);
    expect(texts).toEqual(['global']);
    expect(messages).toEqual([message]);
  });

  test("HAProxy's own variables", () => {
    const text = 'a "$HAPROXY_LOCALPEER $HAPROXY_BRANCH" "${HAPROXY_CFGFILES-later}" "$HAPROXY_TCP_LOG_FMT"\n';
    const { lines } = readText(text, { HAPROXY_LOCALPEER: 'me' });
    expect(lines[0]!.words.map(word => word.text)).toEqual(['a', 'me 3.4', 'later', expect.stringMatching(/^%ci:%cp/)]);
    expect(readText('').env.HAPROXY_LOCALPEER).not.toBe('');
  });

  test('.SECTION is the name of the section, or its type', () => {
    const { texts } = readText(
      '"<$.SECTION>"\nglobal # x\n"$.SECTION"\nfrontend foo\n"$.SECTION"\ndefaults from x\n"$.SECTION"\n',
    );
    expect(texts.filter((_, i) => i % 2 === 0)).toEqual(['<>', 'global', 'foo', 'defaults']);
  });
});

test('empty words at the end of a line are no arguments', () => {
  const { lines } = readText('a "${X}" b "${X}" ""\n"" ""\n');
  expect(lines.map(line => line.words.map(word => word.text))).toEqual([['a', '', 'b'], ['']]);
});

test('blocks do not reach over the end of a file', () => {
  const { texts, messages } = read([file('1.cfg', '.if 0\na\n'), file('2.cfg', 'b\n.endif\n')]);
  expect(texts).toEqual(['b']);
  expect(messages).toEqual(["non-terminated '.if' block", "lone '.endif' with no matching '.if'"]);
});
