/** Actions that mark packets: those to the client (`fc`), and those of the connection to the server (`bc`). */
import { PACKET_MARK_MAX, PACKET_MARKS, type PacketMark } from '../io/packet-marks.ts';
import type { Expression } from '../sample/expression.ts';
import { type ActionRow, action, CONTINUE } from './action.ts';
import { compileNumber, readSample } from './values.ts';

const DOCS: Readonly<Record<PacketMark, string>> = {
  mark: 'Gives packets %s a mark, which the firewall and the routing table see.',
  tos: 'Gives packets %s another TOS byte.',
};

function marking(name: string, kind: PacketMark, toServer: boolean): ActionRow {
  return action<number | Expression>({
    name,
    where: toServer ? 'TQ' : 'CSTUQR',
    args: `{ <${kind}> | <expression> }`,
    doc: DOCS[kind].replace('%s', toServer ? 'to the server' : 'to the client'),
    read(cursor, rule, context) {
      const word = cursor.peek();
      if (word === null || !/^\d/.test(word.text)) return readSample(cursor, rule, context);
      const value = /^(0x[0-9a-f]+|\d+)$/i.test(word.text) ? Number(word.text) : -1;
      cursor.next();
      if (value >= 0 && value <= PACKET_MARK_MAX[kind]) return value;
      cursor.error(`'${name}' expects a number up to ${PACKET_MARK_MAX[kind]}, not '${word.text}'`);
      return null;
    },
    compile(value, env) {
      const number = typeof value === 'number' ? () => value : compileNumber(value, env, -1);
      return at => {
        const found = number(at);
        if (found < 0 || found > PACKET_MARK_MAX[kind]) return CONTINUE;
        if (toServer) at.stream!.serverMarks = { ...at.stream!.serverMarks, [kind]: found };
        else for (const option of PACKET_MARKS[kind]) at.session.conn.setOption(option, found);
        return CONTINUE;
      };
    },
    good: [`${name} 20`, `${name} 0x1F`, `${name} int(3)`],
    bad: [
      [`${name} 99999999999`, `'${name}' expects a number up to ${PACKET_MARK_MAX[kind]}, not '99999999999'`],
      [`${name} x`, "unknown fetch method 'x'"],
    ],
  });
}

export const MARK_ACTIONS: readonly ActionRow[] = [
  marking('set-fc-mark', 'mark', false),
  marking('set-mark', 'mark', false),
  marking('set-bc-mark', 'mark', true),
  marking('set-fc-tos', 'tos', false),
  marking('set-tos', 'tos', false),
  marking('set-bc-tos', 'tos', true),
];
