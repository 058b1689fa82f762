/** Who uses which certificate, `ca-file`, `crl-file` or crt-list: bind lines, stats sockets, servers, their checks, peers, rings, log-forward sections. */
import type { Bind, Place } from '../config/model.ts';
import type { BindCertificate, BindSettings, BindTls, ServerTls } from '../config/tls-model.ts';
import { certificatesOf } from '../tls/listener.ts';
import type { CliEnv } from './command.ts';

export interface TlsBind {
  /** Name of its frontend, `peers` or `log-forward` section; `GLOBAL` for a stats socket. */
  readonly frontend: string;
  readonly bind: Bind & Place;
  readonly tls: BindTls;
}

export function tlsBinds({ model }: CliEnv): TlsBind[] {
  const all = [
    ...model.peers.flatMap(({ name, binds }) => binds.map(bind => ({ frontend: name, bind }))),
    ...model.global.statsSockets.map(bind => ({ frontend: 'GLOBAL', bind })),
    ...[...model.proxies, ...model.logForwards].flatMap(({ name, binds }) => {
      return binds.map(bind => ({ frontend: name, bind }));
    }),
  ];
  return all.flatMap(({ frontend, bind }) => (bind.tls === null ? [] : [{ frontend, bind, tls: bind.tls }]));
}

function tlsServers({ model }: CliEnv): ServerTls[] {
  const servers = model.proxies.flatMap(proxy => proxy.servers);
  const streamless = [...model.peers.flatMap(({ peers }) => peers), ...model.rings.flatMap(ring => ring.servers)];
  const all = [...servers.flatMap(({ tls, checkTls }) => [tls, checkTls]), ...streamless.map(({ tls }) => tls)];
  return all.filter(settings => settings !== null);
}

/** A certificate in a bind line, with the settings that it is shown with. */
export interface Shown extends TlsBind {
  readonly entry: BindCertificate;
  readonly settings: BindSettings;
}

export interface Uses {
  readonly shown: readonly Shown[];
  readonly servers: readonly ServerTls[];
}

/** Every use of the certificate. */
export function usesOf(env: CliEnv, certificate: string): Uses {
  const shown = tlsBinds(env).flatMap(place =>
    certificatesOf(place.tls, env.tls.store)
      .filter(entry => entry.certificate === certificate)
      .map(entry => ({ ...place, entry, settings: entry.settings ?? place.tls })),
  );
  return { shown, servers: tlsServers(env).filter(tls => tls.certificate === certificate) };
}

export function useCount({ shown, servers }: Uses): number {
  return shown.length + servers.length;
}

/** How many contexts are made with the file. */
export function fileUses(env: CliEnv, name: string): number {
  const binds = tlsBinds(env).flatMap(({ tls }) => {
    const entries = certificatesOf(tls, env.tls.store);
    return entries.length === 0 ? [tls] : entries.map(entry => entry.settings ?? tls);
  });
  const names = [
    ...binds.flatMap(({ caFile, caVerifyFile, crlFile }) => [caFile, caVerifyFile, crlFile]),
    ...tlsServers(env).flatMap(({ caFile, crlFile }) => [caFile, crlFile]),
  ];
  return names.filter(file => file === name).length;
}
