import { expect, test } from 'vitest';
import type { Diagnostic } from '../../engine/config/diagnostics.ts';
import { formatDiagnostic, formatDiagnostics } from '../../engine/config/print.ts';
import { VERSION } from '../../engine/version.ts';

const PLAIN: Diagnostic = {
  severity: 'alert',
  place: { file: 'a.cfg', line: 3 },
  column: 0,
  width: 0,
  source: '\tstats-uri /haproxy?stats',
  message: "unknown keyword 'stats-uri' in 'listen' section",
  hint: null,
};

test('labels are padded as HAProxy pads them', () => {
  const label = (severity: Diagnostic['severity']) => formatDiagnostic({ ...PLAIN, severity }, 42).split(' config')[0];
  expect(label('alert')).toBe('[ALERT]    (42) :');
  expect(label('warning')).toBe('[WARNING]  (42) :');
  expect(label('notice')).toBe('[NOTICE]   (42) :');
  expect(label('diag')).toBe('[DIAG]     (42) :');
});

test('the marked word and the hint stand below, a suggestion beside the message', () => {
  const at = { ...PLAIN, column: 2, width: 9 };
  expect(formatDiagnostic({ ...at, hint: "did you mean 'stats uri' maybe ?" }, 42).split('\n')[0]).toBe(
    "[ALERT]    (42) : config : parsing [a.cfg:3] : unknown keyword 'stats-uri' in 'listen' section; did you mean 'stats uri' maybe ?",
  );
  expect(formatDiagnostic({ ...at, hint: 'write it otherwise' }, 42)).toBe(
    [
      "[ALERT]    (42) : config : parsing [a.cfg:3] : unknown keyword 'stats-uri' in 'listen' section.",
      '   | \tstats-uri /haproxy?stats',
      '   | \t^^^^^^^^^',
      '   | write it otherwise',
      '',
    ].join('\n'),
  );
});

test('a message of several lines, without a place', () => {
  const message = "missing timeouts for frontend 'x'.\nWhile not properly invalid, ...";
  expect(formatDiagnostic({ ...PLAIN, place: null, message, severity: 'warning' }, 42)).toBe(
    "[WARNING]  (42) : config : missing timeouts for frontend 'x'.\n   | While not properly invalid, ...\n",
  );
});

test('control characters of the source are not sent to the terminal', () => {
  expect(formatDiagnostic({ ...PLAIN, source: 'a\x1b[2Jb', column: 1, width: 1 }, 42)).toContain(
    '   | a.[2Jb\n   | ^\n',
  );
});

test('a mark far to the right is left out', () => {
  expect(formatDiagnostic({ ...PLAIN, source: 'x'.repeat(9999), column: 9000, width: 3 }, 42)).not.toContain('^');
});

test('the program before the first error, the files after the last', () => {
  const list: Diagnostic[] = [
    { ...PLAIN, severity: 'notice', message: "'n'" },
    { ...PLAIN, severity: 'diag', message: "'d'" },
    PLAIN,
    { ...PLAIN, message: 'again' },
  ];
  const text = formatDiagnostics(list, { pid: 42, executable: '/usr/sbin/sluice', diag: false });
  expect(text.split('\n')).toEqual([
    "[NOTICE]   (42) : config : parsing [a.cfg:3] : 'n'.",
    `[NOTICE]   (42) : haproxy version is ${VERSION}`,
    '[NOTICE]   (42) : path to executable is /usr/sbin/sluice',
    "[ALERT]    (42) : config : parsing [a.cfg:3] : unknown keyword 'stats-uri' in 'listen' section.",
    '[ALERT]    (42) : config : parsing [a.cfg:3] : again.',
    '[ALERT]    (42) : config : Error(s) found in configuration file : a.cfg',
    '[ALERT]    (42) : config : Fatal errors found in configuration.',
    '',
  ]);
  const shown = formatDiagnostics(list.slice(0, 2), { pid: 42, executable: null, diag: true });
  expect(shown).toContain("[DIAG]     (42) : config : parsing [a.cfg:3] : 'd'.");
  expect(shown).not.toContain('Fatal');
});

test('messages are sorted by file and line', () => {
  const at = (message: string, file: string | null, line = 0): Diagnostic => {
    return { ...PLAIN, message, place: file === null ? null : { file, line } };
  };
  const list = [at('1', null), at('3', 'b', 2), at('5', 'a', 1), at('2', 'b', 1), at('4', 'b', 2), at('6', null)];
  const text = formatDiagnostics(list, { pid: 42, executable: null, diag: false });
  expect(Array.from(text.matchAll(/: (\d)\.$/gm), m => m[1]).join('')).toBe('123456');
});

test('no more than fifty errors are shown', () => {
  const text = formatDiagnostics(Array(1000).fill(PLAIN), { pid: 42, executable: null, diag: false });
  expect(text.match(/unknown keyword/g)).toHaveLength(50);
  expect(text).toContain('[ALERT]    (42) : config : too many fatal errors (50), stopping now.\n');
});
