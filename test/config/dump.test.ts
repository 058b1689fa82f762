import { expect, test } from 'vitest';
import { dumpKeywords, supportedTable } from '../../engine/config/dump.ts';

test('-dK lists sections, and under each the keywords it takes', () => {
  const lines = dumpKeywords('cfg');
  expect(lines[0]).toBe('# List of registered configuration keywords:');
  const sections = lines.filter(line => /^[a-z]/.test(line));
  expect(sections).toEqual(['global', 'defaults', 'frontend', 'backend', 'listen', 'userlist']);
  const of = (section: string): string[] => {
    const start = lines.indexOf(section) + 1;
    const end = lines.findIndex((line, i) => i >= start && !line.startsWith('\t'));
    return lines.slice(start, end < 0 ? undefined : end);
  };
  expect(of('global')).toContain('\tnbthread <number>');
  expect(of('frontend')).toContain('\tbind <addr> accept-proxy');
  expect(of('frontend')).not.toContain('\tretries <number>');
  expect(of('backend')).toContain('\tserver <name> <addr> weight <number>');
  expect(of('userlist').length).toBe(2);
  expect(dumpKeywords('all')).toEqual(lines);
  expect(dumpKeywords('nothing')).toEqual([]);
});

test('what is refused is not dumped', () => {
  const text = dumpKeywords('cfg').join('\n');
  expect(text).not.toContain('\tredirect');
  expect(text).not.toContain('\treqadd');
});

test('the table of what is supported is whole markdown', () => {
  const text = supportedTable();
  expect(text).toContain('### Global section');
  expect(text).toContain(
    '| `balance <algorithm> [<arguments>]` | defaults, listen, backend | How a server is chosen. |',
  );
  expect(text).toContain('`option splice-auto`');
  // Every row of a table has as many cells as its head.
  let cells = 0;
  for (const line of text.split('\n')) {
    const bars = line.replaceAll('\\|', '').split('|').length;
    if (!line.startsWith('|')) cells = 0;
    else if (cells === 0) cells = bars;
    else expect(bars, line).toBe(cells);
  }
});
