/**
 * Keys of session tickets. All workers have the same, so that a session resumes on any of them.
 *
 *   80 bytes   name 16 | HMAC 32 | AES-256 32
 *   48 bytes   name 16 | AES-128 16 | HMAC 16
 *
 * One key OpenSSL handles by itself. Of several (`tls-ticket-keys`) the last but one makes new tickets, so that a key which
 * has just been appended is known everywhere before it is used; all are good for tickets that come back.
 */
import { CTRL, callback, openssl, pointerTo, setUint64, view } from './openssl.ts';

const NAME_BYTES = 16;
const IV_BYTES = 16;
const LONG_BYTES = 80;

/** What the callback answers: the ticket is of no use, is good, is good but a new one is to be made. */
const UNKNOWN = 0;
const GOOD = 1;
const RENEW = 2;
const FAILED = -1;

/** A key as the callback needs it. The arrays keep the native pointers valid. */
interface TicketKey {
  readonly name: Uint8Array;
  readonly aes: Uint8Array;
  readonly aes256: boolean;
  /** OSSL_PARAMs of the HMAC. */
  readonly mac: MacParams;
}

/** The keys of a context's tickets, in this thread. They may change: `tls-ticket-keys` and `set ssl tls-key`. */
export interface TicketRing {
  /** For a new context. */
  install(ctx: bigint): void;
}

/** The one key of a process: OpenSSL does it all. `raw`: 80 bytes. */
export function singleKey(raw: Uint8Array): TicketRing {
  return {
    // OpenSSL has HMAC before AES, too.
    install: ctx => void openssl.SSL_CTX_ctrl(ctx, CTRL.ticketKeys, BigInt(LONG_BYTES), pointerTo(raw)),
  };
}

/** Those of a file. */
export class TicketKeys implements TicketRing {
  #keys: readonly TicketKey[] = [];
  #current: TicketKey | null = null;
  #callback = 0n;

  constructor(raw: readonly Uint8Array[]) {
    this.replace(raw);
  }

  /** Contexts that have these keys use the new ones from now on. */
  replace(raw: readonly Uint8Array[]): void {
    this.#keys = raw.map(keyOf);
    this.#current = this.#keys[Math.max(raw.length - 2, 0)]!;
  }

  install(ctx: bigint): void {
    if (this.#callback === 0n) {
      this.#callback = callback(
        ['pointer', 'pointer', 'pointer', 'pointer', 'pointer', 'i32'],
        (_ssl: bigint, name: bigint, iv: bigint, cipher: bigint, mac: bigint, encrypt: number) =>
          encrypt === 1 ? this.#seal(name, iv, cipher, mac) : this.#unseal(name, iv, cipher, mac),
      );
    }
    openssl.SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, this.#callback);
  }

  #seal(name: bigint, iv: bigint, cipher: bigint, mac: bigint): number {
    const key = this.#current!;
    new Uint8Array(view(name, NAME_BYTES)).set(key.name);
    if (openssl.RAND_bytes(iv, IV_BYTES) !== 1) return FAILED;
    return use(key, openssl.EVP_EncryptInit_ex, cipher, iv, mac) ? GOOD : FAILED;
  }

  #unseal(name: bigint, iv: bigint, cipher: bigint, mac: bigint): number {
    const nameBytes = new Uint8Array(view(name, NAME_BYTES));
    const key = this.#keys.find(({ name: own }) => own.every((byte, i) => byte === nameBytes[i]));
    if (key === undefined) return UNKNOWN;
    if (!use(key, openssl.EVP_DecryptInit_ex, cipher, iv, mac)) return FAILED;
    return key === this.#current ? GOOD : RENEW;
  }
}

type Init = (cipher: bigint, kind: bigint, engine: bigint, key: bigint, iv: bigint) => number;

function use(key: TicketKey, init: Init, cipher: bigint, iv: bigint, mac: bigint): boolean {
  const kind = key.aes256 ? openssl.EVP_aes_256_cbc() : openssl.EVP_aes_128_cbc();
  return (
    openssl.EVP_MAC_CTX_set_params(mac, key.mac.address) === 1 && init(cipher, kind, 0n, pointerTo(key.aes), iv) === 1
  );
}

function keyOf(raw: Uint8Array): TicketKey {
  const long = raw.length === LONG_BYTES;
  const first = raw.slice(NAME_BYTES, NAME_BYTES + (long ? 32 : 16));
  const second = raw.slice(NAME_BYTES + first.length);
  return {
    name: raw.slice(0, NAME_BYTES),
    aes: long ? second : first,
    aes256: long,
    mac: new MacParams(long ? first : second),
  };
}

const UTF8_STRING = 4;
const OCTET_STRING = 5;
const PARAM_BYTES = 40;

/** Two OSSL_PARAMs and the end of the list: key and digest of an HMAC. Each: name 8 | type 4 | pad 4 | data 8 | size 8 | 8. */
class MacParams {
  readonly address: bigint;
  readonly #memory = new ArrayBuffer(3 * PARAM_BYTES);
  /** What the parameters point at. */
  readonly #parts: readonly Uint8Array[];

  constructor(key: Uint8Array) {
    this.#parts = [Buffer.from('key\0'), key, Buffer.from('digest\0'), Buffer.from('SHA256\0')];
    this.address = pointerTo(this.#memory);
    this.#set(0, 0, OCTET_STRING, key.length);
    this.#set(1, 2, UTF8_STRING, 'SHA256'.length);
  }

  #set(index: number, part: number, type: number, size: number): void {
    const at = index * PARAM_BYTES;
    setUint64(this.address, at, pointerTo(this.#parts[part]!));
    new DataView(this.#memory).setUint32(at + 8, type, true);
    setUint64(this.address, at + 16, pointerTo(this.#parts[part + 1]!));
    setUint64(this.address, at + 24, BigInt(size));
  }
}
