/** Responses that are stapled: `show`, `set ssl ocsp-response`. They are those of certificates, known by their CertIDs. */
import type { Certificate } from '../config/tls-model.ts';
import { zonedDateText } from '../log/dates.ts';
import { type OcspId, ocspIdOf } from '../ocsp/id.ts';
import { STATUS_TEXTS } from '../ocsp/updater.ts';
import { readResponse } from '../tls/ocsp.ts';
import type { Call, CliEnv, Command, Reply } from './command.ts';
import { err, info, type Message } from './severity.ts';
import { responseLines } from './ssl-text.ts';
import { NO_ROOM } from './ssl-transaction.ts';

interface Stapled {
  readonly certificate: Certificate;
  readonly ocsp: Uint8Array;
  readonly id: OcspId;
}

/** Certificates that have a response. */
function stapled({ tls }: CliEnv): Stapled[] {
  return tls.store.all.certificates.flatMap(certificate => {
    const { ocsp } = certificate;
    const id = ocsp === null ? null : ocspIdOf(certificate);
    return ocsp === null || id === null ? [] : [{ certificate, ocsp, id }];
  });
}

const UNKNOWN = 'Certificate ID does not match any certificate.';

function show({ env, args }: Call): string | Message {
  const all = stapled(env);
  if (args.length === 0) return ['# Certificate IDs', ...all.flatMap(entryLines)].join('\n');
  const format = args.length > 1 && (args[0] === 'text' || args[0] === 'base64') ? args[0] : null;
  const wanted = format === null ? args[0]! : args[1]!;
  const found = all.find(({ certificate, id }) => id.key === wanted || certificate.name === wanted);
  if (found === undefined) return err(UNKNOWN);
  return format === 'base64' ? Buffer.from(found.ocsp).toString('base64') : responseLines(found.ocsp);
}

function entryLines({ certificate, id }: Stapled, index: number, all: readonly Stapled[]): string[] {
  // One response may be that of several files.
  if (all.findIndex(other => other.id.key === id.key) < index) return [];
  return [
    `Certificate ID key : ${id.key}`,
    `Certificate path : ${certificate.name}`,
    ' Certificate ID:',
    `   Issuer Name Hash: ${id.nameHash}`,
    `   Issuer Key Hash: ${id.keyHash}`,
    `   Serial Number: ${id.serial}`,
  ];
}

const BASE64 =
  /^(?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$|^[A-Za-z0-9+/]{2}==$|^[A-Za-z0-9+/]{3}=$/;

function set({ env, args, payload }: Call): string | Message {
  const text = (payload ?? args[0] ?? '').replace(/\s+/g, '');
  if (text === '') return "'set ssl ocsp-response' expects response in base64 encoding.";
  if (!BASE64.test(text)) return "'set ssl ocsp-response' received invalid base64 encoded response.";
  const response = readResponse(new Uint8Array(Buffer.from(text, 'base64')));
  if ('problem' in response) return `${response.problem}.`;
  const certificates = stapled(env).filter(({ id }) => id.key === response.id);
  if (certificates.length === 0) {
    return 'OCSP single response: Certificate ID does not match any certificate or issuer.';
  }
  const put = certificates.every(({ certificate }) => env.tls.putCertificate({ ...certificate, ocsp: response.der }));
  return put ? info('OCSP Response updated!') : NO_ROOM;
}

function showUpdates({ env }: Call): string {
  const title = ['OCSP Certid', 'Path', 'Next Update', 'Last Update', 'Successes', 'Failures'];
  const rows = env.ocsp.entries.map(({ id, path, nextAt, lastAt, successes, failures, status }) => {
    const last = lastAt === 0 ? '-' : zonedDateText(lastAt);
    return [id, path, zonedDateText(nextAt), last, successes, failures, status, STATUS_TEXTS[status]];
  });
  return [[...title, 'Last Update Status', 'Last Update Status (str)'], ...rows].map(row => row.join(' | ')).join('\n');
}

function update({ env, args: [name] }: Call): Reply {
  if (!name) return "'update ssl ocsp-response' expects a filename";
  const failed = (why: string): string => `${why}\nCan't send ocsp request for ${name}!`;
  const certificate = env.tls.store.find(name);
  if (certificate === null) {
    return failed("Unknown certificate! 'update ssl ocsp-response' expects an already known certificate file name.");
  }
  if (certificate.ocsp === null && !certificate.ocspUpdate) {
    return failed("'update ssl ocsp-response' only works on certificates that already have a known OCSP response.");
  }
  return done => {
    const asked = env.ocsp.update(certificate, (status, response) => {
      done(response === null ? `Failed to update: ${STATUS_TEXTS[status]}` : responseLines(response), null);
    });
    if (typeof asked !== 'string') return asked;
    done(failed(`The certificate cannot be updated: ${asked}.`), null);
    return () => {};
  };
}

export const SSL_OCSP_COMMANDS: readonly Command[] = [
  {
    words: 'show ssl ocsp-response',
    usage: '[<id|path>]',
    help: 'display the IDs of the OCSP responses used in memory, or the details of one',
    level: 'user',
    run: show,
  },
  {
    words: 'set ssl ocsp-response',
    usage: '<resp|payload>',
    help: "update a certificate's OCSP response from a base64-encoded DER",
    level: 'admin',
    run: set,
  },
  {
    words: 'show ssl ocsp-updates',
    usage: '',
    help: 'display information about the next OCSP responses that will be updated',
    level: 'user',
    run: showUpdates,
  },
  {
    words: 'update ssl ocsp-response',
    usage: '<certfile>',
    help: 'send an OCSP request and update the stored OCSP response',
    level: 'admin',
    run: update,
  },
];
