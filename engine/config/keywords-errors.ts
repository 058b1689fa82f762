/** `errorfile` and `errorloc`: own answers instead of the built-in error pages. */
import type { Cursor } from './cursor.ts';
import type { Draft, ProxyDraft } from './draft.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import type { ErrorPage } from './model.ts';

/** The statuses that Sluice answers with by itself. */
const STATUSES = [
  200, 400, 401, 403, 404, 405, 407, 408, 410, 413, 414, 421, 422, 425, 429, 431, 500, 501, 502, 503, 504,
];

/** Reads `<status> <what>`; null after reporting. */
function statusAnd(cursor: Cursor, name: string, what: string): { status: number; text: string } | null {
  const [status, value] = [cursor.next(), cursor.next()];
  if (status === null || value === null) {
    cursor.error(`'${name}' expects <status_code> and <${what}> as arguments`);
    return null;
  }
  if (STATUSES.includes(Number(status.text))) return { status: Number(status.text), text: value.text };
  cursor.error(`'${name}': status code '${status.text}' not handled`, `one of ${STATUSES.join(', ')}`, status);
  return null;
}

/** The last page for a status wins. */
function setPage(proxy: ProxyDraft, page: Draft<ErrorPage>): void {
  proxy.errorPages = [...proxy.errorPages.filter(other => other.status !== page.status), page];
}

function errorfile(cursor: Cursor, proxy: ProxyDraft, { resources }: Context): void {
  const found = statusAnd(cursor, 'errorfile', 'file');
  if (found === null) return;
  const bytes = resources.readFile(found.text);
  if (bytes === null) cursor.error(`'errorfile': error opening file '${found.text}'`);
  else setPage(proxy, { status: found.status, bytes, redirect: null });
}

function errorloc(name: string, redirect: 302 | 303): Keyword<ProxyDraft> {
  return supported({
    ...{ name, where: 'DFLB', args: '<code> <url>', doc: `Answers an error with a redirect, status ${redirect}.` },
    parse(cursor, proxy) {
      const found = statusAnd(cursor, name, 'url');
      if (found === null) return;
      setPage(proxy, { status: found.status, bytes: null, redirect: { status: redirect, location: found.text } });
    },
    good: [`${name} 503 http://sorry.example.org/`],
    bad: [
      [`${name} 503`, `'${name}' expects <status_code> and <url> as arguments`],
      [`${name} 999 /x`, `'${name}': status code '999' not handled`],
    ],
  });
}

export const ERRORS: readonly Keyword<ProxyDraft>[] = [
  supported({
    name: 'errorfile',
    where: 'DFLB',
    args: '<code> <file>',
    doc: 'Answers an error with the bytes of a file.',
    parse: errorfile,
    good: ['errorfile 503 /dev/null'],
    bad: [
      ['errorfile', "'errorfile' expects <status_code> and <file> as arguments"],
      ['errorfile 999 /dev/null', "'errorfile': status code '999' not handled"],
      ['errorfile 503 /nonexistent', "'errorfile': error opening file '/nonexistent'"],
    ],
  }),
  errorloc('errorloc', 302),
  errorloc('errorloc302', 302),
  errorloc('errorloc303', 303),
];
