/** What Sluice cannot run is refused before anything changes. */
import { configurationText, MissingContainer, refusalOf } from '../../engine/lbaas/configuration.ts';
import { deploymentOf } from '../../engine/lbaas/deployment.ts';
import { badRequest, unsupported } from '../../engine/lbaas/errors.ts';
import type { Reader } from '../../engine/lbaas/store.ts';
import { FILES } from './files.ts';
import type { Processes } from './processes.ts';

/** @throws Refusal with what the parser says of the configuration that the tree would have */
export function guard(reader: Reader, root: string, processes: Processes): void {
  const deployment = deploymentOf(reader, root);
  if (deployment === null) return;
  let refusal: string | null;
  try {
    refusal = refusalOf(configurationText(deployment, processes.site(root)), FILES);
  } catch (error) {
    if (error instanceof MissingContainer) throw badRequest(error.message);
    throw error;
  }
  if (refusal === null) return;
  throw unsupported(refusal);
}
