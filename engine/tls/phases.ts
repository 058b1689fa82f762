/** How far a TLS connection is; in their order. */
export const WAITING = 0;
export const HANDSHAKE = 1;
/** The client's early data goes to the owner while the handshake goes on. */
export const EARLY = 2;
export const READY = 3;
/** Nothing more can be read or written: the connection under it goes. */
export const BROKEN = 4;
