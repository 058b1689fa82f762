/** The answer to `show stat` as rows: columns by name (management guide, 9.1). */
export type StatRow = Readonly<Record<string, string>>;

export function statRows(csv: string): StatRow[] {
  const [head = '', ...lines] = csv.split('\n');
  const columns = head.replace(/^# /, '').split(',');
  return lines
    .filter(line => line !== '')
    .map(line => {
      const cells = line.split(',');
      return Object.fromEntries(columns.map((name, i) => [name, cells[i] ?? '']));
    });
}
