/** `tcp-request connection` and `tcp-request session`: who may have a session at all. */
import { CLOSE } from '../rules/action.ts';
import { DEAF } from './closing.ts';
import { HERE } from './rules.ts';
import type { Session } from './session.ts';

/** At accept, before anything is read: only the connection's own addresses are known. False = it was rejected. */
export function mayConnect(session: Session): boolean {
  const { connection } = session.frontend.lists;
  return connection === null || connection.run(HERE.atSession(session), 0) !== CLOSE || refuse(session);
}

/** After the handshakes: the client's address is known. */
export function mayStart(session: Session): boolean {
  const rules = session.frontend.lists.session;
  session.started = true;
  return rules === null || rules.run(HERE.atSession(session), 0) !== CLOSE || refuse(session);
}

function refuse(session: Session): false {
  session.conn.handler = DEAF;
  session.conn.abort(false);
  session.closed();
  return false;
}
