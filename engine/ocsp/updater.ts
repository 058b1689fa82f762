/**
 * OCSP responses that are kept fresh (`ocsp-update`): the control thread asks the issuers of certificates, one after the
 * other, and puts what is good into the log of changes, so that all threads staple it.
 *
 *   due ──► asked ──► checked: of this certificate, signed, in its time ──► in force; due again before it ends
 *                └──► failed: due again later, and later each time
 */
import type { Certificate, GlobalTls } from '../config/tls-model.ts';
import { Timer, wallMs } from '../time.ts';
import type { TlsChanges } from '../tls/changes.ts';
import { isSigned, readResponse } from '../tls/ocsp.ts';
import { type AskEnv, ask } from './ask.ts';
import { ocspIdOf } from './id.ts';
import { ocspRequest, responderOf } from './request.ts';

/** What came of an update, by HAProxy's number (manual 9.3, show ssl ocsp-updates). */
export const STATUS_TEXTS = [
  'Unknown',
  'Update successful',
  'HTTP error',
  'Missing "ocsp-response" header',
  'OCSP response check failure',
  'Error during insertion',
] as const;
const [UNKNOWN, SUCCESSFUL, HTTP_ERROR, NO_HEADER, BAD_RESPONSE, NOT_INSERTED] = [0, 1, 2, 3, 4, 5];

/** A response is asked for this long before it ends. Milliseconds. */
const MARGIN_MS = 60_000;
/** How long a look for certificates that were replaced waits at most. Milliseconds. */
const LOOK_MS = 10_000;

/** A response that is kept fresh; times are milliseconds since the epoch. */
interface OcspEntry {
  /** Its CertID, in hexadecimal. */
  readonly id: string;
  /** The first certificate that has it. */
  readonly path: string;
  nextAt: number;
  /** The last update that was good; 0 = none was. */
  lastAt: number;
  successes: number;
  failures: number;
  /** Failures since the last success. */
  inRow: number;
  status: number;
}

interface UpdaterEnv extends AskEnv {
  readonly tls: TlsChanges;
  readonly settings: GlobalTls;
  /** A line for the logs of the process. */
  note(text: string): void;
}

/** `response`: DER; null = the update failed. */
type Updated = (status: number, response: Uint8Array | null) => void;

export class OcspUpdater {
  readonly #env: UpdaterEnv;
  readonly #entries = new Map<string, OcspEntry>();
  readonly #timer: Timer<OcspUpdater>;
  #generation = -1;
  #asking = false;
  readonly #pending = new Set<{ giveUp(): void }>();

  constructor(env: UpdaterEnv) {
    this.#env = env;
    this.#timer = new Timer<OcspUpdater>(this, updater => updater.#turn());
    // Nobody gets the setting at run time.
    if (env.tls.store.all.certificates.some(({ ocspUpdate }) => ocspUpdate)) this.#turn();
  }

  /** Those to come next first. */
  get entries(): OcspEntry[] {
    this.#look();
    return [...this.#entries.values()].sort((a, b) => a.nextAt - b.nextAt);
  }

  /** Asks now; `done` is told what came of it. A text = it cannot be asked. */
  update(certificate: Certificate, done: Updated): string | (() => void) {
    const id = ocspIdOf(certificate);
    const url = responderOf(certificate.leaf);
    if (id === null) return 'its issuer is not known';
    if (url === null) return 'it names no OCSP responder (HTTP)';
    const { settings } = this.#env;
    const pending = { giveUp: () => {} };
    this.#pending.add(pending);
    pending.giveUp = ask(this.#env, url, settings.ocspProxy, ocspRequest(id.key), answer => {
      this.#pending.delete(pending);
      const found = answer === null || answer.code !== 200 ? HTTP_ERROR : this.#take(certificate, id.key, answer);
      const failed = typeof found === 'number';
      const status = failed ? found : SUCCESSFUL!;
      const response = failed ? null : found;
      this.#count(certificate.name, id.key, status, response);
      done(status, response);
    });
    return pending.giveUp;
  }

  stop(): void {
    this.#env.wheel.forget(this.#timer);
    for (const pending of this.#pending) pending.giveUp();
    this.#pending.clear();
  }

  /** The response, now in force; or what is wrong with it. */
  #take(
    certificate: Certificate,
    id: string,
    answer: { headers(): readonly (readonly [string, string])[]; body(): string },
  ): Uint8Array | number {
    const type = answer.headers().find(([name]) => name === 'content-type')?.[1] ?? '';
    if (!type.startsWith('application/ocsp-response')) return NO_HEADER!;
    const response = readResponse(new Uint8Array(Buffer.from(answer.body(), 'latin1')));
    if ('problem' in response || response.id !== id) return BAD_RESPONSE!;
    const { chain, issuer } = certificate;
    if (!isSigned(response.der, issuer === null ? chain : [issuer, ...chain])) return BAD_RESPONSE!;
    const { tls } = this.#env;
    const same = tls.store.all.certificates.filter(other => ocspIdOf(other)?.key === id);
    const put = same.every(other => tls.putCertificate({ ...other, ocsp: response.der }));
    return put ? response.der : NOT_INSERTED!;
  }

  #count(path: string, id: string, status: number, response: Uint8Array | null): void {
    const entry = this.#entries.get(id) ?? newEntry(id, path, 0);
    const good = status === SUCCESSFUL;
    entry.status = status;
    entry.inRow = good ? 0 : entry.inRow + 1;
    if (good) {
      entry.successes++;
      entry.lastAt = wallMs();
    } else entry.failures++;
    entry.nextAt = wallMs() + (response === null ? this.#untilRetry(entry.inRow) : this.#untilNext(response));
    this.#env.note(`<OCSP-UPDATE> ${path} ${status} "${STATUS_TEXTS[status]}" ${entry.failures} ${entry.successes}`);
  }

  /** Before the response ends, within the bounds of `ocsp-update.mindelay` and `maxdelay`. */
  #untilNext(ocsp: Uint8Array): number {
    const response = readResponse(ocsp);
    const left = 'problem' in response ? 0 : response.nextUpdateMs - MARGIN_MS - wallMs();
    const { ocspMinSeconds, ocspMaxSeconds } = this.#env.settings;
    return Math.max(ocspMinSeconds * 1000, Math.min(left, ocspMaxSeconds * 1000));
  }

  #untilRetry(inRow: number): number {
    const { ocspMinSeconds, ocspMaxSeconds } = this.#env.settings;
    return Math.min(ocspMinSeconds * 2 ** Math.min(inRow - 1, 20), Math.max(ocspMaxSeconds, ocspMinSeconds)) * 1000;
  }

  /** Which responses there are to keep: certificates may have been replaced. */
  #look(): void {
    const { store } = this.#env.tls;
    if (this.#generation === store.generation) return;
    this.#generation = store.generation;
    const wanted = new Set<string>();
    for (const certificate of store.all.certificates) {
      const id = certificate.ocspUpdate && responderOf(certificate.leaf) !== null ? ocspIdOf(certificate) : null;
      if (id === null) continue;
      wanted.add(id.key);
      if (this.#entries.has(id.key)) continue;
      const wait = certificate.ocsp === null ? 0 : this.#untilNext(certificate.ocsp);
      this.#entries.set(id.key, newEntry(id.key, certificate.name, wallMs() + wait));
    }
    for (const id of this.#entries.keys()) if (!wanted.has(id)) this.#entries.delete(id);
  }

  #turn(): void {
    const [next] = this.entries;
    const certificate = next === undefined ? null : this.#env.tls.store.find(next.path);
    const due = next !== undefined && next.nextAt <= wallMs();
    if (due && certificate !== null && !this.#asking) {
      this.#asking = true;
      const asked = this.update(certificate, () => {
        this.#asking = false;
        this.#turn();
      });
      if (typeof asked !== 'string') return;
      this.#asking = false;
      next.nextAt = wallMs() + this.#untilRetry(1);
    }
    const { io, wheel } = this.#env;
    const wait = next === undefined ? LOOK_MS : Math.max(next.nextAt - wallMs(), 0);
    wheel.arm(this.#timer, io.now() + Math.min(wait, LOOK_MS));
  }
}

function newEntry(id: string, path: string, nextAt: number): OcspEntry {
  return { id, path, nextAt, lastAt: 0, successes: 0, failures: 0, inRow: 0, status: UNKNOWN! };
}
