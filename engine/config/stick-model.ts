/** Stick tables, their rules and who they are shared with, as they stand in the model (model.ts). */
import type { Address } from '../io/contract.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Expression } from '../sample/expression.ts';
import type { KeyType } from '../stick/data-types.ts';
import type { LogTarget } from './log-model.ts';
import type { Bind, Place } from './model.ts';
import type { Reach } from './server-model.ts';

/** `stick on` (match and store), `stick match`, `stick store-request`, `stick store-response`. */
export interface StickRule extends Place {
  readonly expression: Expression;
  /** Index in `model.tables`. */
  readonly table: number;
  readonly match: boolean;
  readonly store: boolean;
  /** The key is taken from the response. */
  readonly response: boolean;
  readonly condition: ConditionData | null;
}

/** `stick-table` of a proxy, or `table` of a `peers` section. */
export interface StickTable extends Place {
  readonly index: number;
  /** In the configuration and the runtime API: the proxy's name, or `<peers>/<table>`. */
  readonly name: string;
  /** Between peers: the proxy's name, or `/<table>`. */
  readonly peerName: string;
  readonly key: KeyType;
  /** Length of a key; of strings the greatest. */
  readonly keyBytes: number;
  /** Entries at most. */
  readonly size: number;
  /** 0 = they stay until there is no place for others. */
  readonly expireMs: number;
  /** A full table takes no new keys. */
  readonly noPurge: boolean;
  readonly recvOnly: boolean;
  /** Index of the table that gets what peers teach too; -1 = none. */
  readonly writeTo: number;
  /** What `server_key` holds. */
  readonly serverKey: 'name' | 'addr';
  /** Bytes that `bytes_*_rate` counts as one. */
  readonly bytesRateFactor: number;
  /** Index in `model.peers`; -1 = it is not shared. */
  readonly peers: number;
  /** In the order of the rows of engine/stick/data-types.ts. */
  readonly data: readonly StoredData[];
}

interface StoredData {
  /** Name of a row of engine/stick/data-types.ts. */
  readonly type: string;
  /** Elements; 1 for what is no array. */
  readonly count: number;
  /** Of rates; 0 for the others. */
  readonly periodMs: number;
}

/** A `peers` section. */
export interface Peers extends Place {
  readonly index: number;
  readonly name: string;
  readonly disabled: boolean;
  /** Where remote peers reach us: the address of the local `peer` line, or the `bind` lines. Empty = nowhere. */
  readonly binds: readonly Bind[];
  /** In the order of the lines. */
  readonly peers: readonly Peer[];
  /** Index in `peers` of ourselves; -1 = we are not among them. */
  readonly local: number;
  /** `shards`; 0 = every peer gets everything. */
  readonly shards: number;
  readonly logs: readonly LogTarget[];
  /** Indexes of the tables shared with these peers: its own, and those whose `peers` names it. */
  readonly tables: readonly number[];
}

export interface Peer extends Place, Reach {
  readonly name: string;
  /** As written, for messages. */
  readonly text: string;
  /** Where it is reached; null only for the local one. */
  readonly address: Address | null;
  /** Which shard of the tables it gets, 1-based; 0 = everything. */
  readonly shard: number;
}
