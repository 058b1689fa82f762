/** Actions that are known and refused for now: those of features that Sluice does not have yet. */
import { type ActionRow, laterAction } from './action.ts';

/** [name, rule sets, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string, string])[] = [
  ['attach-srv', 'S', '<server> [name <expression>]', 'Makes the connection one of a server.'],
  ['cache-use', 'Q', '<cache>', 'Answers out of a cache.'],
  ['cache-store', 'R', '<cache>', 'Puts the response into a cache.'],
  ['send-spoe-group', 'TUQR', '<engine> <group>', 'Asks an SPOE agent.'],
];

export const LATER_ACTIONS: readonly ActionRow[] = LATER.map(row => laterAction(...row));
