import type { Store } from '../../engine/lbaas/store.ts';
import type { Ownership } from './controller.ts';
import type { Log } from './log.ts';
export class EtcdStore {
  static open(_u: string, _h: string, _t: number, _l: Log): Promise<Store & { ownership: Ownership }> {
    throw new Error('later');
  }
}
