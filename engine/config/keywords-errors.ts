/** `errorfile` and `errorloc`: own answers instead of the built-in error pages. */

import { readErrorPage } from '../rules/reply-spec.ts';
import { ruleSet } from '../rules/rule-sets.ts';
import type { Cursor } from './cursor.ts';
import type { Draft, HttpErrorsDraft, ProxyDraft } from './draft.ts';
import { reference } from './fields.ts';
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
function setPage(pages: Draft<ErrorPage>[], page: Draft<ErrorPage>): void {
  const known = pages.findIndex(other => other.status === page.status);
  if (known >= 0) pages.splice(known, 1);
  pages.push(page);
}

function errorfile(cursor: Cursor, pages: Draft<ErrorPage>[], { resources }: Context): void {
  const found = statusAnd(cursor, 'errorfile', 'file');
  if (found === null) return;
  const bytes = resources.readFile(found.text);
  if (bytes === null) cursor.error(`'errorfile': error opening file '${found.text}'`);
  else setPage(pages, { status: found.status, bytes, redirect: null });
}

function errorloc(name: string, redirect: 302 | 303): Keyword<ProxyDraft> {
  return supported({
    ...{ name, where: 'DFLB', args: '<code> <url>', doc: `Answers an error with a redirect, status ${redirect}.` },
    parse(cursor, proxy) {
      const found = statusAnd(cursor, name, 'url');
      if (found === null) return;
      setPage(proxy.errorPages, {
        status: found.status,
        bytes: null,
        redirect: { status: redirect, location: found.text },
      });
    },
    good: [`${name} 503 http://sorry.example.org/`],
    bad: [
      [`${name} 503`, `'${name}' expects <status_code> and <url> as arguments`],
      [`${name} 999 /x`, `'${name}': status code '999' not handled`],
    ],
  });
}

const ERRORFILE = {
  name: 'errorfile',
  args: '<code> <file>',
  doc: 'Answers an error with the bytes of a file.',
  good: ['errorfile 503 /dev/null'],
  bad: [
    ['errorfile', "'errorfile' expects <status_code> and <file> as arguments"],
    ['errorfile 999 /dev/null', "'errorfile': status code '999' not handled"],
    ['errorfile 503 /nonexistent', "'errorfile': error opening file '/nonexistent'"],
  ],
} as const;

/** `errorfiles <section> [<code> ...]`. */
function errorfiles(cursor: Cursor, proxy: ProxyDraft): void {
  if (cursor.expectWord("the name of an 'http-errors' section") === null) return;
  const section = reference(cursor);
  const statuses: number[] = [];
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (!STATUSES.includes(Number(word.text))) {
      cursor.error(`'errorfiles': status code '${word.text}' not handled`, `one of ${STATUSES.join(', ')}`, word);
      return;
    }
    statuses.push(Number(word.text));
  }
  proxy.errorFiles.push({ ...section, statuses });
}

export const ERRORS: readonly Keyword<ProxyDraft>[] = [
  supported({
    ...{ ...ERRORFILE, where: 'DFLB' },
    parse: (cursor, proxy, context) => errorfile(cursor, proxy.errorPages, context),
  }),
  supported({
    ...{ name: 'errorfiles', where: 'DFLB', args: '<section> [<code> ...]', parse: errorfiles },
    doc: 'Takes error pages from an http-errors section.',
    good: ['errorfiles site', 'errorfiles site 404 503'],
    bad: [
      ['errorfiles', "'errorfiles' expects the name of an 'http-errors' section"],
      ['errorfiles site 999', "'errorfiles': status code '999' not handled"],
    ],
  }),
  supported({
    name: 'http-error',
    where: 'DFLB',
    args: 'status <code> [content-type <type>] { default-errorfiles | { errorfile | errorfiles | file | string } <what> } [hdr <name> <text>]*',
    doc: 'Answers an error with a response of your own.',
    parse(cursor, proxy, context) {
      const rule = { set: ruleSet('request'), point: null, proxy, args: null };
      const page = readErrorPage(cursor, rule, context);
      if (page === null) return;
      const { status } = page;
      if ('bytes' in page) setPage(proxy.errorPages, { status, bytes: page.bytes, redirect: null });
      else if ('section' in page)
        proxy.errorFiles.push({ ...reference(cursor), name: page.section, statuses: [status] });
      else proxy.errorPages = proxy.errorPages.filter(other => other.status !== status);
    },
    good: [
      'http-error status 503 content-type text/plain string "closed" hdr X-Why night',
      'http-error status 503 errorfiles site',
      'http-error status 503 default-errorfiles',
    ],
    bad: [
      ['http-error', "'http-error' expects 'status <code>'"],
      ['http-error status 999 string x', "'status' expects an integer between 200 and 599, not '999'"],
      [
        'http-error status 503 content-type a/b lf-string %ci',
        "'lf-string' and 'lf-file' in 'http-error' are not supported by Sluice yet",
      ],
      [
        'http-error status 503 content-type a/b string x hdr a %ci',
        "a format as value of 'hdr' in 'http-error' is not supported by Sluice yet",
      ],
      ['http-error status 299 content-type a/b string x', "status code '299' not handled by error pages"],
    ],
  }),
  errorloc('errorloc', 302),
  errorloc('errorloc302', 302),
  errorloc('errorloc303', 303),
];

/** Keywords of the http-errors section. */
export const HTTP_ERRORS: readonly Keyword<HttpErrorsDraft>[] = [
  supported({
    ...{ ...ERRORFILE, where: 'E' },
    parse: (cursor, section, context) => errorfile(cursor, section.pages, context),
  }),
];
