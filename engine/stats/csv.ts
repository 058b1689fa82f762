/** `show stat`, `;csv`: a header and one line for each row. Empty columns stay, so that positions hold. */
import { COLUMNS, type Column, MODULE_COLUMNS } from './columns.ts';
import type { StatFormat } from './stat.ts';
import { B, F, L, S } from './view.ts';

/** The first line. Like HAProxy's, every name but the last of the fixed ones has its comma, and `-` divides. */
export const CSV_HEADER = `# ${[...COLUMNS.map(c => c.name), '-', ...MODULE_COLUMNS.map(c => c.name)].join(',')},\n`;

const NEWLINE = 0x0a;

/** The columns of one kind of row; null where it has none. */
function only(columns: readonly Column[], scope: number): readonly (Column | null)[] {
  return columns.map(c => (c.scope & scope ? c : null));
}

const LINES: Readonly<Record<number, readonly (Column | null)[]>> = Object.fromEntries(
  [F, B, S, L].map(scope => [
    scope,
    [...only(COLUMNS, scope), { ...COLUMNS[0]!, name: '-', value: () => '-' }, ...only(MODULE_COLUMNS, scope)],
  ]),
);

export const CSV: StatFormat = {
  begin(out) {
    out.text(CSV_HEADER);
  },
  row(out, view, s) {
    const line = LINES[s.scope]!;
    for (let i = 0; i < line.length; i++) {
      const column = line[i]!;
      if (column !== null) {
        const value = column.value(view, s);
        if (typeof value === 'number') out.number(value);
        else if (value !== null) out.csv(value);
      }
      out.comma();
    }
    out.byte(NEWLINE);
  },
};
