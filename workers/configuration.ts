/** From the command line to a model: reads the files, says what is wrong with them. */
import fs from 'node:fs';
import { Diagnostics } from '../engine/config/diagnostics.ts';
import type { Resources } from '../engine/config/draft.ts';
import { dumpConfiguration } from '../engine/config/dump.ts';
import { loadModel } from '../engine/config/load.ts';
import type { Bind, Model } from '../engine/config/model.ts';
import { formatDiagnostics } from '../engine/config/print.ts';
import { readLines } from '../engine/config/read.ts';
import type { Line } from '../engine/config/words.ts';
import { outputOf } from '../engine/io/command.ts';
import { groupId, userId } from '../engine/io/native.ts';
import { resolveHost } from '../engine/io/resolve.ts';
import type { Options } from './options.ts';
import { type Say, write } from './say.ts';

export interface Configuration {
  readonly model: Model;
  /** As the files left it, with what HAProxy defines. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** How many were said. */
  readonly warnings: number;
}

/** Reads and checks everything that `options` names. Null after saying why it cannot be used. */
export function readConfiguration(options: Options, say: Say, program: string): Configuration | null {
  const env: Record<string, string | undefined> = { ...process.env };
  if (options.localPeer !== null) env.HAPROXY_LOCALPEER = options.localPeer;
  // Like HAProxy: defined in the master-worker mode only (manual 2.4).
  if (options.masterWorker) env.HAPROXY_MWORKER = '1';
  const diagnostics = new Diagnostics();
  const { localPeer, ignoreResolution } = options;
  const resources = { ...SYSTEM, resolve: resolveHost, env, localPeer, ignoreResolution };
  const lines = [...ownLines(options), ...readLines(options.files, env, diagnostics)];
  if (options.dump !== null) write(1, dumpConfiguration(lines, options.dump));
  const model = loadModel(lines, diagnostics, resources);
  let warnings = diagnostics.list.filter(d => d.severity === 'warning').length;
  const { pid } = process;
  say.raw(formatDiagnostics(diagnostics.list, { pid, executable: program, diag: options.diagnostic }));
  if (model === null || diagnostics.fatal) return null;
  if (options.masterSocket !== null && !options.masterWorker && !model.global.masterWorker) {
    say('warning', 'config : a master CLI socket was defined, but master-worker mode (-W) is not enabled.');
    warnings++;
  }
  if (warnings > 0 && options.zeroWarning) {
    say('alert', "config : Some warnings were found and 'zero-warning' is set. Aborting.");
    return null;
  }
  return { model: override(model, options), environment: env, warnings };
}

/** What the command line says in the words of the language; the files have the last word. */
function ownLines({ noServerVerify }: Options): Line[] {
  if (!noServerVerify) return [];
  return [['global'], ['ssl-server-verify', 'none']].map(texts => commandLine('-dV', texts));
}

/** The command line has precedence over the `global` section. */
function override(model: Model, options: Options): Model {
  const maxconn = options.maxconn || model.global.maxconn;
  const daemon = (model.global.daemon || options.daemon) && !options.foreground;
  const masterWorker = model.global.masterWorker || options.masterWorker;
  const dnsAcceptFamily = options.ipv4Only ? 'ipv4' : model.global.dnsAcceptFamily;
  const pidfile = options.pidfile ?? model.global.pidfile;
  const proxies =
    options.proxyMaxconn === 0
      ? model.proxies
      : model.proxies.map(proxy => ({ ...proxy, maxconn: proxy.maxconn || options.proxyMaxconn }));
  const traces = [...model.global.traces, ...options.traces];
  const global = { ...model.global, maxconn, daemon, masterWorker, dnsAcceptFamily, pidfile, traces };
  return { ...model, global, proxies };
}

/** What the machine knows. */
const SYSTEM: Pick<Resources, 'readFile' | 'readFolder' | 'account' | 'output'> = {
  readFile,
  readFolder,
  output: outputOf,
  account: (kind, name) => (kind === 'user' ? userId : groupId)(name),
};

/** `-S`: a bind line of its own, at the level that a master CLI has. Null after saying what is wrong with it. */
export function masterBind(options: Options, say: Say, program: string): Bind | null {
  const words = options.masterSocket!.split(',');
  if (!words.includes('level')) words.push('level', 'admin');
  const diagnostics = new Diagnostics();
  const lines = [['global'], ['stats', 'socket', ...words]].map(texts => commandLine('-S', texts));
  const model = loadModel(lines, diagnostics, { ...SYSTEM, resolve: resolveHost, env: {} });
  say.raw(formatDiagnostics(diagnostics.list, { pid: process.pid, executable: program, diag: false }));
  return model === null || diagnostics.fatal ? null : model.global.statsSockets[0]!;
}

function commandLine(flag: string, texts: readonly string[]): Line {
  let column = 1;
  const words = texts.map(text => {
    const word = { text, column, width: text.length };
    column += text.length + 1;
    return word;
  });
  return { file: `command line, ${flag}`, line: 1, source: texts.join(' '), words };
}

/** null = it cannot be read. */
export function readFile(path: string): Uint8Array | null {
  try {
    return fs.readFileSync(path);
  } catch {
    return null;
  }
}

function readFolder(path: string): string[] | null {
  try {
    return fs.readdirSync(path).sort();
  } catch {
    return null;
  }
}
