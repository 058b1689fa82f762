/** A client of the runtime API, for those who look after processes: one command, one answer. Not for the data path. */
import net from 'node:net';

/** An answer may be this long: `show stat` of a large process. Characters. */
const ANSWER_MAX = 64 * 1024 * 1024;

/**
 * Sends `command` to the stats socket at `path`.
 * @returns the answer; rejects when nobody listens, or when it takes longer than `timeoutMs`
 */
export function askSocket(path: string, command: string, timeoutMs: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = net.connect({ path });
  const texts: string[] = [];
  let length = 0;
  socket.setEncoding('utf8');
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer in ${timeoutMs} ms to '${command}'`)));
  socket.on('connect', () => socket.end(`${command}\n`));
  socket.on('data', (text: string) => {
    texts.push(text);
    length += text.length;
    if (length > ANSWER_MAX) socket.destroy(new Error('the answer is too long'));
  });
  socket.on('error', reject);
  socket.on('close', () => resolve(texts.join('')));
  return promise;
}
