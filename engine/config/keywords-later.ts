/** Proxy keywords that are known and refused for now: stickiness, filters, TLS and their kin. */
import type { ProxyDraft } from './draft.ts';
import { type Keyword, later } from './keyword.ts';

/** [name, sections, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string, string])[] = [
  // Rules.
  ['quic-initial', 'DFL', '<action> [{ if | unless } <condition>]', 'Acts on the first QUIC packet.'],
  ['force-be-switch', 'FL', '{ if | unless } <condition>', 'Allows a switch to an unpublished backend.'],
  ['be-unpublished', 'LB', '', 'Hides the backend from the switching rules.'],
  ['use-fcgi-app', 'LB', '<name>', 'Speaks FastCGI to the servers.'],
  // Stickiness.
  ['persist rdp-cookie', 'DLB', '[(<name>)]', 'Persistence by the RDP cookie.'],
  // Mails.
  ['email-alert from', 'DFLB', '<address>', 'Sender of mails about server states.'],
  ['email-alert level', 'DFLB', '<level>', 'Which states send a mail.'],
  ['email-alert mailers', 'DFLB', '<section>', 'Where mails are sent through.'],
  ['email-alert myhostname', 'DFLB', '<name>', 'How the sender greets the mail server.'],
  ['email-alert to', 'DFLB', '<address>', 'Receiver of mails about server states.'],
  // The rest.
  ['option forwarded', 'DLB', '[proto] [host] [by] [for] ...', 'Adds the Forwarded header of RFC 7239.'],
  ['crt', 'FL', '<file> [...]', 'A certificate for the binds of this proxy.'],
  ['hash-preserve-affinity', 'DLB', '{ always | maxconn | maxqueue }', 'Whether a full server may be left by a hash.'],
  ['max-keep-alive-queue', 'DLB', '<number>', 'Queue length at which a kept server connection is given up.'],
  ['max-session-srv-conns', 'DFL', '<number>', 'Idle server connections a session may keep.'],
];

export const LATER_PROXY: readonly Keyword<ProxyDraft>[] = LATER.map(row => later(...row));
