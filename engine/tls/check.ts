/** What only OpenSSL can say of TLS settings: tried once, when the configuration is read. */
import type { Diagnostics } from '../config/diagnostics.ts';
import type { Bind, Model, Place } from '../config/model.ts';
import type { BindTls, GlobalTls, ServerTls } from '../config/tls-model.ts';
import { clientContext, serverContext, TlsProblem, tryCertificate } from './context.ts';
import { serverSide } from './listener.ts';
import { TlsStore } from './store.ts';

/** Reports settings that no context can be made of. */
export function checkTls(model: Model, diagnostics: Diagnostics): void {
  const { proxies, peers, rings, logForwards, global } = model;
  const heard = [...proxies, ...peers, ...logForwards].flatMap(section => section.binds);
  const binds = [...heard, ...global.statsSockets].filter(({ tls }) => tls !== null);
  const servers = proxies.flatMap(proxy => proxy.servers.map(server => ({ proxy, server })));
  const encrypted = servers.filter(({ server }) => server.tls !== null || server.checkTls !== null);
  const streamless = [...peers.flatMap(section => section.peers), ...rings.flatMap(ring => ring.servers)];
  const others = streamless.filter(({ tls }) => tls !== null);
  if (binds.length + encrypted.length + others.length === 0) return;
  const store = new TlsStore(model.tls);
  for (const bind of binds) checkBind(store, bind, bind.tls!, global.tls, diagnostics);
  for (const { proxy, server } of encrypted) {
    for (const settings of [server.tls, server.checkTls]) {
      if (settings !== null) checkServer(store, settings, `'server ${proxy.name}/${server.name}'`, server, diagnostics);
    }
  }
  for (const { name, tls } of others) checkServer(store, tls!, `'server ${name}'`, tls!, diagnostics);
  store.free();
}

function checkBind(store: TlsStore, bind: Bind, tls: BindTls, global: GlobalTls, diagnostics: Diagnostics): void {
  const side = serverSide(store, tls, global, '');
  // Certificates with settings in common are tried in one context.
  const settings = new Set([tls, ...tls.certificates.map(entry => entry.settings ?? tls)]);
  for (const own of settings) {
    const names = tls.certificates.filter(entry => (entry.settings ?? tls) === own).map(entry => entry.certificate);
    attempt(`'bind ${bind.text}'`, bind, diagnostics, () => {
      const context = serverContext(store, own, side, null);
      try {
        for (const name of new Set(names)) tryCertificate(context, store.certificate(name));
      } finally {
        context.free();
      }
    });
  }
}

function checkServer(store: TlsStore, tls: ServerTls, subject: string, place: Place, diagnostics: Diagnostics): void {
  attempt(subject, place, diagnostics, () => clientContext(store, tls).free());
}

function attempt(subject: string, place: Place, diagnostics: Diagnostics, make: () => void): void {
  try {
    make();
  } catch (error) {
    if (!(error instanceof TlsProblem)) throw error;
    diagnostics.report('alert', place, `${subject}: unable to ${error.message}.`);
  }
}
