/** TLS settings of `server` lines. */
import { readExpression } from '../sample/expression.ts';
import { bare, word } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';
import { commonRows, protocols, row, verifyRow } from './keywords-tls.ts';
import type { ServerTlsDraft } from './tls-draft.ts';

type Row = Keyword<ServerTlsDraft>;

const RENEGOTIATION: readonly Row[] = [
  bare<ServerTlsDraft>(
    row('renegotiate', 'The server may ask for another handshake, up to TLS 1.2. It may by default.'),
    {
      renegotiate: true,
    },
  ),
  bare<ServerTlsDraft>(row('no-renegotiate', 'It is refused another handshake.'), { renegotiate: false }),
];

/** In `ssl-default-server-options`, too. */
export const SERVER_OPTIONS: readonly Row[] = [
  ...commonRows<ServerTlsDraft>().filter(({ name }) => /^(ssl-m|no-|force-|tls-t)/.test(name)),
  ...RENEGOTIATION,
];

export const SERVER_TLS: readonly Row[] = [
  ...commonRows<ServerTlsDraft>(),
  verifyRow<ServerTlsDraft>(['none', 'required'], 'Whether its certificate is verified.'),
  bare<ServerTlsDraft>(row('ssl', 'TLS to the server.'), { ssl: true }),
  bare<ServerTlsDraft>(row('no-ssl', 'No TLS.'), { ssl: false }),
  bare<ServerTlsDraft>(row('check-ssl', 'Checks over TLS.'), { checkSsl: true }),
  bare<ServerTlsDraft>(row('no-check-ssl', 'Checks without TLS.'), { checkSsl: false }),
  bare<ServerTlsDraft>(row('ssl-reuse', 'Sessions are resumed.'), { reuse: true }),
  bare<ServerTlsDraft>(row('no-ssl-reuse', 'Sessions are not resumed.'), { reuse: false }),
  bare<ServerTlsDraft>(row('no-verifyhost', 'Its certificate may be for any name.'), { verifyHost: null }),
  word(row('crt', 'Certificate shown to it.'), '<file>', 'crt'),
  word(row('verifyhost', 'Name that its certificate must be for.'), '<name>', 'verifyHost'),
  word(row('check-sni', 'Server name sent by checks.'), '<name>', 'checkSni'),
  supported<ServerTlsDraft>({
    ...row('check-alpn', 'Protocols offered by checks.'),
    ...{
      args: '<protocols>',
      good: ['check-alpn http/1.1'],
      bad: [['check-alpn', "'check-alpn' expects an argument"]],
    },
    parse(cursor, draft) {
      const names = protocols(cursor, 'check-alpn');
      if (names !== null) draft.checkAlpn = names;
    },
  }),
  bare<ServerTlsDraft>(row('sni-auto', 'Without `sni` the Host of the request is sent as server name.'), {
    sniAuto: true,
  }),
  bare<ServerTlsDraft>(row('no-sni-auto', 'Without `sni` no server name is sent.'), { sniAuto: false }),
  bare<ServerTlsDraft>(
    row('check-sni-auto', 'Without `check-sni` checks send the Host of their request as server name.'),
    {
      checkSniAuto: true,
    },
  ),
  bare<ServerTlsDraft>(row('no-check-sni-auto', 'Without `check-sni` checks send no server name.'), {
    checkSniAuto: false,
  }),
  supported<ServerTlsDraft>({
    ...row('sni', 'Server name sent to it.'),
    ...{ args: '<expression>', good: ['sni req.hdr(host)', 'sni str(example.com)'] },
    parse(cursor, draft, { resources }) {
      const expression = readExpression(cursor, resources, 'connect');
      if (expression !== null) draft.sni = expression;
    },
    bad: [
      ['sni foo', "unknown fetch method 'foo'"],
      [
        'sni res.hdr(x)',
        "fetch method 'res.hdr' extracts information from 'HTTP response headers', none of which is available here",
      ],
    ],
  }),
  bare<ServerTlsDraft>(row('allow-0rtt', 'Sends requests as early data of TLS 1.3, which may be replayed.'), {
    early: true,
  }),
  ...RENEGOTIATION,
];
