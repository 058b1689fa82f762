import { describe, expect, test } from 'vitest';
import type { Keyword } from '../../engine/config/keyword.ts';
import { BIND } from '../../engine/config/keywords-bind.ts';
import { HEALTHCHECK } from '../../engine/config/keywords-checks.ts';
import { HTTP_ERRORS } from '../../engine/config/keywords-errors.ts';
import { GLOBAL } from '../../engine/config/keywords-global.ts';
import { LOG_FORWARD } from '../../engine/config/keywords-log-forward.ts';
import { MAILERS } from '../../engine/config/keywords-mailers.ts';
import { PEERS } from '../../engine/config/keywords-peers.ts';
import { PROXY } from '../../engine/config/keywords-proxy.ts';
import { RESOLVERS } from '../../engine/config/keywords-resolvers.ts';
import { RING } from '../../engine/config/keywords-ring.ts';
import { SERVER } from '../../engine/config/keywords-server.ts';
import { USERLIST } from '../../engine/config/keywords-userlist.ts';
import { NAMESPACES_FOLDER } from '../../engine/io/namespaces.ts';
import { load } from './load-text.ts';

/** The section that a row's lines are tried in; the cross-checks of a bare `listen` are satisfied. */
const HEADERS: Readonly<Record<string, string>> = {
  G: 'global',
  D: 'defaults d',
  F: 'frontend t',
  B: 'backend t',
  L: 'listen t',
  U: 'userlist t',
  E: 'http-errors t',
  H: 'healthcheck t',
  N: 'resolvers t',
  S: 'peers t',
  M: 'mailers t',
  R: 'ring t',
  W: 'log-forward t',
};

/** Messages at the row's line; cross-checks report elsewhere or on other words. */
function messagesOf(header: string, line: string): string[] {
  const { diagnostics } = load(`${header}\n  ${line}\n`, {
    folders: { [NAMESPACES_FOLDER]: ['red'] },
    files: { '/dev/null': '', '/etc/resolv.conf': 'nameserver ::1\n' },
  });
  return diagnostics.list.filter(d => d.place?.line === 2 && d.source !== null).map(d => d.message);
}

interface Group {
  readonly name: string;
  readonly rows: readonly Keyword<never>[];
  /** Makes a whole line of a row's line. */
  readonly line: (text: string) => string;
  readonly letters: (row: Keyword<never>) => readonly string[];
}

const itself = (text: string): string => text;
const sections = (row: Keyword<never>): readonly string[] => [...row.where];

const GROUPS: readonly Group[] = [
  { name: 'mailers', rows: MAILERS, line: itself, letters: sections },
  { name: 'ring', rows: RING, line: itself, letters: sections },
  { name: 'log-forward', rows: LOG_FORWARD, line: itself, letters: sections },
  { name: 'global', rows: GLOBAL, line: itself, letters: sections },
  { name: 'proxy', rows: PROXY, line: itself, letters: sections },
  { name: 'userlist', rows: USERLIST, line: itself, letters: sections },
  { name: 'http-errors', rows: HTTP_ERRORS, line: itself, letters: sections },
  { name: 'resolvers', rows: RESOLVERS, line: itself, letters: sections },
  { name: 'peers', rows: PEERS, line: itself, letters: sections },
  { name: 'healthcheck', rows: HEALTHCHECK, line: itself, letters: sections },
  { name: 'bind', rows: BIND, line: text => `bind 127.0.0.1:80 ${text}`, letters: () => ['L'] },
  { name: 'server', rows: SERVER, line: text => `server s 127.0.0.1:80 ${text}`, letters: () => ['L'] },
];

describe.each(GROUPS)('keywords of $name', ({ rows, line, letters }) => {
  test.each(rows)('$name', row => {
    for (const letter of letters(row)) {
      const header = HEADERS[letter]!;
      for (const good of row.good) {
        const found = messagesOf(header, line(good)).filter(message => !message.includes('unable to find'));
        expect(found, `${header}: ${good}`).toEqual([]);
      }
      for (const [bad, message] of row.bad) {
        expect(messagesOf(header, line(bad)), `${header}: ${bad}`).toContain(message);
      }
    }
  });

  test('every row is documented, once', () => {
    const names = rows.map(row => row.name);
    expect(new Set(names).size).toBe(names.length);
    for (const row of rows) {
      expect(row.doc, row.name).toMatch(/^\S.*[.]$/);
      if (row.status === 'supported' || row.status === 'accepted') expect(row.good.length, row.name).toBeGreaterThan(0);
      if (row.status === 'accepted' || row.status === 'removed') expect(row.note, row.name).not.toBe('');
    }
  });
});
