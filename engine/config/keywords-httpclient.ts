/** `httpclient.*` of the global section: how the requests of the runtime API's `httpclient` are made. */
import type { GlobalDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

type Draft = GlobalDraft['httpclient'];

/** A keyword with one of a few words. */
function choice<F extends keyof Draft, W extends string>(
  name: string,
  field: F,
  doc: string,
  values: Readonly<Record<W, Draft[F]>>,
): Keyword<GlobalDraft> {
  const words = Object.keys(values) as W[];
  const known = words.map(word => `'${word}'`).join(' or ');
  return supported<GlobalDraft>({
    ...{ name, doc, where: 'G', args: `<${words.join('|')}>`, good: words.map(word => `${name} ${word}`) },
    parse(cursor, { httpclient }) {
      const word = cursor.expectOneOf(name, words);
      if (word !== null) httpclient[field] = values[word];
    },
    bad: [[name, `'${name}' expects ${known}`]],
  });
}

function text(name: string, field: 'resolvers' | 'caFile', args: string, doc: string): Keyword<GlobalDraft> {
  return supported<GlobalDraft>({
    ...{ name, doc, where: 'G', args, good: [`${name} some`] },
    parse(cursor, { httpclient }) {
      const word = cursor.expectWord(args);
      if (word !== null) httpclient[field] = word.text;
    },
    bad: [[name, `'${name}' expects ${args}`]],
  });
}

export const HTTPCLIENT: readonly Keyword<GlobalDraft>[] = [
  choice('httpclient.resolvers.disabled', 'resolves', 'Names in URIs are not resolved.', { on: false, off: true }),
  choice('httpclient.resolvers.prefer', 'prefer', 'The kind of address that names are resolved to.', {
    ipv4: 4,
    ipv6: 6,
  }),
  text('httpclient.resolvers.id', 'resolvers', '<section>', 'The `resolvers` section that is asked for names.'),
  text('httpclient.ssl.ca-file', 'caFile', '<file>', 'Authorities that vouch for servers.'),
  choice('httpclient.ssl.verify', 'verify', 'Whether certificates of servers are verified.', {
    none: 'none',
    required: 'required',
  }),
  supported<GlobalDraft>({
    name: 'httpclient.retries',
    ...{ where: 'G', args: '<number>', doc: 'How often a connection is tried again.' },
    good: ['httpclient.retries 0', 'httpclient.retries 5'],
    parse(cursor, { httpclient }) {
      const value = cursor.expectInt('httpclient.retries', { min: 0, max: 100 });
      if (value !== null) httpclient.retries = value;
    },
    bad: [['httpclient.retries', "'httpclient.retries' expects an integer between 0 and 100"]],
  }),
  supported<GlobalDraft>({
    name: 'httpclient.timeout.connect',
    ...{ where: 'G', args: '<time>', doc: 'How long a connection may take.' },
    good: ['httpclient.timeout.connect 2s', 'httpclient.timeout.connect 500'],
    parse(cursor, { httpclient }) {
      const ms = cursor.expectTime('httpclient.timeout.connect', 'ms');
      if (ms !== null) httpclient.connectMs = ms;
    },
    bad: [['httpclient.timeout.connect', "'httpclient.timeout.connect' expects a time (in milliseconds by default)"]],
  }),
];
