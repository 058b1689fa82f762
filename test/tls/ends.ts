/** The two ends of TLS connections of tests. */
import { DEFAULT_BIND_SETTINGS, DEFAULT_SETTINGS } from '../../engine/config/tls-draft.ts';
import type { TlsFiles } from '../../engine/config/tls-model.ts';
import { clientContext, type ServerSide, serverContext, type TlsContext } from '../../engine/tls/context.ts';
import type { TlsEnd } from '../../engine/tls/end.ts';
import { TlsStore } from '../../engine/tls/store.ts';
import { singleKey } from '../../engine/tls/tickets.ts';
import { certificate } from './certificates.ts';

export const SIDE: ServerSide = {
  identity: 'test',
  tickets: singleKey(new Uint8Array(80).fill(7)),
  dhParams: null,
  dhBits: 0,
  sessions: null,
  lifetimeSeconds: 300,
  maxRecordBytes: 0,
  keyUpdatesMax: 0,
};

export const NO_FILES: TlsFiles = {
  certificates: [],
  authorities: [],
  revocations: [],
  ticketKeys: [],
  lists: [],
  ticketKey: new Uint8Array(80).fill(7),
  keylog: false,
  sessions: null,
};

export const STORE = new TlsStore(NO_FILES);

let server: TlsContext | null = null;
let client: TlsContext | null = null;

export const TLS_SERVER: TlsEnd = {
  client: false,
  context: () => {
    server ??= serverContext(
      STORE,
      DEFAULT_BIND_SETTINGS,
      SIDE,
      certificate({ name: 'localhost', names: ['localhost'] }),
    );
    return server;
  },
};

export const TLS_CLIENT: TlsEnd = {
  client: true,
  context: () => {
    const end = {
      certificate: null,
      verifyHost: null,
      sni: null,
      sniName: null,
      reuse: false,
      early: false,
      sniIsHost: false,
      renegotiate: true,
      file: '',
      line: 0,
    };
    client ??= clientContext(STORE, { ...DEFAULT_SETTINGS, ...end });
    return client;
  },
};
