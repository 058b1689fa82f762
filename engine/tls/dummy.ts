/** `generate-dummy`: a key and the certificate that it signs for itself, in place of files that nobody has yet. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import type { Dummy } from '../config/tls-draft.ts';
import type { Certificate } from '../config/tls-model.ts';
import { joinParts, type Problem } from './bundle.ts';
import { selfSigned } from './forge.ts';

/** Nobody is to take it for the certificate of a name. */
const NAME = 'dummy';
const BITS = 2048;
const CURVE = 'P-384';

export function dummyOf(name: string, dummy: Dummy): Certificate | Problem {
  const key = keyFor(dummy);
  if ('problem' in key) return key;
  const parts = { leaf: selfSigned(NAME, key), chain: [], key, dh: null };
  return joinParts(name, { ...parts, ocsp: null, issuer: null, sctl: null, ocspUpdate: false });
}

function keyFor({ keyType, bits, curves }: Dummy): KeyObject | Problem {
  if (keyType !== 'ECDSA') return generateKeyPairSync('rsa', { modulusLength: bits ?? BITS }).privateKey;
  try {
    return generateKeyPairSync('ec', { namedCurve: curves ?? CURVE }).privateKey;
  } catch {
    return { problem: `'curves': there is no curve '${curves}'` };
  }
}
