/** TLS settings while a configuration is read: null = not said, so that what the global section says can take its place. */
import type { BindSettings, TlsSettings } from './tls-model.ts';

/** As HAProxy without any keyword: TLS 1.2 at least, and Mozilla's intermediate ciphers (engine/tls/context.ts). */
export const DEFAULT_SETTINGS: TlsSettings = {
  minVersion: 'TLSv1.2',
  maxVersion: 'TLSv1.3',
  ciphers: null,
  ciphersuites: null,
  curves: null,
  sigalgs: null,
  clientSigalgs: null,
  verify: 'none',
  caFile: null,
  crlFile: null,
  alpn: [],
  tickets: true,
};

export const DEFAULT_BIND_SETTINGS: BindSettings = {
  ...DEFAULT_SETTINGS,
  caVerifyFile: null,
  caNames: true,
  caIgnore: [],
  crtIgnore: [],
  preferClientCiphers: false,
};
