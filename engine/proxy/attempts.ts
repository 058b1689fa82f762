/** One attempt at a server has failed: whether the next one goes to the same server or to another (manual 4.2, `option redispatch`). */
import { CHANGING } from '../balance/changing.ts';
import { REDISPATCHES, RETRIES } from '../shm/counters.ts';
import { STEP, type StepIndex } from './step.ts';
import type { Stream } from './stream.ts';
import { activeServers, isDown } from './usable.ts';

/** Counts a retry and chooses where it goes. The stream holds no connection any more; its place only until it moves. */
export function again(stream: Stream): StepIndex {
  stream.retriesLeft--;
  stream.attempts++;
  if (!mayRedispatch(stream)) stream.countServer(RETRIES);
  else {
    stream.dropPlace();
    move(stream);
  }
  return STEP.assign;
}

/**
 * `option redispatch N`: every N-th retry, or those -N before the last; and at once when the server has gone down, or was no
 * more than the algorithm's choice among several. `force-persist` keeps the stream where it is.
 */
function mayRedispatch(stream: Stream): boolean {
  const { redispatch, retries, balance } = stream.backend!.proxy;
  if (redispatch === 0 || stream.forcesPersistence) return false;
  const every = redispatch > 0 ? redispatch : Math.max(retries + 1 + redispatch, 1);
  if (stream.attempts % every === 0 || isDown(stream.server!)) return true;
  return stream.balanced && CHANGING.has(balance.algorithm) && activeServers(stream.backend!) > 1;
}

/** The next attempt goes to any server, perhaps the same: what becomes of it counts when that is known. */
function move(stream: Stream): void {
  const from = stream.server!;
  leave(stream);
  stream.movesFrom = from;
}

/** Has another server chosen, before an attempt at this one: it could not take the stream. */
export function redispatch(stream: Stream): void {
  stream.countServer(REDISPATCHES);
  stream.redispatched = true;
  leave(stream);
}

function leave(stream: Stream): void {
  stream.unbound = true;
  if (stream.cookie === 'valid') stream.cookie = 'down';
  stream.avoid = stream.server!.config.index;
  stream.leaveServer();
}

/** A move counts as a redispatch at the server it leaves; one that comes back to the same server is a mere retry. */
export function countMove(stream: Stream): void {
  const from = stream.movesFrom;
  if (from === null) return;
  stream.movesFrom = null;
  const { counters } = stream.context;
  const moved = from !== stream.server;
  if (moved) stream.redispatched = true;
  const counter = moved ? REDISPATCHES : RETRIES;
  counters[from.row + counter]! += 1;
  counters[from.backend.row + counter]! += 1;
}
