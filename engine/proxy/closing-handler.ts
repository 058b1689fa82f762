import type { Handler } from '../io/contract.ts';

/** Hears of a connection that nobody is interested in any more. */
export const CLOSING: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };
