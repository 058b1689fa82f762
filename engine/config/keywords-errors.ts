/** `errorfile` and `errorloc`: own answers instead of the built-in error pages. */

import { readErrorFile, readErrorPage } from '../rules/reply-spec.ts';
import { ruleSet } from '../rules/rule-sets.ts';
import type { Cursor } from './cursor.ts';
import type { HttpErrorsDraft, ProxyDraft } from './draft.ts';
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

/** `errorfile <status> <file>`; null after reporting. */
function errorfile(cursor: Cursor, { resources }: Context): ErrorPage | null {
  const found = statusAnd(cursor, 'errorfile', 'file');
  if (found === null) return null;
  const file = readErrorFile(cursor, found.text, resources);
  return file === null ? null : { status: found.status, content: { kind: 'file', file } };
}

function errorloc(name: string, redirect: 302 | 303): Keyword<ProxyDraft> {
  return supported({
    ...{ name, where: 'DFLB', args: '<code> <url>', doc: `Answers an error with a redirect, status ${redirect}.` },
    parse(cursor, proxy) {
      const found = statusAnd(cursor, name, 'url');
      if (found === null) return;
      const content = { kind: 'redirect', status: redirect, location: found.text } as const;
      proxy.errorPages.push({ status: found.status, content });
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
  proxy.errorPages.push({ ...section, statuses });
}

export const ERRORS: readonly Keyword<ProxyDraft>[] = [
  supported({
    ...{ ...ERRORFILE, where: 'DFLB' },
    parse(cursor, proxy, context) {
      const page = errorfile(cursor, context);
      if (page !== null) proxy.errorPages.push(page);
    },
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
    args: 'status <code> [content-type <type>] { default-errorfiles | { errorfile | errorfiles | file | lf-file | string | lf-string } <what> } [hdr <name> <format>]*',
    doc: 'Answers an error with a response of your own.',
    parse(cursor, proxy, context) {
      const rule = { set: ruleSet('request'), point: null, proxy, args: null };
      const page = readErrorPage(cursor, rule, context);
      if (page === null) return;
      if ('section' in page) {
        proxy.errorPages.push({ ...reference(cursor), name: page.section, statuses: [page.status] });
      } else proxy.errorPages.push(page);
    },
    good: [
      'http-error status 503 content-type text/plain string "closed" hdr X-Why night',
      'http-error status 503 content-type text/plain lf-string "%[src] must wait" hdr x-path %[path]',
      'http-error status 503 errorfiles site',
      'http-error status 503 default-errorfiles',
    ],
    bad: [
      ['http-error', "'http-error' expects 'status <code>'"],
      ['http-error status 999 string x', "'status' expects an integer between 200 and 599, not '999'"],
      [
        'http-error status 503 content-type a/b lf-string %[nope]',
        "failed to parse sample expression <nope]> : unknown fetch method 'nope'",
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
    parse(cursor, section, context) {
      const page = errorfile(cursor, context);
      if (page === null) return;
      // The last page for a status wins.
      const known = section.pages.findIndex(({ status }) => status === page.status);
      if (known >= 0) section.pages.splice(known, 1);
      section.pages.push(page);
    },
  }),
];
