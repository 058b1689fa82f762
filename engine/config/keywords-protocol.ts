/** `proto` and its kin: HTTP/1 and TCP are spoken without being named; who names another protocol is refused. */
import { type Keyword, supported } from './keyword.ts';

/** Protocols that HAProxy has and Sluice does not have yet. */
const LATER = ['h2', 'quic', 'qmux', 'fcgi', 'spop'];

function protocol<T>(name: string, doc: string, spoken: readonly string[], others: readonly string[]): Keyword<T> {
  return supported({
    ...{ name, doc, args: `<${spoken.join('|')}>` },
    parse(cursor) {
      const word = cursor.expectWord(name);
      if (word === null || spoken.includes(word.text)) return;
      if (others.includes(word.text))
        cursor.error(`'${name} ${word.text}' is not supported by Sluice yet`, undefined, word);
      else cursor.error(`'${name}' expects one of ${spoken.join(', ')}, not '${word.text}'`, undefined, word);
    },
    good: spoken.map(word => `${name} ${word}`),
    bad: [
      [name, `'${name}' expects an argument`],
      [`${name} ${others[0]}`, `'${name} ${others[0]}' is not supported by Sluice yet`],
      [`${name} x`, `'${name}' expects one of ${spoken.join(', ')}, not 'x'`],
    ],
  });
}

/** Of `bind` lines. */
export function bindProtocol<T>(): Keyword<T> {
  return protocol('proto', 'The protocol of its connections.', ['h1', 'none'], LATER);
}

/** Of `server` lines. */
export function serverProtocols<T>(): Keyword<T>[] {
  return [
    protocol('proto', 'The protocol of its connections.', ['h1', 'none'], LATER),
    protocol('check-proto', 'The protocol of its checks.', ['h1', 'none'], LATER),
    protocol('ws', 'How WebSockets are carried.', ['auto', 'h1'], ['h2']),
  ];
}
