/** Actions that are known and refused for now: those of features that Sluice does not have yet. */
import { type ActionRow, laterAction } from './action.ts';

/** [name, rule sets, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string, string])[] = [
  ['add-acl', 'QR', '(<file>) <key>', 'Adds a pattern to an ACL file.'],
  ['del-acl', 'QR', '(<file>) <key>', 'Takes a pattern out of an ACL file.'],
  ['set-map', 'QRA', '(<file>) <key> <value>', 'Sets an entry of a map.'],
  ['del-map', 'QRA', '(<file>) <key>', 'Takes an entry out of a map.'],
  ['add-headers-bin', 'QRA', '<expression> [prefix <text>]', 'Adds headers out of encoded bytes.'],
  ['set-headers-bin', 'QRA', '<expression> [prefix <text>]', 'Sets headers out of encoded bytes.'],
  ['del-headers-bin', 'QRA', '<expression> [-m <method>]', 'Removes the headers that encoded bytes name.'],
  ['attach-srv', 'S', '<server> [name <expression>]', 'Makes the connection one of a server.'],
  ['cache-use', 'Q', '<cache>', 'Answers out of a cache.'],
  ['cache-store', 'R', '<cache>', 'Puts the response into a cache.'],
  ['do-log', 'CSTUQRA', '[profile <name>]', 'Writes a log line now.'],
  ['do-resolve', 'TQ', '(<variable>,<resolvers>) <expression>', 'Looks a host name up.'],
  ['expect-netscaler-cip', 'C', 'layer4', 'The connection begins with a NetScaler header.'],
  ['sc-add-gpc', 'CSTUQRA', '(<index>,<counter>) <value>', 'Adds to a general purpose counter.'],
  ['sc-inc-gpc', 'CSTUQRA', '(<index>,<counter>)', 'Adds one to a general purpose counter.'],
  ['sc-inc-gpc0', 'CSTUQRA', '(<counter>)', 'Adds one to the first general purpose counter.'],
  ['sc-inc-gpc1', 'CSTUQRA', '(<counter>)', 'Adds one to the second general purpose counter.'],
  ['sc-set-gpt', 'CSTUQRA', '(<index>,<counter>) <value>', 'Sets a general purpose tag.'],
  ['sc-set-gpt0', 'CSTUQRA', '(<counter>) <value>', 'Sets the first general purpose tag.'],
  ['send-spoe-group', 'TUQR', '<engine> <group>', 'Asks an SPOE agent.'],
  ['switch-mode', 'T', 'http [proto <name>]', 'Goes on with HTTP.'],
  ['track-sc0', 'CSTQR', '<key> [table <table>]', 'Tracks a key with the first sticky counter.'],
  ['track-sc1', 'CSTQR', '<key> [table <table>]', 'Tracks a key with the second sticky counter.'],
  ['track-sc2', 'CSTQR', '<key> [table <table>]', 'Tracks a key with the third sticky counter.'],
];

export const LATER_ACTIONS: readonly ActionRow[] = LATER.map(row => laterAction(...row));
