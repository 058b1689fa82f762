/** Certificates, and clients that look at them. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect } from 'vitest';
import { type Got, PORT } from './farm.ts';

/** A certificate for `name` and its key, in `<folder>/<name>.pem`. */
export function certificate(dir: string, name: string): string {
  const file = path.join(dir, `${name}.pem`);
  const words = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  const made = spawnSync('openssl', [...words, ...names, '-keyout', `${file}.key`, '-out', file]);
  expect(made.status, String(made.stderr)).toBe(0);
  fs.appendFileSync(file, fs.readFileSync(`${file}.key`));
  return file;
}

interface GotTls extends Got {
  /** Of the certificate. */
  readonly subject: string;
  readonly fingerprint: string;
}

export function getTls(address: string, servername: string, options: https.RequestOptions = {}): Promise<GotTls> {
  const { promise, resolve, reject } = Promise.withResolvers<GotTls>();
  const wanted = {
    host: address,
    port: PORT,
    servername,
    agent: false,
    rejectUnauthorized: false,
    timeout: 5_000,
    ...options,
  };
  const request = https.get(wanted as https.RequestOptions, response => {
    let body = '';
    const { subject, fingerprint } = (response.socket as TLSSocket).getPeerCertificate();
    response.on('data', chunk => {
      body += chunk;
    });
    const { statusCode, headers } = response;
    response.on('end', () => resolve({ status: statusCode!, body, headers, subject: String(subject.CN), fingerprint }));
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', reject);
  return promise;
}
