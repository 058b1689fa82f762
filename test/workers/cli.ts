/** One command on a unix socket, as operators' tools send it. */
import net from 'node:net';

/** Sends `line` and resolves to all that comes until the end. */
export function cli(socket: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const conn = net.connect(socket, () => conn.end(`${line}\n`));
    conn.on('data', bytes => (text += bytes));
    conn.on('error', reject);
    conn.on('close', () => resolve(text));
  });
}

/** The lines of `show stat`, each as column -> value. */
export function rows(csv: string): readonly Readonly<Record<string, string>>[] {
  const [head, ...lines] = csv.trim().split('\n');
  const names = head!.replace(/^# /, '').split(',');
  return lines.map(line => Object.fromEntries(line.split(',').map((value, i) => [names[i]!, value])));
}

export function field(stat: ReturnType<typeof rows>, proxy: string, name: string, column: string): string | undefined {
  return stat.find(row => row.pxname === proxy && row.svname === name)?.[column];
}
