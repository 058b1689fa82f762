/**
 * What one peer and we share of one table: which entries it must still be sent, and how far each has come.
 *
 *   a change here ──► pending ──sent──► unacked ──acknowledged──► forgotten
 *                        ▲                  │
 *                        └── the connection ends
 */
import { PEER_UNACKED_MAX } from '../limits.ts';
import type { Definition } from './definition.ts';
import type { SharedTable } from './shared-table.ts';
import { Slots } from './slots.ts';

export class Share {
  readonly table: SharedTable;
  /** Our number for the table. */
  readonly id: number;
  /** Places whose entries it must be sent. */
  readonly pending: Slots;
  /** Ids of the updates last sent and last acknowledged. They are numbered from 1 and never begin anew. */
  pushed = 0;
  acked = 0;
  /** What the peer has said of the table in this connection. */
  remote: Definition | null = null;
  /** Its last update that we have read, and the last that we have acknowledged. */
  got = 0;
  gotAcked = 0;
  /** The places of the updates after `acked`, in a ring. */
  readonly #sent: Int32Array;

  constructor(table: SharedTable, id: number) {
    this.table = table;
    this.id = id;
    this.pending = new Slots(table.slots);
    this.#sent = new Int32Array(Math.min(PEER_UNACKED_MAX, table.slots));
  }

  /** The entry at `slot` goes out. Gives the id of its update. */
  sent(slot: number): number {
    this.pending.delete(slot);
    this.pushed = (this.pushed + 1) >>> 0;
    this.#sent[this.pushed % this.#sent.length] = slot;
    return this.pushed;
  }

  /** The peer has all updates up to `id`. False when it cannot: it was never sent. */
  ack(id: number): boolean {
    if (id > this.pushed) return false;
    this.acked = Math.max(this.acked, id);
    return true;
  }

  /** The connection has ended: what is not acknowledged may be lost and is sent again. */
  restart(): void {
    const { pushed, acked } = this;
    // More than we remember: then it may be any.
    if (pushed - acked > this.#sent.length) this.pending.fill();
    else for (let id = acked + 1; id <= pushed; id++) this.pending.add(this.#sent[id % this.#sent.length]!);
    this.acked = pushed;
    this.remote = null;
    this.got = 0;
    this.gotAcked = 0;
  }
}
