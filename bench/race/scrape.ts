/** Reads the statistics again and again, as an eager monitoring system would. */
import http from 'node:http';

/** Asks for the CSV every `everyMs`, unless the last answer is still on its way. `stop` gives the errors. */
export function scraping(port: number, everyMs: number): { stop(): Promise<number> } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  let errors = 0;
  let busy: Promise<void> | null = null;
  const timer = setInterval(() => {
    busy ??= get(port, agent)
      .catch(() => void errors++)
      .finally(() => {
        busy = null;
      });
  }, everyMs);
  return {
    async stop() {
      clearInterval(timer);
      await busy;
      agent.destroy();
      return errors;
    },
  };
}

/** Throws unless the whole CSV came. */
function get(port: number, agent: http.Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = http.get({ port, host: '127.0.0.1', path: '/;csv', agent }, response => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => (response.statusCode === 200 ? resolve() : reject(new Error('not 200'))));
    });
    request.once('error', reject);
  });
}
