/** Which certificate a client is shown, by the name it asks for and by what it can check. */
import { beforeAll, describe, expect, test } from 'vitest';
import { DEFAULT_BIND_SETTINGS } from '../../engine/config/tls-draft.ts';
import type { BindCertificate, BindTls, Certificate, GlobalTls } from '../../engine/config/tls-model.ts';
import { alive } from '../../engine/tls/handle.ts';
import type { Hello } from '../../engine/tls/hello.ts';
import { TlsListener } from '../../engine/tls/listener.ts';
import { TlsStore } from '../../engine/tls/store.ts';
import { certificate } from './certificates.ts';
import { NO_FILES } from './ends.ts';

const GLOBAL: GlobalTls = {
  ...{
    maxConn: 0,
    maxRate: 0,
    cacheSize: 0,
    lifetimeSeconds: 300,
    maxRecordBytes: 0,
    keyUpdatesMax: 0,
    dhParams: null,
    dhBits: 0,
    captureBytes: 0,
    ocspMinSeconds: 300,
    ocspMaxSeconds: 3600,
    ocspProxy: null,
    crtBase: null,
    caBase: null,
    serverLines: [],
    privateCache: false,
    madeMax: 2,
  },
};

let all: Record<'first' | 'site' | 'wild' | 'rsa' | 'ec', Certificate>;

beforeAll(() => {
  all = {
    first: certificate({ name: 'first.org' }),
    site: certificate({ name: 'www.example.com', names: ['www.example.com'] }),
    wild: certificate({ name: '*.example.com', names: ['*.example.com', 'example.com'] }),
    rsa: certificate({ name: 'both.org', key: 'rsa' }),
    ec: certificate({ name: 'both.org', key: 'ec' }),
  };
});

function listener(
  entries: (Partial<BindCertificate> & { of: Certificate })[],
  more: Partial<BindTls> = {},
): TlsListener {
  const store = new TlsStore({ ...NO_FILES, certificates: Object.values(all) });
  const certificates = entries.map(({ of, ...entry }) => {
    return { certificate: of.name, filters: [], settings: null, isDefault: false, from: null, ...entry };
  });
  const bind = {
    ...DEFAULT_BIND_SETTINGS,
    file: '',
    line: 0,
    strictSni: false,
    certificates,
    lists: [],
    ticketKeys: null,
    signer: null,
    ...more,
  };
  return new TlsListener(store, bind, GLOBAL, 'test');
}

function shown(tls: TlsListener, serverName: string, hello: Partial<Hello> = {}): string | undefined {
  return tls.choose({ serverName, ecdsa: true, rsa: true, lists: null, ...hello })?.certificate?.name;
}

describe('the certificate that is shown', () => {
  test('is that of the name, exact before wildcard, else the first', () => {
    const tls = listener([{ of: all.first }, { of: all.wild }, { of: all.site }]);
    expect(shown(tls, 'www.example.com')).toBe(all.site.name);
    expect(shown(tls, 'WWW.Example.COM')).toBe(all.site.name);
    expect(shown(tls, 'a.example.com')).toBe(all.wild.name);
    expect(shown(tls, 'example.com')).toBe(all.wild.name);
    expect(shown(tls, 'a.b.example.com')).toBe(all.first.name);
    expect(shown(tls, '')).toBe(all.first.name);
    tls.free();
  });

  test('is none with strict-sni', () => {
    const tls = listener([{ of: all.first }], { strictSni: true });
    expect(shown(tls, 'first.org')).toBe(all.first.name);
    expect(shown(tls, 'other.org')).toBeUndefined();
    expect(shown(tls, '')).toBeUndefined();
    tls.free();
  });

  test('is of the kind that the client can check', () => {
    const tls = listener([{ of: all.rsa }, { of: all.ec }]);
    expect(shown(tls, 'both.org')).toBe(all.ec.name);
    expect(shown(tls, 'both.org', { ecdsa: false })).toBe(all.rsa.name);
    tls.free();
  });

  test('is chosen by the filters of a crt-list, those with ! excepted', () => {
    const wild = { of: all.wild, filters: ['*.example.com', '!secret.example.com'] };
    const tls = listener([{ of: all.first }, wild, { of: all.site, filters: ['other.org'] }]);
    expect(shown(tls, 'a.example.com')).toBe(all.wild.name);
    expect(shown(tls, 'secret.example.com')).toBe(all.first.name);
    expect(shown(tls, 'other.org')).toBe(all.site.name);
    expect(shown(tls, 'www.example.com')).toBe(all.wild.name);
    tls.free();
  });

  test('is excepted from the wildcards of its own line only', () => {
    const wild = { of: all.wild, filters: ['*.example.com', '!secret.example.com'] };
    const tls = listener([{ of: all.first }, wild, { of: all.site, filters: ['*.example.com'] }]);
    expect(shown(tls, 'a.example.com')).toBe(all.wild.name);
    expect(shown(tls, 'secret.example.com')).toBe(all.site.name);
    tls.free();
  });

  test('is the first for unknown names, or another default one that the client likes better', () => {
    const tls = listener([{ of: all.first }, { of: all.site, isDefault: true }, { of: all.rsa, isDefault: true }]);
    expect(shown(tls, 'nobody.org')).toBe(all.first.name);
    expect(shown(tls, 'nobody.org', { ecdsa: false })).toBe(all.rsa.name);
    tls.free();
  });
});

test('a certificate that is replaced is shown from then on', () => {
  const store = new TlsStore({ ...NO_FILES, certificates: [all.first] });
  const entry = { certificate: all.first.name, filters: [], settings: null, isDefault: false, from: null };
  const bind = {
    ...DEFAULT_BIND_SETTINGS,
    file: '',
    line: 0,
    strictSni: true,
    certificates: [entry],
    lists: [],
    ticketKeys: null,
    signer: null,
  };
  const tls = new TlsListener(store, bind, GLOBAL, 'test');
  expect(shown(tls, 'first.org')).toBe(all.first.name);
  store.replaceCertificate({ ...all.site, name: all.first.name });
  expect(shown(tls, 'first.org')).toBeUndefined();
  expect(shown(tls, 'www.example.com')).toBe(all.first.name);
  tls.free();
});

test('contexts of certificates that stay are kept, until authorities are replaced', () => {
  const store = new TlsStore({ ...NO_FILES, certificates: [all.first, all.site] });
  const entries = [all.first, all.site].map(({ name }) => {
    return { certificate: name, filters: [], settings: null, isDefault: false, from: null };
  });
  const rest = { file: '', line: 0, strictSni: false, lists: [], ticketKeys: null, signer: null };
  const tls = new TlsListener(store, { ...DEFAULT_BIND_SETTINGS, ...rest, certificates: entries }, GLOBAL, 'test');
  const context = (serverName: string) => tls.choose({ serverName, ecdsa: true, rsa: true, lists: null });
  const [first, site] = [context('first.org'), context('www.example.com')];
  store.replaceCertificate({ ...all.first });
  expect(context('www.example.com')).toBe(site);
  expect(context('first.org')).not.toBe(first);
  store.replaceAuthorities({ name: 'ca', entries: [] });
  expect(context('www.example.com')).not.toBe(site);
  const before = alive.context;
  tls.free();
  expect(alive.context).toBe(before - 1);
});
