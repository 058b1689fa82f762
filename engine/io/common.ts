/** What the implementations of the io contract have in common. */
import type { Handler } from './contract.ts';

/** Hears nothing: the handler of an accepted connection until its owner sets one. */
export const NOBODY: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** What a chunk is overwritten with when it is given back, in tests: a late read shows. */
export const POISON = 0xdb;
