/** A small server that speaks as Barbican does: containers, secrets, and their consumers. */
import fs from 'node:fs';
import http from 'node:http';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';
import { folder } from '../workers/sluice.ts';
import { certificate } from './certificates.ts';

interface Secret {
  readonly type: 'application/octet-stream' | 'text/plain';
  readonly payload: Buffer | string;
}

/** Only who has the token gets anything. */
export class FakeBarbican {
  readonly secrets = new Map<string, Secret>();
  /** Names of secrets by what they are in the container. */
  readonly containers = new Map<string, Readonly<Record<string, string>>>();
  readonly asked: string[] = [];
  /** Consumers of `containers/<id>` or `secrets/<id>`, as JSON. */
  readonly consumers = new Map<string, ReadonlySet<string>>();
  /** An older one has none of secrets. */
  secretConsumers = true;
  url = '';

  async start(...tokens: readonly string[]): Promise<this> {
    const server = http.createServer(async (request, response) => {
      const { url = '', headers, method } = request;
      this.asked.push(url);
      const given = await text(request);
      const [code, type, body] = !tokens.includes(String(headers['x-auth-token']))
        ? ([401, 'text/plain', 'who?'] as const)
        : url.endsWith('/consumers')
          ? this.#consume(method!, url, given)
          : this.#answer(url, headers.accept ?? '');
      response.writeHead(code, { 'content-type': type }).end(body);
    });
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    this.url = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
    return this;
  }

  #consume(method: string, url: string, given: string): readonly [number, string, string] {
    const [, , kind = '', id = ''] = url.split('/');
    const there = kind === 'containers' ? this.containers.has(id) : this.secretConsumers && this.secrets.has(id);
    const names = kind === 'containers' ? ['name', 'URL'] : ['service', 'resource_type', 'resource_id'];
    const one = JSON.parse(given) as Record<string, string>;
    if (!there) return [404, 'text/plain', 'Not Found'];
    if (names.some(name => typeof one[name] !== 'string')) return [400, 'text/plain', 'Bad Request'];
    const before = this.consumers.get(`${kind}/${id}`) ?? new Set<string>();
    if (method === 'DELETE' && !before.has(given)) return [404, 'text/plain', 'Not Found'];
    const now = [...before].filter(other => other !== given);
    this.consumers.set(`${kind}/${id}`, new Set(method === 'POST' ? [...now, given] : now));
    return [200, 'application/json', '{}'];
  }

  /** Load balancers that are consumers of `containers/<id>` or `secrets/<id>`. */
  consumersOf(what: string): string[] {
    const ids = [...(this.consumers.get(what) ?? [])].map(text => {
      const { URL, resource_id } = JSON.parse(text) as Record<string, string>;
      return resource_id ?? URL!.split('/').at(-1)!;
    });
    return ids.sort();
  }

  #answer(url: string, accept: string): [number, string, Buffer | string] {
    const [, version, kind, id = '', payload] = url.split('/');
    const json = (body: object): [number, string, string] => [200, 'application/json', JSON.stringify(body)];
    const container = this.containers.get(id);
    if (version === 'v1' && kind === 'containers' && container !== undefined) {
      const refs = Object.entries(container).map(([name, secret]) => ({ name, secret_ref: this.secret(secret) }));
      return json({ type: 'certificate', name: id, secret_refs: refs });
    }
    const secret = this.secrets.get(id);
    if (version !== 'v1' || kind !== 'secrets' || secret === undefined) return [404, 'text/plain', 'Not Found'];
    if (payload !== 'payload') return json({ name: id, content_types: { default: secret.type } });
    return accept === secret.type ? [200, secret.type, secret.payload] : [406, 'text/plain', 'Not Acceptable'];
  }

  secret = (id: string) => `${this.url}/v1/secrets/${id}`;
  container = (id: string) => `${this.url}/v1/containers/${id}`;

  /** A certificate of that name in a container of two secrets. */
  put(id: string, name: string): void {
    const [cert, key] = fs.readFileSync(certificate(folder(), name), 'utf8').split(/(?=-----BEGIN PRIVATE)/);
    this.secrets.set(`${id}-cert`, { type: 'text/plain', payload: cert! });
    this.secrets.set(`${id}-key`, { type: 'text/plain', payload: key! });
    this.containers.set(id, { certificate: `${id}-cert`, private_key: `${id}-key` });
  }
}
