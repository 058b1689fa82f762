/**
 * Choosing a server. One file per algorithm; `createBalancer` (index.ts) gives the one a backend asks for.
 *
 * A balancer lives in one worker and keeps only what it can compute again from the model and the shared words: when
 * `PROXY.generation` of its backend differs from what it saw last, it makes its tables again. Turns and loads that must be
 * right over all workers together (round robin, leastconn, first) are in shared words.
 */

/** No server is usable: 503. */
export const NONE = -1;
/** Servers are usable but all are full: the request waits in the backend's queue. */
export const FULL = -2;

/** What an algorithm may look at. Implemented by the stream; bytes are valid only during the call. */
export interface Subject {
  /** The client's address bytes (4 or 16), null for unix sockets. */
  source(): Uint8Array | null;
  /** The bytes of the request URI as received; null when there is no HTTP request. Result in `slice`. */
  uri(): Slice | null;
  /** Value of the first occurrence of a header (lower-case name), without white space around it; null when absent. */
  header(name: string): Slice | null;
  /** The body bytes of a POST request received so far, for `url_param ... check_post`; null when none. */
  body(): Slice | null;
  /** The bytes received on a TCP connection so far, for rdp-cookie; null when none. */
  payload(): Slice | null;
  /** The value of the expression of `balance hash`, or what `balance log-hash` makes of a line; null when it has none. */
  hashed(): Slice | null;
}

export interface Slice {
  bytes: Uint8Array;
  start: number;
  end: number;
}

export interface Balancer {
  /**
   * The index in `proxy.servers` of the server to use, NONE or FULL. `avoid` is a server that has just failed this
   * request (-1 = none): another one is chosen if there is any. Takes no place on the server: the caller does.
   */
  pick(subject: Subject, avoid: number): number;
}
