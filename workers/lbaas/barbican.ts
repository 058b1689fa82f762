/**
 * TLS containers of a Barbican: what a reference names is asked for with the caller's token when a request names it, and kept as
 * a PEM file, so that processes and controllers that start again need no token.
 *
 *     GET <url>/v1/containers/<id>       the references of its secrets: certificate, private_key, intermediates, ...
 *     GET <url>/v1/secrets/<id>          what kind of content it has
 *     GET <url>/v1/secrets/<id>/payload  PEM, or a PKCS #12 bundle without password
 *
 * Whoever uses a container or secret is its consumer, so that who is about to delete it can see that:
 *
 *     POST, DELETE <url>/v1/containers/<id>/consumers  { name, URL }
 *     POST, DELETE <url>/v1/secrets/<id>/consumers     { service, resource_type, resource_id }, since version 1.1
 */
import { createHash, createPrivateKey } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { badRequest } from '../../engine/lbaas/errors.ts';
import { pemOfPkcs12 } from '../../engine/tls/pkcs12.ts';

/** For one answer; bytes that one may have. */
const ANSWER_MAX_MS = 5_000;
const ANSWER_BYTES_MAX = 512 * 1024;
/** Many listeners may have many containers. */
const AT_ONCE_MAX = 8;

/** Under which name load balancers are consumers. */
const SERVICE = 'sluice';
const CONSUMER_HEADERS = { 'content-type': 'application/json', 'openstack-api-version': 'key-manager 1.1' };
const NO_CONSUMERS: readonly number[] = [404, 405, 406];

export class Barbican {
  readonly #base: string;
  readonly #folder: string;

  /** @param url `http://controller:9311` @param folder of the kept files, made if it is not there */
  constructor(url: string, folder: string) {
    this.#base = `${url.replace(/\/(v1\/?)?$/, '')}/v1/`;
    this.#folder = folder;
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** Whether the reference names something of this Barbican: a token goes nowhere else. */
  has(reference: string): boolean {
    return (
      reference.startsWith(this.#base) && /^(containers|secrets)\/[\w-]+\/?$/.test(reference.slice(this.#base.length))
    );
  }

  /** The kept file of the reference; null = it was never fetched. */
  file(reference: string): string | null {
    const file = this.#path(reference);
    return fs.existsSync(file) ? file : null;
  }

  /** Fetches and keeps what they name. @throws Refusal naming the first that cannot be had */
  async fetch(references: readonly string[], token: string): Promise<void> {
    const rest = [...new Set(references)];
    const next = async () => {
      for (let reference = rest.pop(); reference !== undefined; reference = rest.pop()) {
        try {
          this.#keep(reference, await this.#pem(reference, token));
        } catch (error) {
          throw badRequest(`Could not retrieve certificate: ['${reference}'] (${said(error)})`);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE_MAX }, next));
  }

  /** Makes the load balancer a consumer of what the reference names. Rejects when Barbican does not want it. */
  register(reference: string, loadBalancer: string, token: string): Promise<void> {
    return this.#consume('POST', reference, loadBalancer, token);
  }

  /** It is no consumer any more. */
  unregister(reference: string, loadBalancer: string, token: string): Promise<void> {
    return this.#consume('DELETE', reference, loadBalancer, token);
  }

  async #consume(method: 'DELETE' | 'POST', reference: string, loadBalancer: string, token: string): Promise<void> {
    const plain = reference.replace(/\/$/, '');
    const isSecret = plain.startsWith(`${this.#base}secrets/`);
    const body = isSecret
      ? { service: SERVICE, resource_type: 'loadbalancers', resource_id: loadBalancer }
      : { name: SERVICE, URL: `lbaas://${SERVICE}/loadbalancers/${loadBalancer}` };
    try {
      await this.#ask(`${plain}/consumers`, token, { method, body: JSON.stringify(body), headers: CONSUMER_HEADERS });
    } catch (error) {
      // An older one knows consumers of containers only.
      if (!(isSecret && error instanceof Answered && NO_CONSUMERS.includes(error.status))) throw error;
    }
  }

  async #pem(reference: string, token: string): Promise<string> {
    const plain = reference.replace(/\/$/, '');
    if (!plain.startsWith(`${this.#base}containers/`)) return this.#secret(plain, token);
    const { secret_refs } = (await this.#json(plain, token)) as { secret_refs?: readonly SecretRef[] };
    const secret = (name: string) => {
      const found = secret_refs?.find(one => one.name === name)?.secret_ref;
      if (found === undefined) return null;
      if (!this.has(found)) throw new Error(`its ${name} is of another Barbican`);
      return this.#secret(found, token);
    };
    const [certificate, issuers, key, phrase] = await Promise.all(
      ['certificate', 'intermediates', 'private_key', 'private_key_passphrase'].map(secret),
    );
    if (certificate == null) throw new Error('it has no certificate');
    return [certificate, issuers, key == null ? null : openKey(key, phrase ?? null)]
      .filter(Boolean)
      .map(ended)
      .join('');
  }

  /** A payload as PEM; a pass phrase as it is. */
  async #secret(reference: string, token: string): Promise<string> {
    const told = (await this.#json(reference, token)) as { content_types?: { default?: string } };
    const type = told.content_types?.default ?? 'application/octet-stream';
    const payload = await this.#ask(`${reference}/payload`, token, { headers: { accept: type } });
    const text = payload.toString('utf8');
    return type.startsWith('text/') || text.includes('-----BEGIN ') ? text : pemOfPkcs12(payload, '');
  }

  async #json(url: string, token: string): Promise<Record<string, unknown>> {
    const text = await this.#ask(url, token, { headers: { accept: 'application/json' } });
    const answer = JSON.parse(text.toString('utf8')) as unknown;
    if (typeof answer !== 'object' || answer === null) throw new Error('Barbican answered no object');
    return answer as Record<string, unknown>;
  }

  async #ask(url: string, token: string, asked: RequestInit): Promise<Buffer> {
    const response = await fetch(url, {
      ...asked,
      headers: { ...(asked.headers as Record<string, string>), 'x-auth-token': token },
      redirect: 'error',
      signal: AbortSignal.timeout(ANSWER_MAX_MS),
    });
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of response.body ?? []) {
      bytes += chunk.length;
      if (bytes > ANSWER_BYTES_MAX) throw new Error('Barbican answered too much');
      chunks.push(chunk);
    }
    if (!response.ok) throw new Answered(response.status);
    return Buffer.concat(chunks);
  }

  #keep(reference: string, pem: string): void {
    if (!pem.includes('-----BEGIN ')) throw new Error('it is no PEM');
    const file = this.#path(reference);
    fs.writeFileSync(`${file}.new`, pem, { mode: 0o600 });
    fs.renameSync(`${file}.new`, file);
  }

  /** A file name of our own making: nothing of the reference is in the path. */
  #path(reference: string): string {
    const hash = createHash('sha256').update(reference.replace(/\/$/, '')).digest('hex');
    return path.join(this.#folder, `${hash}.pem`);
  }
}

/** An answer that is no success. */
class Answered extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`Barbican answered ${status}`);
    this.status = status;
  }
}

interface SecretRef {
  readonly name: string;
  readonly secret_ref: string;
}

/** The key without its pass phrase: the process has nobody to ask. */
function openKey(key: string, passphrase: string | null): string {
  if (passphrase === null) return key;
  return String(createPrivateKey({ key, passphrase }).export({ format: 'pem', type: 'pkcs8' }));
}

const ended = (pem: string | null) => (pem!.endsWith('\n') ? pem! : `${pem}\n`);

function said(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
