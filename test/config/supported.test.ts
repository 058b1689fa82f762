import { expect, test } from 'vitest';
import { supportedTable } from '../../engine/config/supported.ts';

test('the table of what is supported is whole markdown', () => {
  const text = supportedTable();
  expect(text).toContain('### Global section');
  expect(text).toContain(
    '| `balance [<algorithm> [<arguments>]]` | defaults, listen, backend | How a server is chosen; `roundrobin` if it is not said. |',
  );
  expect(text).toContain('`option splice-auto`');
  expect(text).toMatch(/Refused by name, not built yet: `[a-z0-9-]+`/);
  // Every row of a table has as many cells as its head.
  let cells = 0;
  for (const line of text.split('\n')) {
    const bars = line.replaceAll('\\|', '').split('|').length;
    if (!line.startsWith('|')) cells = 0;
    else if (cells === 0) cells = bars;
    else expect(bars, line).toBe(cells);
  }
});
