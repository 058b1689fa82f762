/** One attempt at a server has failed: whether the next one goes to the same server or to another (manual 4.2, `option redispatch`). */
import type { BalanceAlgorithm } from '../config/proxy-model.ts';
import { RETRIES } from '../shm/counters.ts';
import { STEP, type StepIndex } from './step.ts';
import type { Stream } from './stream.ts';
import { activeServers, isDown } from './usable.ts';

/** Counts a retry and chooses where it goes. The stream holds neither connection nor place any more. */
export function again(stream: Stream): StepIndex {
  stream.retriesLeft--;
  stream.attempts++;
  if (mayRedispatch(stream)) redispatch(stream);
  else stream.countServer(RETRIES);
  return STEP.assign;
}

/** Algorithms that give each request to another server anyway: nothing is lost when one moves. */
const TAKES_TURNS: ReadonlySet<BalanceAlgorithm> = new Set(['roundrobin', 'static-rr', 'random']);

/**
 * `option redispatch N`: every N-th retry, or those -N before the last; and at once when the server has gone down, or was only
 * next in turn among several.
 */
function mayRedispatch(stream: Stream): boolean {
  const { redispatch, retries, balance } = stream.backend!.proxy;
  if (redispatch === 0) return false;
  const every = redispatch > 0 ? redispatch : Math.max(retries + 1 + redispatch, 1);
  if (stream.attempts % every === 0 || isDown(stream.server!)) return true;
  return stream.balanced && TAKES_TURNS.has(balance.algorithm) && activeServers(stream.backend!) > 1;
}

function redispatch(stream: Stream): void {
  stream.redispatched = true;
  if (stream.cookie === 'valid') stream.cookie = 'down';
  stream.movesFrom = stream.server!;
  stream.avoid = stream.server!.config.index;
  stream.leaveServer();
}
