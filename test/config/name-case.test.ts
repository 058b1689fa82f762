import { expect, test } from 'vitest';
import { load } from './load-text.ts';

function loaded(lines: string, file: string) {
  const { model, diagnostics } = load(`global\n${lines}\n`, { files: { names: file } });
  return { names: model?.global.nameCases, messages: diagnostics.list.map(d => d.message) };
}

test('the spellings of lines and of the last file', () => {
  const file = '# well-known\n\n  etag \t ETag\nhost Host\n';
  expect(loaded('h1-case-adjust date Date\nh1-case-adjust-file names\nh1-case-adjust-file names', file)).toEqual({
    names: [
      ['date', 'Date'],
      ['etag', 'ETag'],
      ['host', 'Host'],
    ],
    messages: [],
  });
});

test.each([
  ['etag ETag more', "'h1-case-adjust-file' names:2: a line has two header names"],
  ['etag', "'h1-case-adjust-file' names:2: a line has two header names"],
  ['etag tag', "'h1-case-adjust-file' names:2: 'etag' and 'tag' differ by more than their case"],
  ['date DATE', "'h1-case-adjust-file' names:2: 'date' was given a spelling already"],
  ['a:b A:B', "'h1-case-adjust-file' names:2: 'a:b' is no header name in lower case"],
])('a file with the line `%s`', (line, message) => {
  expect(loaded('h1-case-adjust-file names', `date Date\n${line}\n`).messages).toEqual([message]);
});
