/** `retry-on`: after which failures a request is sent again. */
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { RetryCondition } from './proxy-model.ts';

const NAMES: readonly RetryCondition[] = [
  'conn-failure',
  'empty-response',
  'junk-response',
  'response-timeout',
  '0rtt-rejected',
];
const STATUSES: readonly RetryCondition[] = [401, 403, 404, 408, 421, 425, 429, 500, 501, 502, 503, 504];
const ALL: readonly RetryCondition[] = [...NAMES, 500, 502, 503, 504];

const NONE_ALONE = "'retry-on' 'none' is only usable alone";

/** The conditions that a word stands for; null when it is none. */
function conditions(word: string): readonly RetryCondition[] | null {
  if (word === 'all-retryable-errors') return ALL;
  const found = [...NAMES, ...STATUSES].find(condition => String(condition) === word);
  return found === undefined ? null : [found];
}

function parse(cursor: Cursor, proxy: ProxyDraft) {
  if (cursor.left === 0) {
    return cursor.error("'retry-on' needs at least one keyword to specify when to retry");
  }
  const only = cursor.left === 1;
  const chosen = new Set<RetryCondition>();
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    if (word.text === 'none') {
      if (!only) return cursor.error(NONE_ALONE, undefined, word);
      continue;
    }
    const found = conditions(word.text);
    if (found === null) return cursor.error(`'retry-on': unknown keyword '${word.text}'`, undefined, word);
    for (const condition of found) chosen.add(condition);
  }
  proxy.retryOn = [...chosen];
}

export const RETRY_ON: Keyword<ProxyDraft> = supported({
  name: 'retry-on',
  where: 'DLB',
  args: '{ none | all-retryable-errors | <condition>... }',
  doc: 'After which failures a request is sent again.',
  parse,
  good: ['retry-on none', 'retry-on conn-failure empty-response 503', 'retry-on all-retryable-errors 404'],
  bad: [
    ['retry-on', "'retry-on' needs at least one keyword to specify when to retry"],
    ['retry-on foo', "'retry-on': unknown keyword 'foo'"],
    ['retry-on 418', "'retry-on': unknown keyword '418'"],
    ['retry-on none 503', NONE_ALONE],
    ['retry-on 503 none', NONE_ALONE],
  ],
});
