/**
 * A radix tree of networks: the longest prefix that an address lies in. Path-compressed, so that n networks make at most
 * 2n nodes; one tree holds addresses of one length (4 or 16 bytes).
 *
 *     node   prefix = key's first `bits[node]` bits; children by the next bit; value = an entry's number, -1 = none
 */
export class Radix {
  readonly #size: number;
  #keys: Uint8Array;
  #bits = new Uint8Array(64);
  #children = new Int32Array(128).fill(-1);
  #values = new Int32Array(64).fill(-1);
  #count = 0;
  #root = -1;

  /** `size`: bytes of an address. */
  constructor(size: 4 | 16) {
    this.#size = size;
    this.#keys = new Uint8Array(64 * size);
  }

  /** Gives the network `address/bits` a number, unless it has one. Returns the number that it has. */
  add(address: Uint8Array, bits: number, value: number): number {
    const known = this.get(address, bits);
    if (known >= 0) return known;
    this.#insert(address, bits, value);
    return value;
  }

  /** The number of just this network; -1 = it has none. */
  get(address: Uint8Array, bits: number): number {
    const node = this.#nodeOf(address, bits);
    return node < 0 ? -1 : this.#values[node]!;
  }

  /** Takes the number from it. The node stays, for what is below it and for the next time. */
  remove(address: Uint8Array, bits: number): void {
    const node = this.#nodeOf(address, bits);
    if (node >= 0) this.#values[node] = -1;
  }

  #nodeOf(address: Uint8Array, bits: number): number {
    let node = this.#root;
    while (node >= 0 && this.#bits[node]! < bits) {
      node = this.#children[node * 2 + bitOf(address, 0, this.#bits[node]!)]!;
    }
    const here = node >= 0 && this.#bits[node] === bits;
    return here && samePrefix(this.#keys, node * this.#size, address, 0, bits) ? node : -1;
  }

  #insert(address: Uint8Array, bits: number, value: number) {
    let parent = -1;
    let side = 0;
    let node = this.#root;
    for (;;) {
      if (node < 0) return this.#link(parent, side, this.#make(address, bits, value));
      const common = this.#common(node, address, Math.min(bits, this.#bits[node]!));
      if (common < this.#bits[node]!) {
        // The new prefix leaves the node's before its end: it becomes its parent, or they get one together.
        const old = bitOf(this.#keys, node * this.#size, common);
        const above = this.#make(address, common, common === bits ? value : -1);
        this.#children[above * 2 + old] = node;
        if (common < bits) this.#children[above * 2 + 1 - old] = this.#make(address, bits, value);
        return this.#link(parent, side, above);
      }
      if (common === bits) {
        this.#values[node] = value;
        return;
      }
      parent = node;
      side = bitOf(address, 0, common);
      node = this.#children[node * 2 + side]!;
    }
  }

  /** The number of the longest network that the address `bytes[start...]` lies in; -1 = none. */
  find(bytes: Uint8Array, start: number): number {
    const size = this.#size;
    let best = -1;
    for (let node = this.#root; node >= 0; ) {
      const bits = this.#bits[node]!;
      if (!samePrefix(this.#keys, node * size, bytes, start, bits)) break;
      if (this.#values[node] !== -1) best = this.#values[node]!;
      if (bits === size * 8) break;
      node = this.#children[node * 2 + bitOf(bytes, start, bits)]!;
    }
    return best;
  }

  #link(parent: number, side: number, node: number) {
    if (parent < 0) this.#root = node;
    else this.#children[parent * 2 + side] = node;
  }

  #make(address: Uint8Array, bits: number, value: number): number {
    if (this.#count === this.#values.length) this.#grow();
    const node = this.#count++;
    this.#keys.set(address, node * this.#size);
    this.#bits[node] = bits;
    this.#values[node] = value;
    return node;
  }

  /** How many of the first `limit` bits `address` has in common with the node's prefix. */
  #common(node: number, address: Uint8Array, limit: number): number {
    const from = node * this.#size;
    for (let i = 0; i * 8 < limit; i++) {
      const difference = this.#keys[from + i]! ^ address[i]!;
      if (difference !== 0) return Math.min(i * 8 + Math.clz32(difference) - 24, limit);
    }
    return limit;
  }

  #grow(): void {
    const size = this.#count * 2;
    const keys = new Uint8Array(size * this.#size);
    keys.set(this.#keys);
    const bits = new Uint8Array(size);
    bits.set(this.#bits);
    const children = new Int32Array(size * 2).fill(-1);
    children.set(this.#children);
    const values = new Int32Array(size).fill(-1);
    values.set(this.#values);
    this.#keys = keys;
    this.#bits = bits;
    this.#children = children;
    this.#values = values;
  }
}

function bitOf(bytes: Uint8Array, start: number, bit: number): number {
  return (bytes[start + (bit >> 3)]! >> (7 - (bit & 7))) & 1;
}

function samePrefix(a: Uint8Array, aStart: number, b: Uint8Array, bStart: number, bits: number): boolean {
  const whole = bits >> 3;
  for (let i = 0; i < whole; i++) if (a[aStart + i] !== b[bStart + i]) return false;
  const rest = bits & 7;
  return rest === 0 || ((a[aStart + whole]! ^ b[bStart + whole]!) & (0xff << (8 - rest)) & 0xff) === 0;
}
