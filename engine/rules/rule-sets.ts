/**
 * What runs when: the rule sets in the order in which the traffic meets them (manual 4.3). Each is a keyword of the proxy
 * sections, a list in the model, and a letter in the `where` column of the actions.
 *
 * Rules inherited from `defaults` come before the section's own. Where both proxies of a stream have rules, those of a
 * request run frontend first, those of a response backend first; a `listen` runs its own once.
 */
import type { Point } from '../sample/points.ts';

export interface RuleSet {
  /** The list in `Proxy.rules`. */
  readonly name: RuleSetName;
  readonly keyword: string;
  /** In `ActionRow.where`. */
  readonly letter: string;
  /** Sections that have it: as `Keyword.where`. */
  readonly sections: string;
  readonly doc: string;
  /** Only in mode http. */
  readonly http: boolean;
  /** Where its expressions are evaluated, in the frontend and in the backend. */
  readonly front: Point;
  readonly back: Point;
}

export const RULE_SET_NAMES = [
  'connection',
  'session',
  'content',
  'request',
  'stats',
  'redirect',
  'serverContent',
  'response',
  'afterResponse',
] as const;

export type RuleSetName = (typeof RULE_SET_NAMES)[number];

function row(
  name: RuleSetName,
  keyword: string,
  letter: string,
  sections: string,
  doc: string,
  front: Point,
  back: Point = front,
): RuleSet {
  return { name, keyword, letter, sections, doc, http: !keyword.startsWith('tcp-'), front, back };
}

export const RULE_SETS: readonly RuleSet[] = [
  row('connection', 'tcp-request connection', 'C', 'DFL', 'Acts on a connection when it is accepted.', 'connection'),
  row('session', 'tcp-request session', 'S', 'DFL', 'Acts on a session once its handshakes are done.', 'session'),
  row(
    'content',
    'tcp-request content',
    'T',
    'DFLB',
    'Acts on the first bytes received.',
    'frontContent',
    'backContent',
  ),
  row('request', 'http-request', 'Q', 'DFLB', 'Acts on a request.', 'frontRequest', 'backRequest'),
  row(
    'stats',
    'stats http-request',
    'X',
    'FLB',
    'Access control of the statistics page.',
    'frontRequest',
    'backRequest',
  ),
  row('redirect', 'redirect', '', 'FLB', 'Answers with a redirect.', 'frontRequest', 'backRequest'),
  row(
    'serverContent',
    'tcp-response content',
    'U',
    'DLB',
    'Acts on the first bytes of the server.',
    'frontResponseContent',
    'backResponseContent',
  ),
  row('response', 'http-response', 'R', 'DFLB', 'Acts on the response of a server.', 'frontResponse', 'backResponse'),
  row(
    'afterResponse',
    'http-after-response',
    'A',
    'DFLB',
    'Acts on every response, own ones too.',
    'frontResponse',
    'backResponse',
  ),
];

export function ruleSet(name: RuleSetName): RuleSet {
  return RULE_SETS.find(set => set.name === name)!;
}
