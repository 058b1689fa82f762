/**
 * What two peers say to each other once they know each other: bytes in, bytes out. One per connection.
 *
 *                 ┌─ definition, updates ──► entries are learned ──► acknowledgements
 *   heard ────────┼─ resync request ───────► teaching: all entries, then `finished` or `partial`
 *                 └─ finished, partial ────► `confirm`; the section decides what it means
 *
 *   said, in this order: acknowledgements, control messages, what is being taught, else what has changed
 */
import { KEY_TYPES } from '../stick/data-types.ts';
import { type Reader, Writer } from './bytes.ts';
import { type Definition, readDefinition, writeDefinition } from './definition.ts';
import { HeardTexts, SentTexts } from './dictionary.ts';
import { CLASS, CONTROL, control, type Message, TABLE, tableMessage } from './messages.ts';
import type { Share } from './share.ts';
import { type Entry, newEntry } from './shared-table.ts';
import { readKey, readValues, writeExpire, writeKey, writeValues } from './update.ts';

/** What the section decides about an exchange. */
export interface Decisions {
  /** Whether an entry with this key is for the peer. */
  wants(share: Share, key: Uint8Array): boolean;
  /** All that the others know we know. */
  upToDate(): boolean;
  /** The peer has told all it knows; `complete`: it was itself up to date. */
  taught(complete: boolean): void;
  /** The peer confirms that it has heard all that we taught. */
  confirmed(): void;
}

type Handle = (exchange: Exchange, body: Reader) => string | null;

export class Exchange {
  readonly shares: readonly Share[];
  readonly sentTexts = new SentTexts();
  readonly heardTexts = new HeardTexts();
  readonly #decisions: Decisions;
  /** The peer knows updates with times. */
  readonly #timed: boolean;
  /** Types of the control messages to say. */
  readonly #controls: number[] = [];
  /** The share that the next updates we hear, and say, belong to. */
  #heard: Share | null = null;
  #said: Share | null = null;
  /** No update was said since the definition: the first has its id. */
  #fresh = false;
  /** Where the teaching is: share, place in its table. Null = none is under way. */
  #teaching: { share: number; slot: number } | null = null;
  readonly #payload = new Writer();
  readonly #entry: Entry = newEntry();

  constructor(shares: readonly Share[], timed: boolean, decisions: Decisions) {
    this.shares = shares;
    this.#timed = timed;
    this.#decisions = decisions;
  }

  get teaching(): boolean {
    return this.#teaching !== null;
  }

  get heard(): Share | null {
    return this.#heard;
  }

  get said(): Share | null {
    return this.#said;
  }

  /** Says a control message when it is its turn; once, however often it is wanted until then. */
  control(type: number): void {
    if (!this.#controls.includes(type)) this.#controls.push(type);
  }

  /** Tells all entries of all tables, unless it does already. */
  teach(): void {
    if (this.#teaching !== null) return;
    this.#teaching = { share: 0, slot: 0 };
    this.#said = null;
  }

  /** What it makes of a message; gives what is wrong with it. */
  hear(message: Message, body: Reader): string | null {
    if (message.class === CLASS.control) return this.#hearControl(message.type);
    if (message.class === CLASS.error) return `it says that we made error ${message.type}`;
    if (message.class !== CLASS.table) return `message of unknown class ${message.class}`;
    const handle = HANDLES[message.type];
    if (handle !== undefined) return handle(this, body);
    // Newer versions may have more of them, with their lengths.
    return message.type >= TABLE.update ? null : `message of unknown type ${message.type}`;
  }

  /** Writes what there is to say, `max` entries at most. True when there is more. */
  say(out: Writer, max: number): boolean {
    for (const share of this.shares) this.#sayAck(out, share);
    for (const type of this.#controls.splice(0)) control(out, type);
    if (this.#teaching !== null) return this.#sayLessons(out, this.#teaching, max);
    let left = max;
    for (const share of this.shares) {
      while (left > 0 && share.pending.count > 0) {
        left -= this.#sayEntry(out, share, share.pending.take(), false) ? 1 : EMPTY_COST;
      }
    }
    return left <= 0;
  }

  /** There is something to say. */
  get talkative(): boolean {
    return (
      this.teaching ||
      this.#controls.length > 0 ||
      this.shares.some(share => share.pending.count > 0 || share.got !== share.gotAcked)
    );
  }

  define(body: Reader): string | null {
    const definition = readDefinition(body);
    if (definition === null) return 'malformed table definition';
    this.#heard = null;
    for (const share of this.shares) {
      if (share.table.wireName !== definition.name || !fits(definition, share)) continue;
      share.remote = definition;
      this.#heard = share;
    }
    return null;
  }

  switch(body: Reader): string | null {
    const id = body.varint();
    this.#heard = this.shares.find(({ remote }) => remote?.id === id) ?? null;
    return body.bad ? 'malformed table switch' : null;
  }

  ack(body: Reader): string | null {
    const id = body.varint();
    const update = body.uint32();
    const share = this.shares.find(other => other.id === id);
    if (body.bad || share === undefined) return 'malformed acknowledgement';
    return share.ack(update) ? null : 'acknowledgement of an update that was never sent';
  }

  update(body: Reader, incremental: boolean, timed: boolean): string | null {
    const share = this.#heard;
    // Entries of a table that we do not share.
    if (share === null || share.remote === null) return null;
    const id = incremental ? (share.got + 1) >>> 0 : body.uint32();
    const expireMs = timed ? body.uint32() : share.table.expireMs;
    const key = readKey(body, share.remote);
    if (key === null || body.bad) return 'malformed entry';
    const entry = this.#entry;
    if (!readValues(body, share.remote.columns, entry, this.heardTexts)) return 'malformed entry';
    share.got = id;
    entry.key = key;
    entry.expireMs = share.table.expireMs === 0 ? Infinity : Math.min(expireMs, share.table.expireMs);
    share.table.learn(entry, share.remote.columns);
    return null;
  }

  #hearControl(type: number): string | null {
    if (type === CONTROL.resyncRequest) this.teach();
    else if (type === CONTROL.resyncFinished || type === CONTROL.resyncPartial) {
      this.control(CONTROL.resyncConfirm);
      this.#decisions.taught(type === CONTROL.resyncFinished);
    } else if (type === CONTROL.resyncConfirm) this.#decisions.confirmed();
    return null;
  }

  #sayAck(out: Writer, share: Share): void {
    if (share.got === share.gotAcked || share.remote === null) return;
    this.#payload.varint(share.remote.id);
    this.#payload.uint32(share.got);
    tableMessage(out, TABLE.ack, this.#payload);
    share.gotAcked = share.got;
  }

  #sayLessons(out: Writer, at: { share: number; slot: number }, max: number): boolean {
    for (let left = max; at.share < this.shares.length; at.share++, at.slot = 0) {
      const share = this.shares[at.share]!;
      this.#sayDefinition(out, share);
      while (at.slot < share.table.end) {
        if (left <= 0) return true;
        left -= this.#sayEntry(out, share, at.slot++, this.#timed) ? 1 : EMPTY_COST;
      }
    }
    this.#teaching = null;
    control(out, this.#decisions.upToDate() ? CONTROL.resyncFinished : CONTROL.resyncPartial);
    return true;
  }

  /** False when there is no entry at the place, or none that the peer wants. */
  #sayEntry(out: Writer, share: Share, slot: number, timed: boolean): boolean {
    const entry = this.#entry;
    const { table } = share;
    if (!table.read(slot, entry) || !this.#decisions.wants(share, entry.key)) return false;
    this.#sayDefinition(out, share);
    const id = share.sent(slot);
    const payload = this.#payload;
    if (this.#fresh) payload.uint32(id);
    if (timed) writeExpire(payload, entry.expireMs === Infinity ? 0 : entry.expireMs);
    writeKey(payload, table.keyType, entry.key);
    writeValues(payload, table.columns, entry, this.sentTexts);
    tableMessage(out, UPDATES[timed ? 1 : 0][this.#fresh ? 0 : 1], payload);
    this.#fresh = false;
    return true;
  }

  #sayDefinition(out: Writer, share: Share): void {
    if (this.#said === share) return;
    this.#said = share;
    this.#fresh = true;
    writeDefinition(this.#payload, share.id, share.table);
    tableMessage(out, TABLE.definition, this.#payload);
  }
}

/** What looking for an entry costs that is not there, beside telling one. */
const EMPTY_COST = 1 / 64;

const UPDATES = [
  [TABLE.update, TABLE.incremental],
  [TABLE.timed, TABLE.incrementalTimed],
] as const;

const HANDLES: Readonly<Record<number, Handle>> = {
  [TABLE.update]: (exchange, body) => exchange.update(body, false, false),
  [TABLE.incremental]: (exchange, body) => exchange.update(body, true, false),
  [TABLE.timed]: (exchange, body) => exchange.update(body, false, true),
  [TABLE.incrementalTimed]: (exchange, body) => exchange.update(body, true, true),
  [TABLE.definition]: (exchange, body) => exchange.define(body),
  [TABLE.switch]: (exchange, body) => exchange.switch(body),
  [TABLE.ack]: (exchange, body) => exchange.ack(body),
};

/** Entries of one table can be entries of the other: the same keys. */
function fits({ keyType, keyBytes }: Definition, { table }: Share): boolean {
  return keyType === KEY_TYPES[table.keyType].number && keyBytes === table.keyBytes;
}
