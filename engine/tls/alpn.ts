/** ALPN (RFC 7301): lists of protocols as the extension has them, and the choice among what a client offers. */
import { callback, setUint8, setUint64, view } from './openssl.ts';

/** SSL_TLSEXT_ERR_...: the extension is answered, or ignored. */
const OK = 0;
const NO_ACKNOWLEDGE = 3;

/** `h2,http/1.1` as the extension has it: each name after its length. */
export function wireProtocols(names: readonly string[]): Uint8Array {
  return Buffer.concat(names.map(name => Buffer.from(String.fromCharCode(name.length) + name, 'latin1')));
}

const callbacks = new Map<string, bigint>();

/** A callback for OpenSSL: the first of `names` that the client offers; none of them = no answer. One per list and thread. */
export function selectProtocol(names: readonly string[]): bigint {
  const key = names.join();
  const known = callbacks.get(key);
  if (known !== undefined) return known;
  const wanted = names.map(name => Buffer.from(name, 'latin1'));
  const made = callback(
    ['pointer', 'pointer', 'pointer', 'pointer', 'u32', 'pointer'],
    (_ssl: bigint, out: bigint, outLength: bigint, offered: bigint, length: number) => {
      const at = find(wanted, new Uint8Array(view(offered, length)));
      if (at < 0) return NO_ACKNOWLEDGE;
      // The answer may lie in what the client sent.
      setUint64(out, 0, offered + BigInt(at + 1));
      setUint8(outLength, 0, new Uint8Array(view(offered, length))[at]!);
      return OK;
    },
  );
  callbacks.set(key, made);
  return made;
}

/** Where in `offered` the first of `wanted` begins, with its length; -1 = nowhere. */
function find(wanted: readonly Uint8Array[], offered: Uint8Array): number {
  for (const name of wanted) {
    for (let at = 0; at < offered.length; at += 1 + offered[at]!) {
      if (offered[at] === name.length && name.every((byte, i) => offered[at + 1 + i] === byte)) return at;
    }
  }
  return -1;
}
