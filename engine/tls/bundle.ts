/**
 * PEM files: a certificate, its chain, its private key, and what stands beside the file (`.key`, `.ocsp`, `.issuer`,
 * `.sctl`). Read once, by the master; nothing here is native.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { Certificate, DerFile } from '../config/tls-model.ts';
import { NO_PASSPHRASE, type OpenKey } from './passphrases.ts';
import { readRevocationList } from './revocations.ts';

type ReadFile = (path: string) => Uint8Array | null;

/** What is wrong, in words that name the file. */
export interface Problem {
  readonly problem: string;
}

/** A block of a PEM file (RFC 7468), its label and its bytes. */
interface Block {
  readonly label: string;
  readonly der: Uint8Array;
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/g;
const ENCRYPTED = /Proc-Type: 4,ENCRYPTED/;

export function pemBlocks(bytes: Uint8Array): Block[] {
  const text = Buffer.from(bytes).toString('latin1');
  return [...text.matchAll(BLOCK)].map(([whole, label, body]) => {
    // Old key files have header lines, ended by an empty one.
    const base64 = body!.includes(':') ? body!.slice(body!.search(/\r?\n\r?\n/)) : body!;
    return { label: label!, der: new Uint8Array(Buffer.from(base64, 'base64')), text: whole };
  });
}

const CERTIFICATES: ReadonlySet<string> = new Set(['CERTIFICATE', 'X509 CERTIFICATE', 'TRUSTED CERTIFICATE']);

/** The certificate in the file `path` with its key, in the same file or in `<path>.key`. */
export function readBundle(path: string, readFile: ReadFile): Certificate | Problem {
  const bytes = readFile(path);
  if (bytes === null)
    return { problem: `unable to stat SSL certificate from file '${path}': No such file or directory` };
  return bundleOf(path, bytes, readFile);
}

/** The same of bytes that are known; `readFile` finds what stands beside it. `keyFile`, where there is one, goes before other keys; `open` is for those that are encrypted. */
export function bundleOf(
  name: string,
  bytes: Uint8Array,
  readFile: ReadFile,
  keyFile: Uint8Array | null = null,
  open: OpenKey = NO_PASSPHRASE,
): Certificate | Problem {
  const parts = readParts(name, bytes, open);
  if ('problem' in parts) return parts;
  const key = keyFile === null ? (parts.key ?? keyBeside(name, readFile, open)) : readKey(name, keyFile, open);
  if (key === null) return { problem: `No Private Key found in '${name}' or '${name}.key'` };
  if ('problem' in key) return key;
  const issuer = readFile(`${name}.issuer`);
  const sctl = readFile(`${name}.sctl`);
  if (sctl !== null && !isTimestampList(sctl)) return { problem: `'${name}.sctl' is no list of signed timestamps` };
  const beside = {
    ocsp: readFile(`${name}.ocsp`),
    issuer: issuer === null ? null : firstOf(issuer),
    sctl,
    ocspUpdate: false,
  };
  return joinParts(name, { ...parts, key, ...beside });
}

/** What a PEM file has of a certificate. */
export interface Parts {
  readonly leaf: Uint8Array;
  readonly chain: readonly Uint8Array[];
  readonly key: KeyObject | null;
  readonly dh: Uint8Array | null;
}

/** What else is known of a certificate. */
type Besides = Pick<Certificate, 'ocsp' | 'issuer' | 'sctl' | 'ocspUpdate'>;

/** Certificate and chain, and the key if it is there. */
export function readParts(name: string, bytes: Uint8Array, open: OpenKey = NO_PASSPHRASE): Parts | Problem {
  const blocks = pemBlocks(bytes);
  const certificates = blocks.filter(({ label }) => CERTIFICATES.has(label)).map(({ der }) => der);
  const [leaf, ...chain] = certificates;
  if (leaf === undefined) {
    return { problem: `unable to load certificate from file '${name}': no start line` };
  }
  const x509 = parsed(() => new X509Certificate(leaf));
  if ('problem' in x509) return { problem: `unable to load certificate from file '${name}': ${x509.problem}` };
  for (const der of chain) {
    const link = parsed(() => new X509Certificate(der));
    if ('problem' in link) return { problem: `unable to load certificate chain from file '${name}': ${link.problem}` };
  }
  const key = keyIn(name, blocks, open);
  return key !== null && 'problem' in key ? key : { leaf, chain, key, dh: dhOf(blocks) };
}

/** A SignedCertificateTimestampList (RFC 6962 3.3): its length in 2 bytes, then timestamps, each with its own. */
export function isTimestampList(bytes: Uint8Array): boolean {
  const list = Buffer.from(bytes);
  if (list.length < 4 || list.readUInt16BE(0) !== list.length - 2) return false;
  let at = 2;
  while (at + 2 < list.length) at += 2 + Math.max(list.readUInt16BE(at), 1);
  return at === list.length;
}

/** A certificate out of its parts, if they fit. */
export function joinParts(
  name: string,
  { leaf, chain, key, dh, ...beside }: Parts & Besides & { readonly key: KeyObject },
): Certificate | Problem {
  const x509 = new X509Certificate(leaf);
  if (!x509.checkPrivateKey(key)) {
    return { problem: `inconsistencies between private key and certificate loaded '${name}'` };
  }
  const pkcs8 = new Uint8Array(key.export({ type: 'pkcs8', format: 'der' }));
  const { ocsp, issuer, sctl, ocspUpdate } = beside;
  return {
    name,
    leaf,
    chain,
    key: pkcs8,
    keyType: keyType(key),
    names: namesOf(x509),
    dh,
    ocsp,
    issuer,
    sctl,
    ocspUpdate,
  };
}

/** The DER of the first block of a PEM file; null when there is none. */
export function firstOf(pem: Uint8Array): Uint8Array | null {
  return pemBlocks(pem)[0]?.der ?? null;
}

function parsed<T extends object>(read: () => T): T | Problem {
  try {
    return read();
  } catch (error) {
    return { problem: (error as { reason?: string }).reason ?? (error as Error).message };
  }
}

const isKey = ({ label }: Block): boolean => label.endsWith('PRIVATE KEY');

/** The private key of a PEM file; null when it has none. */
export function readKey(name: string, bytes: Uint8Array, open: OpenKey = NO_PASSPHRASE): KeyObject | Problem | null {
  return keyIn(name, pemBlocks(bytes), open);
}

function keyIn(name: string, blocks: readonly Block[], open: OpenKey): KeyObject | Problem | null {
  const block = blocks.find(isKey);
  if (block === undefined) return null;
  const encrypted = block.label.startsWith('ENCRYPTED') || ENCRYPTED.test(block.text);
  const key = encrypted ? open(name, block.text) : parsed(() => createPrivateKey(block.text));
  return 'problem' in key ? { problem: `unable to load private key from file '${name}': ${key.problem}` } : key;
}

function keyBeside(name: string, readFile: ReadFile, open: OpenKey): KeyObject | Problem | null {
  const bytes = readFile(`${name}.key`);
  return bytes === null ? null : readKey(name, bytes, open);
}

function keyType(key: KeyObject): Certificate['keyType'] {
  const type = key.asymmetricKeyType ?? '';
  if (type.startsWith('rsa')) return 'rsa';
  return type === 'ec' ? 'ecdsa' : 'other';
}

/** Alternative names first, then the common names; in lower case, each once. */
function namesOf(x509: X509Certificate): string[] {
  const names = [...(x509.subjectAltName ?? '').matchAll(/DNS:([^,"]+)/g)].map(([, name]) => name!.trim());
  const common = [...x509.subject.matchAll(/^CN=(.*)$/gm)].map(([, name]) => name!);
  return [...new Set([...names, ...common].map(name => name.toLowerCase()))];
}

function dhOf(blocks: readonly Block[]): Uint8Array | null {
  const block = blocks.find(({ label }) => label === 'DH PARAMETERS');
  return block === undefined ? null : new TextEncoder().encode(`${block.text}\n`);
}

/** The certificates of a `ca-file`. */
export function readAuthorities(name: string, bytes: Uint8Array): DerFile | Problem {
  return derFile(
    name,
    pemBlocks(bytes),
    label => CERTIFICATES.has(label),
    der => new X509Certificate(der),
  );
}

/** The lists of a `crl-file`. */
export function readRevocations(name: string, bytes: Uint8Array): DerFile | Problem {
  return derFile(name, pemBlocks(bytes), isList, listOf);
}

const isList = (label: string): boolean => label === 'X509 CRL';

function listOf(der: Uint8Array): object {
  const list = readRevocationList(der);
  if (list === null) throw new Error('it is not understood');
  return list;
}

/** A file with neither certificates nor revocation lists is none; what is not wanted of them is left out. */
function derFile(
  name: string,
  all: readonly Block[],
  wanted: (label: string) => boolean,
  check: (der: Uint8Array) => object,
): DerFile | Problem {
  if (!all.some(({ label }) => CERTIFICATES.has(label) || isList(label))) {
    return { problem: `unable to load '${name}': no certificate and no revocation list in it` };
  }
  const blocks = all.filter(({ label }) => wanted(label));
  for (const { der } of blocks) {
    const result = parsed(() => check(der));
    if ('problem' in result) return { problem: `unable to load '${name}': ${result.problem}` };
  }
  return { name, entries: blocks.map(({ der }) => der) };
}
