/** Proxy keywords that are known and refused for now: rules, stickiness, filters, TLS and their kin. */
import type { ProxyDraft } from './draft.ts';
import { type Keyword, later } from './keyword.ts';

/** [name, sections, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string, string])[] = [
  // Conditions and rules.
  ['http-request', 'DFLB', '<action> [options] [{ if | unless } <condition>]', 'Acts on a request by rules.'],
  ['http-response', 'DFLB', '<action> [options] [{ if | unless } <condition>]', 'Acts on a response by rules.'],
  [
    'http-after-response',
    'DFLB',
    '<action> [options] [{ if | unless } <condition>]',
    'Acts on every response, own ones too.',
  ],
  [
    'tcp-request connection',
    'DFL',
    '<action> [{ if | unless } <condition>]',
    'Acts on a connection when it is accepted.',
  ],
  [
    'tcp-request session',
    'DFL',
    '<action> [{ if | unless } <condition>]',
    'Acts on a session once its handshakes are done.',
  ],
  ['tcp-request content', 'DFLB', '<action> [{ if | unless } <condition>]', 'Acts on the first bytes received.'],
  ['tcp-request inspect-delay', 'DFLB', '<time>', 'How long content rules wait for bytes.'],
  ['tcp-response content', 'DLB', '<action> [{ if | unless } <condition>]', 'Acts on the first bytes of the server.'],
  ['tcp-response inspect-delay', 'DLB', '<time>', 'How long response rules wait for bytes.'],
  ['quic-initial', 'DFL', '<action> [{ if | unless } <condition>]', 'Acts on the first QUIC packet.'],
  [
    'redirect',
    'FLB',
    '{ location | prefix | scheme } <to> [code <code>] [{ if | unless } <condition>]',
    'Answers with a redirect.',
  ],
  ['use-server', 'LB', '<server> { if | unless } <condition>', 'Sends a request to one server by a condition.'],
  ['force-persist', 'LB', '{ if | unless } <condition>', 'Keeps persistence on servers that are down.'],
  ['ignore-persist', 'LB', '{ if | unless } <condition>', 'Ignores persistence cookies.'],
  ['force-be-switch', 'FL', '{ if | unless } <condition>', 'Allows a switch to an unpublished backend.'],
  ['be-unpublished', 'LB', '', 'Hides the backend from the switching rules.'],
  [
    'stats http-request',
    'FLB',
    '{ allow | deny | auth } [{ if | unless } <condition>]',
    'Access control of the statistics page.',
  ],
  ['http-error', 'DFLB', 'status <code> [...]', 'An own page for an error status.'],
  ['errorfiles', 'DFLB', '<name> [<code>...]', 'Takes error pages from an http-errors section.'],
  ['filter', 'FLB', '<name> [...]', 'Adds a filter to the streams.'],
  ['filter-sequence', 'FLB', '{ request | response } <filters>', 'Order of the filters.'],
  ['compression', 'DFLB', '{ algo | type | offload | ... } ...', 'Compresses bodies.'],
  ['use-fcgi-app', 'LB', '<name>', 'Speaks FastCGI to the servers.'],
  // Stickiness.
  ['stick-table', 'FLB', 'type <type> size <size> [...]', 'A table of what is remembered per key.'],
  ['stick on', 'LB', '<pattern> [table <table>] [{ if | unless } <condition>]', 'Sticks a user to a server by a key.'],
  ['stick match', 'LB', '<pattern> [table <table>] [{ if | unless } <condition>]', 'Looks a user up in a table.'],
  [
    'stick store-request',
    'LB',
    '<pattern> [table <table>] [{ if | unless } <condition>]',
    'Remembers a key of the request.',
  ],
  [
    'stick store-response',
    'LB',
    '<pattern> [table <table>] [{ if | unless } <condition>]',
    'Remembers a key of the response.',
  ],
  ['persist rdp-cookie', 'DLB', '[(<name>)]', 'Persistence by the RDP cookie.'],
  // Logs and identifiers made of expressions.
  ['log-steps', 'DFL', '<steps>', 'When log lines are written.'],
  ['unique-id-format', 'DFLB', '<format>', 'How a unique id of a request is made.'],
  ['unique-id-header', 'DFL', '<name>', 'Header that carries the unique id.'],
  ['capture cookie', 'FL', '<name> len <length>', 'Logs a cookie.'],
  ['capture request header', 'FL', '<name> len <length>', 'Logs a request header.'],
  ['capture response header', 'FL', '<name> len <length>', 'Logs a response header.'],
  ['declare capture', 'FL', '{ request | response } len <length>', 'Reserves a slot for a capture.'],
  ['email-alert from', 'DFLB', '<address>', 'Sender of mails about server states.'],
  ['email-alert level', 'DFLB', '<level>', 'Which states send a mail.'],
  ['email-alert mailers', 'DFLB', '<section>', 'Where mails are sent through.'],
  ['email-alert myhostname', 'DFLB', '<name>', 'How the sender greets the mail server.'],
  ['email-alert to', 'DFLB', '<address>', 'Receiver of mails about server states.'],
  // The rest.
  ['option forwarded', 'DLB', '[proto] [host] [by] [for] ...', 'Adds the Forwarded header of RFC 7239.'],
  ['option http-pretend-keepalive', 'DLB', '', 'Hides from the server that its connection will be closed.'],
  ['option h1-case-adjust-bogus-client', 'DFL', '', 'Writes header names in the case that clients want.'],
  ['option h1-case-adjust-bogus-server', 'DLB', '', 'Writes header names in the case that servers want.'],
  ['crt', 'FL', '<file> [...]', 'A certificate for the binds of this proxy.'],
  ['hash-preserve-affinity', 'DLB', '{ always | maxconn | maxqueue }', 'Whether a full server may be left by a hash.'],
  ['http-send-name-header', 'DLB', '[<name>]', 'Tells the server its own name in a header.'],
  ['max-keep-alive-queue', 'DLB', '<number>', 'Queue length at which a kept server connection is given up.'],
  ['max-session-srv-conns', 'DFL', '<number>', 'Idle server connections a session may keep.'],
  ['retry-on', 'DLB', '<conditions>', 'Which failures are tried again.'],
  ['timeout client-hs', 'DFL', '<time>', "Time for the client's handshakes."],
];

export const LATER_PROXY: readonly Keyword<ProxyDraft>[] = LATER.map(row => later(...row));
