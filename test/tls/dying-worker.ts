/** Makes connections and says so; then it is ended from outside. */
import { parentPort, workerData } from 'node:worker_threads';
import { TlsConnection } from '../../engine/tls/connection.ts';
import { NO_HELLO } from '../../engine/tls/hello.ts';
import { keepLedger } from '../../engine/tls/ledger.ts';
import { TLS_CLIENT, TLS_SERVER } from './ends.ts';

keepLedger(workerData.ledger);
for (let i = 0; i < 3; i++) {
  const client = new TlsConnection(TLS_CLIENT.context(NO_HELLO)!, true);
  client.handshake();
  new TlsConnection(TLS_SERVER.context(NO_HELLO)!, false);
}
parentPort!.postMessage('made');
setInterval(() => {}, 1000);
