/**
 * `add backend` and `del backend`. Where the configuration has named `defaults` sections there are ADDED_BACKENDS_MAX spare
 * places for proxies in shared memory. What a section makes of a backend was built with the configuration
 * (config/build-defaults.ts), so here it only gets a name; it is unpublished, and its servers come by `add server`.
 *
 *   add:  words of the place ──► master (for threads to come) ──► workers ──► own model
 *   del:  unpublished, no server, no stream left ──► the same way, with nobody in the place
 */
import { guidProblem } from '../config/guid.ts';
import { isBackend, isThere, type Model } from '../config/model.ts';
import { illegalCharacter } from '../config/names.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { removed, spare } from '../config/spare-places.ts';
import { didYouMean } from '../config/suggest.ts';
import { initialiseBackend } from '../health/initialise.ts';
import { ADDED_BACKENDS_MAX } from '../limits.ts';
import { PROXY } from '../shm/words.ts';
import type { Call, CliEnv, Command, Reply } from './command.ts';
import { findProxy } from './find.ts';
import { placeEverywhere } from './placing.ts';
import { fetchNaming } from './sampled.ts';
import { data } from './severity.ts';

const USAGE = "'add backend' expects <name> from <defproxy> [mode <mode>] [guid <guid>]";

/** Where an added backend stands: no line of a file is its own. */
const ADDED = { file: 'CLI', line: 0 };

interface Wish {
  readonly name: string;
  readonly from: string;
  readonly mode: string | null;
  readonly guid: string | null;
}

/** The words of the command; a text: what is wrong with them. */
function wishOf(args: readonly string[]): Wish | string {
  const [name = '', keyword, from, ...rest] = args;
  if (name === '' || keyword !== 'from' || from === undefined) return `${USAGE}.`;
  const settings: { mode: string | null; guid: string | null } = { mode: null, guid: null };
  for (let i = 0; i < rest.length; i += 2) {
    const [word, value] = [rest[i]!, rest[i + 1]];
    if (word !== 'mode' && word !== 'guid') return `${USAGE}, not '${word}'.`;
    if (value === undefined) return `'${word}' expects an argument.`;
    if (settings[word] !== null) return `'${word}' is given twice.`;
    settings[word] = value;
  }
  return { name, from, ...settings };
}

function addBackend({ env, args }: Call): Reply {
  const wish = wishOf(args);
  if (typeof wish === 'string') return wish;
  const problem = problemOf(env.model, wish);
  if (problem !== null) return problem;
  const like = templateOf(env.model, wish);
  if (typeof like === 'string') return like;
  const free = env.model.proxies.find(proxy => proxy.kind === 'spare' && isEmpty(env, proxy));
  if (free === undefined) return `Limit reached: ${ADDED_BACKENDS_MAX} backends can be added to the configuration.`;
  const { name, guid } = wish;
  const proxy = { ...like, ...ADDED, index: free.index, id: freeId(env.model), name, guid, servers: [] };
  initialiseBackend(env, proxy);
  return placeEverywhere(env, { type: 'backend', proxy }, 'New backend registered.', () => {
    env.dynamicCookies.begin(proxy);
    env.dynamicCookies.tellBegin(proxy);
  });
}

/** What is wrong with the name and the guid; null = nothing. */
function problemOf({ proxies }: Model, { name, guid }: Wish): string | null {
  const bad = illegalCharacter(name);
  if (bad !== null) return `character '${bad}' is not permitted in backend name '${name}'.`;
  if (proxies.some(proxy => isBackend(proxy) && proxy.name === name)) {
    return 'Already exists a backend with the same name.';
  }
  if (guid === null) return null;
  const wrong = guidProblem(guid);
  if (wrong !== null) return `'guid': ${wrong}.`;
  const things = proxies.flatMap(proxy => [proxy, ...proxy.binds, ...proxy.servers.filter(server => !server.removed)]);
  return things.some(thing => thing.guid === guid) ? `guid '${guid}' is already used.` : null;
}

/** The backend that the `defaults` section makes; a text: why it makes none. */
function templateOf({ defaults }: Model, { from, mode }: Wish): Proxy | string {
  const section = defaults.find(({ name }) => name === from);
  if (section === undefined) {
    const hint = didYouMean(
      from,
      defaults.map(({ name }) => name),
    );
    return `No such default proxy '${from}'.${hint === null ? '' : ` ${hint}`}`;
  }
  const wanted = mode ?? section.mode;
  if (wanted === null) return `Mode is required as '${from}' does not define it explicitly.`;
  if (wanted !== 'tcp' && wanted !== 'http') return 'Only TCP or HTTP proxies can be created.';
  return section.backends[wanted];
}

/** As the configuration counts them: 1 is that of the stats sockets. */
function freeId({ proxies, global }: Model): number {
  let id = global.statsSockets.length > 0 ? 2 : 1;
  while (proxies.some(proxy => isThere(proxy) && proxy.id === id)) id++;
  return id;
}

/** No stream is in the backend, or was when it was deleted. */
function isEmpty({ memory }: CliEnv, { index }: Proxy): boolean {
  const { be_sess, be_served, be_total_queued } = PROXY.at;
  return [be_sess, be_served, be_total_queued].every(at => Atomics.load(memory.words, memory.proxy(index) + at) === 0);
}

/** The backend that the argument names, or what to answer. */
export function findBackend(env: CliEnv, name: string | undefined): Proxy | string {
  if (name === undefined) return 'Require a backend name.';
  return findProxy(env, name, isBackend) ?? 'No such backend.';
}

/** Why the backend cannot be deleted: for good, or only now. Null when it can. */
export function backendStays(env: CliEnv, proxy: Proxy): { readonly why: string; readonly forGood: boolean } | null {
  const { memory } = env;
  const user = userOf(env.model, proxy);
  const unpublished = Atomics.load(memory.words, memory.proxy(proxy.index) + PROXY.at.be_unpublished) !== 0;
  for (const [holds, why] of [
    [proxy.kind === 'listen', 'Only pure backends can be deleted: this one is a frontend, too.'],
    [proxy.mode === 'log', 'Only TCP or HTTP proxies can be deleted.'],
    [user !== null, `This backend cannot be removed at runtime: ${user}.`],
    [!unpublished, 'Backend must be unpublished prior to its deletion.'],
    [proxy.servers.some(server => !server.removed), 'Backend still has servers, delete them first.'],
  ] as const) {
    if (holds) return { why, forGood: true };
  }
  return isEmpty(env, proxy) ? null : { why: 'Backend still has streams attached to it.', forGood: false };
}

/** What in the configuration knows the backend; null = nothing. */
function userOf(model: Model, { index, name, table }: Proxy): string | null {
  if (table >= 0) return 'it has a stick-table';
  const defaulted = model.proxies.find(other => other.index !== index && other.defaultBackend === index);
  if (defaulted !== undefined) return `it is the default backend of '${defaulted.name}'`;
  const ruled = model.proxies.find(other => other.useBackend.some(rule => rule.backend === index));
  if (ruled !== undefined) return `a 'use_backend' rule of '${ruled.name}' names it`;
  const sampled =
    fetchNaming(model, 'be', text => text === name) ?? fetchNaming(model, 'srv', text => text.startsWith(`${name}/`));
  return sampled === null ? null : `the sample fetch '${sampled}' names it`;
}

function delBackend({ env, args }: Call): Reply {
  const proxy = findBackend(env, args[0]);
  if (typeof proxy === 'string') return proxy;
  const refusal = backendStays(env, proxy);
  if (refusal !== null) return refusal.why;
  // The place of one of the configuration stays empty: earlier generations have counted there.
  const nobody = proxy.line === ADDED.line ? spare(proxy, proxy.index) : removed(proxy);
  return placeEverywhere(env, { type: 'backend', proxy: nobody }, 'Backend deleted.', () => {
    env.dynamicCookies.begin(nobody);
  });
}

export const DYNAMIC_BACKENDS: readonly Command[] = [
  {
    words: 'add backend',
    usage: '<name> from <defproxy> ...',
    help: 'add a new backend',
    level: 'admin',
    run: addBackend,
  },
  { words: 'del backend', usage: '<name>', help: 'delete a backend', level: 'admin', run: delBackend },
  {
    words: 'show defaults',
    usage: '',
    help: 'list the named defaults sections that a new backend may begin with',
    level: 'user',
    run: ({ env }) => data(env.model.defaults.map(({ name }) => name).join('\n')),
  },
];
