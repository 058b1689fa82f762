/** A client of the runtime API. */
import net from 'node:net';

/** Sends one line, and gives the whole answer: waits until the socket is there. */
export async function ask(socket: string, command: string): Promise<string> {
  for (;;) {
    const answer = await new Promise<string | null>(resolve => {
      const conn = net.connect({ path: socket, allowHalfOpen: true });
      let text = '';
      conn.setEncoding('utf8');
      conn.on('data', piece => {
        text += piece;
      });
      conn.on('end', () => {
        conn.destroy();
        resolve(text);
      });
      conn.on('error', () => resolve(null));
      conn.end(`${command}\n`);
    });
    if (answer !== null) return answer;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}
