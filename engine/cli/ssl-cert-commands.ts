/** Certificates at run time: `show`, `dump`, `set`, `commit`, `abort`, `new`, `del ssl cert`. */
import { createPrivateKey } from 'node:crypto';
import type { BindSettings, BindTls, Certificate } from '../config/tls-model.ts';
import { ocspIdOf } from '../ocsp/id.ts';
import { firstOf, isTimestampList, joinParts, type Problem, readKey, readParts } from '../tls/bundle.ts';
import { clientContext, serverContext, type TlsContext, TlsProblem, tryCertificate } from '../tls/context.ts';
import { serverSide } from '../tls/listener.ts';
import { readResponse } from '../tls/ocsp.ts';
import type { Call, CliEnv, Command } from './command.ts';
import { data, err, type Message, notice } from './severity.ts';
import { certificateLines, responseLines } from './ssl-text.ts';
import { committed, type Desk, type Draft, desksOf, listing, NO_ROOM, readName } from './ssl-transaction.ts';
import { useCount, usesOf } from './ssl-uses.ts';

// --- show ---

const NOT_FOUND = "Can't display the certificate: Not found or the certificate is a bundle!";

function show({ env, args: [word] }: Call): string | Message {
  const { transaction, empty } = desksOf(env).certificates;
  if (word === undefined) {
    const names = [...env.tls.store.all.certificates.map(({ name }) => name), ...empty].sort();
    return listing(transaction?.name ?? null, names);
  }
  const { name, prepared } = readName(word);
  const stapled = word.endsWith('.ocsp') ? env.tls.store.find(word.slice(0, -'.ocsp'.length)) : null;
  if (stapled !== null && stapled.ocsp !== null) return responseLines(stapled.ocsp);
  const found = prepared ? transaction : (env.tls.store.find(name) ?? (empty.has(name) ? emptyDraft(name) : null));
  if (found === null || found.name !== name) return err(NOT_FOUND);
  const status = found.leaf === null ? 'Empty' : !prepared && useCount(usesOf(env, name)) > 0 ? 'Used' : 'Unused';
  const lines = found.leaf === null ? [] : certificateLines(found.leaf, found.chain);
  return [
    `Filename: ${word}`,
    `Status: ${status}`,
    ...lines,
    `OCSP Response Key: ${prepared ? '' : keyOf(found)}`,
  ].join('\n');
}

function keyOf({ leaf, chain, ocsp, issuer }: Pick<Draft, 'leaf' | 'chain' | 'ocsp' | 'issuer'>): string {
  return leaf === null || ocsp === null ? '' : (ocspIdOf({ leaf, chain, issuer })?.key ?? '');
}

// --- dump ---

const NOT_DUMPED = "Can't dump the certificate: Not found or the certificate is a bundle!";

/** The private key, the certificate and its chain: what the file would say now. */
function dump({ env, args: [word] }: Call): string | Message {
  if (word === undefined) return "'dump ssl cert' expects a certificate name";
  const { name, prepared } = readName(word);
  const known = env.tls.store.find(name);
  const found = prepared ? desksOf(env).certificates.transaction : known === null ? null : draftOf(known);
  if (found === null || found.name !== name || found.leaf === null || found.key === null) return NOT_DUMPED;
  const key = found.key.export({ type: 'pkcs8', format: 'pem' });
  return data([key, ...[found.leaf, ...found.chain].map(certificatePem)].join('').trimEnd());
}

function certificatePem(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `${['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----'].join('\n')}\n`;
}

// --- set ---

const SET_USAGE = "'set ssl cert expects a filename and a certificate as a payload";
const UNKNOWN = "Can't replace a certificate which is not referenced by the configuration!";

function emptyDraft(name: string): Draft {
  const beside = { ocsp: null, issuer: null, sctl: null, ocspUpdate: false };
  return { name, leaf: null, chain: [], key: null, dh: null, ...beside };
}

function draftOf({ key, ...certificate }: Certificate): Draft {
  const pkcs8 = { key: Buffer.from(key), format: 'der', type: 'pkcs8' } as const;
  return { ...certificate, key: createPrivateKey(pkcs8) };
}

type Part = (draft: Draft, payload: Buffer) => Draft | Problem;

/** What a payload stands for, by the end of the name. */
const PARTS: Readonly<Record<string, Part>> = {
  '': (draft, payload) => {
    const parts = readParts(draft.name, payload);
    // What stood beside the old certificate says nothing of the new one.
    return 'problem' in parts ? parts : { ...draft, ...parts, ocsp: null, issuer: null, sctl: null };
  },
  '.key': (draft, payload) => {
    const key = readKey(draft.name, payload) ?? { problem: `No Private Key found in '${draft.name}.key'` };
    return 'problem' in key ? key : { ...draft, key };
  },
  '.issuer': (draft, payload) => {
    const issuer = firstOf(payload);
    return issuer === null ? { problem: `unable to load '${draft.name}.issuer': no start line` } : { ...draft, issuer };
  },
  '.sctl': (draft, payload) => {
    const sctl = new Uint8Array(Buffer.from(payload.toString('latin1'), 'base64'));
    return isTimestampList(sctl) ? { ...draft, sctl } : { problem: `unable to load '${draft.name}.sctl'` };
  },
  '.ocsp': (draft, payload) => {
    const response = readResponse(new Uint8Array(Buffer.from(payload.toString('latin1'), 'base64')));
    return 'problem' in response ? response : { ...draft, ocsp: response.der };
  },
};

/** The certificate that a name means, and which part of it. */
function target(env: CliEnv, desk: Desk<Draft>, word: string): { draft: Draft; part: Part } | null {
  for (const [end, part] of Object.entries(PARTS)) {
    if (!word.endsWith(end)) continue;
    const name = word.slice(0, word.length - end.length);
    const known = env.tls.store.find(name);
    if (desk.transaction?.name === name) return { draft: desk.transaction, part };
    if (known !== null) return { draft: draftOf(known), part };
    if (desk.empty.has(name)) return { draft: emptyDraft(name), part };
  }
  return null;
}

function set({ env, args: [word], payload }: Call): string | Message {
  if (!word || payload === null) return SET_USAGE;
  const desk = desksOf(env).certificates;
  const failed = `Can't update ${word}!`;
  const found = target(env, desk, word);
  if (found === null) return `${UNKNOWN}\n${failed}`;
  const { name } = found.draft;
  const conflict = desk.conflict(name, 'set');
  if (conflict !== null) return `${conflict}\n${failed}`;
  const draft = found.part(found.draft, Buffer.from(payload));
  if ('problem' in draft) return `${draft.problem}.\nCan't load the payload\n${failed}`;
  return notice(`Transaction ${desk.prepare(draft) ? 'created' : 'updated'} for certificate ${name}!`);
}

// --- commit ---

function commit({ env, args: [name] }: Call): string | Message {
  if (!name) return "'commit ssl cert expects a filename";
  const desk = desksOf(env).certificates;
  const failed = `Can't commit ${name}!`;
  const draft = desk.transaction;
  if (draft === null) return `No ongoing transaction! !\n${failed}`;
  const conflict = desk.conflict(name, 'set');
  if (conflict !== null) return `${conflict}\n${failed}`;
  const { leaf, key } = draft;
  if (leaf === null || key === null) {
    return `The transaction must contain at least a certificate and a private key!\n${failed}`;
  }
  const certificate = joinParts(name, { ...draft, leaf, key });
  if ('problem' in certificate) return `${certificate.problem}.\n${failed}`;
  const problem = problemOf(env, certificate);
  if (problem !== null) return `unable to ${problem}.\n${failed}`;
  if (!env.tls.putCertificate(certificate)) return `${NO_ROOM}\n${failed}`;
  desk.transaction = null;
  desk.empty.delete(name);
  return committed(name, useCount(usesOf(env, name)));
}

/** What OpenSSL has against it in one of the places where it is used, in words that follow "unable to "; null = nothing. */
function problemOf(env: CliEnv, certificate: Certificate): string | null {
  const { shown, servers } = usesOf(env, certificate.name);
  for (const { tls, settings } of shown) {
    const problem = problemIn(env, tls, settings, certificate);
    if (problem !== null) return problem;
  }
  for (const tls of servers) {
    const problem = attempt(() => clientContext(env.tls.store, { ...tls, certificate: null }), certificate);
    if (problem !== null) return problem;
  }
  return null;
}

/** The same for one bind line and the settings there. */
export function problemIn(env: CliEnv, bind: BindTls, settings: BindSettings, certificate: Certificate): string | null {
  const { model, tls } = env;
  const side = serverSide(tls.store, bind, model.global.tls, '');
  return attempt(() => serverContext(tls.store, settings, side, null), certificate);
}

function attempt(make: () => TlsContext, certificate: Certificate): string | null {
  try {
    const context = make();
    try {
      tryCertificate(context, certificate);
    } finally {
      context.free();
    }
    return null;
  } catch (error) {
    if (error instanceof TlsProblem) return error.message;
    throw error;
  }
}

// --- new, del ---

function create({ env, args: [name] }: Call): string | Message {
  if (!name) return "'new ssl cert' expects a filename";
  const { empty } = desksOf(env).certificates;
  if (env.tls.store.find(name) !== null || empty.has(name)) return `Certificate '${name}' already exists!`;
  if (empty.size >= EMPTY_MAX) return NO_ROOM;
  empty.add(name);
  return notice(`New empty certificate store '${name}'!`);
}

/** Names without content, at most. */
const EMPTY_MAX = 10_000;

function remove({ env, args: [name] }: Call): string | Message {
  if (!name) return "'del ssl cert' expects a certificate name";
  const { empty } = desksOf(env).certificates;
  const cannot = (why: string) => `Can't remove the certificate: certificate '${name}' ${why}!\n`;
  if (empty.delete(name)) return notice(`Certificate '${name}' deleted!`);
  if (env.tls.store.find(name) === null) return cannot("doesn't exist");
  if (useCount(usesOf(env, name)) > 0) return cannot("in use, can't be deleted");
  return env.tls.removeCertificate(name) ? `Certificate '${name}' deleted!` : NO_ROOM;
}

const FILE = '<certfile>';

export const SSL_CERT_COMMANDS: readonly Command[] = [
  {
    words: 'show ssl cert',
    usage: '[<certfile>]',
    help: 'display the SSL certificates used in memory, or the details of a file',
    level: 'user',
    run: show,
  },
  { words: 'dump ssl cert', usage: FILE, help: 'dump a certificate with its key as PEM', level: 'admin', run: dump },
  {
    words: 'set ssl cert',
    usage: '<certfile> <payload>',
    help: 'replace a certificate file',
    level: 'admin',
    run: set,
  },
  { words: 'commit ssl cert', usage: FILE, help: 'commit a certificate file', level: 'admin', run: commit },
  {
    words: 'abort ssl cert',
    usage: FILE,
    help: 'abort a transaction for a certificate file',
    level: 'admin',
    run: ({ env, args: [name] }) => desksOf(env).certificates.abort(name, 'cert', 'certificate'),
  },
  { words: 'new ssl cert', usage: FILE, help: 'create a new certificate file to be used', level: 'admin', run: create },
  { words: 'del ssl cert', usage: FILE, help: 'delete an unused certificate file', level: 'admin', run: remove },
];
