/** Hashes, digests and ciphers (manual 7.3.1). The digests and ciphers are OpenSSL's, by node:crypto. */
import { createCipheriv, createDecipheriv, createHash, createHmac, getHashes, timingSafeEqual } from 'node:crypto';
import { avalanche, type Hash, hashFor } from '../balance/hash.ts';
import type { Arg, Args } from './arguments.ts';
import { cast } from './cast.ts';
import type { Convert, SampleContext } from './context.ts';
import { crc32c } from './crc32c.ts';
import { type ConverterRow, converter, type Extras, plainConverter } from './row.ts';
import { BIN, Sample, STR, view } from './sample.ts';
import { putBytes } from './text-out.ts';
import { getVar, setVar } from './vars.ts';
import { xxh3 } from './xxh3.ts';
import { xxh32, xxh64 } from './xxhash.ts';

const plainHash = (fn: 'sdbm' | 'djb2' | 'wt6' | 'crc32'): Hash => hashFor({ fn, avalanche: false });

/** A 32-bit hash; with 1 as its argument it is spread over all bits. */
function hash32(name: string, doc: string, hash: Hash): ConverterRow {
  return converter(name, '[avalanche:int]', 'bin', 'sint', doc, args => {
    const full = args.int(0) === 1;
    return sample => {
      const value = hash(sample.bytes, sample.start, sample.end);
      return sample.setInt(full ? avalanche(value) : value);
    };
  });
}

function digestOf(algorithm: string): Convert {
  return sample =>
    putBytes(sample, createHash(algorithm).update(sample.bytes.subarray(sample.start, sample.end)).digest());
}

const HASHES = new Set(getHashes().map(name => name.toLowerCase()));

function unknownDigest(name: Arg | undefined): string | null {
  return HASHES.has(String(name).toLowerCase()) ? null : 'algorithm must be a valid OpenSSL message digest name.';
}

/** A secret argument: bytes given in base64, or a variable that holds base64. Null = the variable does not. */
type Secret = (ctx: SampleContext) => Uint8Array | null;

function secret(args: Args, i: number): Secret {
  const variable = args.variable(i);
  const bytes = args.bytes(i);
  if (variable === null) return () => bytes;
  const value = new Sample();
  return ctx => (getVar(variable, ctx, value) && cast(value, STR) ? Buffer.from(value.text(), 'base64') : null);
}

function hmac(args: Args): Convert {
  const key = secret(args, 1);
  return (sample, ctx) => {
    const bytes = key(ctx);
    if (bytes === null) return false;
    const mac = createHmac(args.text(0), bytes).update(sample.bytes.subarray(sample.start, sample.end));
    return putBytes(sample, mac.digest());
  };
}

const KEY_PROBLEM =
  'failed to parse key : argument needs to be base64 encoded, and can either be a string or a variable';
const BITS: Extras['check'] = args => {
  return [128, 192, 256].includes(Number(args[0])) ? null : 'key size must be 128, 192 or 256 (bits).';
};

function aesExtras(name: string, rest: string): Extras {
  return {
    check: BITS!,
    good: [`${name}(128,txn.nonce,Zm9vb2Zvb29mb29wZm9vbw==${rest})`, `${name}(256,txn.nonce,txn.key${rest})`],
    bad: [
      [`${name}(3,AAAA,AAAA${rest})`, `invalid args in converter '${name}' : key size must be 128, 192 or 256 (bits).`],
    ],
  };
}

/** Ciphers throw on keys and nonces of a wrong length, and on data that does not fit: then there is no result. */
function attempt(sample: Sample, make: () => Uint8Array): boolean {
  try {
    return putBytes(sample, make());
  } catch {
    return false;
  }
}

function cbc(decrypt: boolean): (args: Args) => Convert {
  return args => {
    const nonce = secret(args, 1);
    const key = secret(args, 2);
    const name = `aes-${args.int(0)}-cbc` as const;
    return (sample, ctx) => {
      const iv = nonce(ctx);
      const bytes = key(ctx);
      if (iv === null || bytes === null) return false;
      return attempt(sample, () => {
        const cipher = decrypt ? createDecipheriv(name, bytes, iv) : createCipheriv(name, bytes, iv);
        return Buffer.concat([cipher.update(sample.bytes.subarray(sample.start, sample.end)), cipher.final()]);
      });
    };
  };
}

const GCM = { 128: 'aes-128-gcm', 192: 'aes-192-gcm', 256: 'aes-256-gcm' } as const;

function gcmDecrypt(args: Args): Convert {
  const secrets = [1, 2, 3].map(i => secret(args, i));
  const more = args.has(4) ? secret(args, 4) : null;
  const name = GCM[args.int(0) as 128];
  return (sample, ctx) => {
    const [iv, key, tag] = secrets.map(read => read(ctx));
    const aad = more === null ? null : more(ctx);
    if (!iv || !key || !tag || (more !== null && aad === null)) return false;
    return attempt(sample, () => {
      const cipher = createDecipheriv(name, key, iv).setAuthTag(tag);
      if (aad !== null) cipher.setAAD(aad);
      return Buffer.concat([cipher.update(sample.bytes.subarray(sample.start, sample.end)), cipher.final()]);
    });
  };
}

/** The tag goes into a variable, in base64. */
function gcmEncrypt(args: Args): Convert {
  const nonce = secret(args, 1);
  const secretKey = secret(args, 2);
  const more = args.has(4) ? secret(args, 4) : null;
  const variable = args.variable(3)!;
  const name = GCM[args.int(0) as 128];
  const tag = new Sample();
  return (sample, ctx) => {
    const iv = nonce(ctx);
    const key = secretKey(ctx);
    const aad = more === null ? null : more(ctx);
    if (iv === null || key === null || (more !== null && aad === null)) return false;
    return attempt(sample, () => {
      const cipher = createCipheriv(name, key, iv);
      if (aad !== null) cipher.setAAD(aad);
      const sealed = Buffer.concat([cipher.update(sample.bytes.subarray(sample.start, sample.end)), cipher.final()]);
      const text = Buffer.from(cipher.getAuthTag().toString('base64'), 'latin1');
      tag.setStr(text, 0, text.length);
      setVar(variable, ctx, tag);
      return sealed;
    });
  };
}

/** Whether the variable holds the same text; `constant`: in a time that tells nothing. */
function same(args: Args): Convert {
  const variable = args.variable(0)!;
  const value = new Sample();
  return (sample, ctx) => {
    if (!getVar(variable, ctx, value) || !cast(value, BIN)) return false;
    const a = sample.bytes.subarray(sample.start, sample.end);
    const b = value.bytes.subarray(value.start, value.end);
    return sample.setBool(a.length === b.length && timingSafeEqual(a, b));
  };
}

/** Below, equal, above: -1, 0, 1 as HAProxy's comparison of texts. */
function compare(args: Args): Convert {
  const variable = args.variable(0)!;
  const value = new Sample();
  return (sample, ctx) => {
    if (!getVar(variable, ctx, value) || !cast(value, STR)) return false;
    const a = sample.bytes.subarray(sample.start, sample.end);
    const b = value.bytes.subarray(value.start, value.end);
    const shorter = Math.min(a.length, b.length);
    for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return sample.setInt(a[i]! - b[i]!);
    return sample.setInt(a.length === b.length ? 0 : a.length < b.length ? -1 : 1);
  };
}

export const HASH_CONVERTERS: readonly ConverterRow[] = [
  hash32('crc32', 'CRC-32, as Ethernet and gzip.', plainHash('crc32')),
  hash32('crc32c', 'CRC-32C, as iSCSI and SCTP.', crc32c),
  hash32('djb2', "Bernstein's hash.", plainHash('djb2')),
  hash32('sdbm', "sdbm's hash.", plainHash('sdbm')),
  hash32('wt6', 'A hash that spreads well.', plainHash('wt6')),
  converter('xxh32', '[seed:int]', 'bin', 'sint', 'XXH32.', args => sample => {
    return sample.setInt(xxh32(sample.bytes, sample.start, sample.end, args.int(0)));
  }),
  converter('xxh64', '[seed:int]', 'bin', 'sint', 'XXH64, as a signed integer.', args => {
    const seed = BigInt(args.int(0));
    return sample => sample.setWide(xxh64(view(sample.bytes), sample.start, sample.end, seed));
  }),
  converter('xxh3', '[seed:int]', 'bin', 'sint', 'XXH3 of 64 bits, as a signed integer.', args => {
    const seed = BigInt(args.int(0));
    return sample => sample.setWide(xxh3(sample.bytes, sample.start, sample.end, seed));
  }),
  plainConverter('sha1', 'bin', 'bin', 'SHA-1.', digestOf('sha1')),
  converter(
    'sha2',
    '[bits:int]',
    'bin',
    'bin',
    'SHA-2 of 224, 256, 384 or 512 bits.',
    args => digestOf(`sha${args.int(0, 256)}`),
    {
      check: args =>
        args[0] == null || [224, 256, 384, 512].includes(Number(args[0]))
          ? null
          : `Unsupported number of bits: '${args[0]}'`,
      good: ['sha2', 'sha2(512)'],
      bad: [['sha2(3)', "invalid args in converter 'sha2' : Unsupported number of bits: '3'"]],
    },
  ),
  converter('digest', 'algorithm:str', 'bin', 'bin', 'A message digest of OpenSSL.', args => digestOf(args.text(0)), {
    check: args => unknownDigest(args[0]),
    good: ['digest(sha256)', 'digest(md5)'],
    bad: [
      ['digest(foo)', "invalid args in converter 'digest' : algorithm must be a valid OpenSSL message digest name."],
    ],
  }),
  converter('hmac', 'algorithm:str key:secret', 'bin', 'bin', 'A message authentication code.', hmac, {
    check: args => unknownDigest(args[0]),
    good: ['hmac(sha256,Zm9v)', 'hmac(sha256,txn.key)'],
    bad: [['hmac(sha1,%%%)', `invalid args in converter 'hmac' : ${KEY_PROBLEM}`]],
  }),
  converter(
    'aes_cbc_dec',
    'bits:int nonce:secret key:secret [aad:secret]',
    'bin',
    'bin',
    'AES-CBC, decrypted.',
    cbc(true),
    aesExtras('aes_cbc_dec', ''),
  ),
  converter(
    'aes_cbc_enc',
    'bits:int nonce:secret key:secret [aad:secret]',
    'bin',
    'bin',
    'AES-CBC, encrypted.',
    cbc(false),
    aesExtras('aes_cbc_enc', ''),
  ),
  converter(
    'aes_gcm_dec',
    'bits:int nonce:secret key:secret tag:secret [aad:secret]',
    'bin',
    'bin',
    'AES-GCM, decrypted.',
    gcmDecrypt,
    aesExtras('aes_gcm_dec', ',txn.tag'),
  ),
  converter(
    'aes_gcm_enc',
    'bits:int nonce:secret key:secret tag:target [aad:secret]',
    'bin',
    'bin',
    'AES-GCM, encrypted.',
    gcmEncrypt,
    aesExtras('aes_gcm_enc', ',txn.tag'),
  ),
  converter('secure_memcmp', 'var:var', 'bin', 'bool', 'The variable holds the same, compared in constant time.', same),
  converter('strcmp', 'var:var', 'str', 'sint', 'Compared with a variable: below 0, 0, above 0.', compare),
];
