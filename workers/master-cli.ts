/**
 * The master's socket (`-S`, management guide 9.4), served by the master itself. `@1`, `@!<pid>` and `@master` before a command,
 * or alone for all that follow, say who is meant; what a generation is to do goes to its control thread, a command at a time.
 * With `@@` it gets the whole line and the connection until that is done.
 */
import {
  type CliState,
  type Command,
  type Later,
  type Level,
  later,
  type Reply,
  type SessionEnv,
} from '../engine/cli/command.ts';
import { PLATFORM_COMMANDS } from '../engine/cli/platform-commands.ts';
import { type Opening, Session, type Start } from '../engine/cli/session.ts';
import { modeCommand, SESSION_COMMANDS } from '../engine/cli/session-commands.ts';
import type { Bind } from '../engine/config/model.ts';
import { createIo } from '../engine/io/choose.ts';
import type { Conn } from '../engine/io/contract.ts';
import { BUFSIZE_BYTES, MASTER_CLI_SESSIONS_MAX, PAYLOAD_BYTES_MAX } from '../engine/limits.ts';
import { monotonicMs, TimerWheel } from '../engine/time.ts';
import { VERSION } from '../engine/version.ts';
import type { Answering } from './control-lines.ts';
import type { Generation } from './generation.ts';
import type { Master } from './master.ts';
import type { Reloads } from './reload.ts';

/** What the master's commands work on. */
interface MasterEnv {
  readonly master: Master;
  readonly reloads: Reloads;
  /** Monotonic milliseconds. */
  readonly startedMs: number;
}

/** Silence after which a client is dropped: the master has no `stats timeout`. Milliseconds. */
const NO_TIMEOUT = 0;

/** Serves the master's socket on the listening descriptor `fd`, which it owns from now on. */
export function startMasterCli(env: MasterEnv, fd: number, bind: Bind): void {
  const io = createIo('net');
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const sessions = new Set<unknown>();
  const targets = new WeakMap<CliState, Generation>();
  const routing: Routing = { master: env.master, targets, wake: () => io.wake() };
  const session: SessionEnv = {
    ...{ wheel, now: () => io.now(), timeoutMs: NO_TIMEOUT },
    ...{ lineBytesMax: BUFSIZE_BYTES, payloadBytesMax: PAYLOAD_BYTES_MAX },
    uptime: state => (monotonicMs() - (targets.get(state) ?? env).startedMs) / 1000,
  };
  const shared = {
    ...{ env, session, commands: COMMANDS, sockets: [bind] },
    route: (words: readonly string[], payload: string | null, state: CliState) => route(routing, words, payload, state),
    tunnel: (line: string, state: CliState) => tunnel(routing, line, state),
    prompt: (state: CliState) => promptOf(env.master, targets.get(state), state),
    ended: (ended: unknown) => {
      sessions.delete(ended);
      listening.resume();
    },
  };
  const accept = (conn: Conn) => {
    const { level, severityOutput } = bind;
    const start = { level, severityOutput, exposeFd: false, expert: false, experimental: false, ...STAYS };
    sessions.add(new Session<MasterEnv>(shared, conn, start));
    if (sessions.size >= MASTER_CLI_SESSIONS_MAX) listening.pause();
  };
  const listening = io.listen(fd, 1, accept);
}

// --- who is meant ---

/** `@1`, `@!123`, `@master`, `@0`, `@`, each also with `@@`; null = the word is none of these. */
function target(master: Master, word: string): Generation | 'master' | string | null {
  const [, bang, name] = /^@@?(!?)(\w*)$/.exec(word) ?? [];
  if (name === undefined) return null;
  if (name === '' || name === 'master' || (bang === '' && name === '0')) return 'master';
  if (bang === '' && name === '1') return master.current;
  const pid = Number(name);
  const found =
    bang === '' ? undefined : [master.current, ...master.draining].find(generation => generation.pid === pid);
  if (found !== undefined) return found;
  return bang !== '' && pid === process.pid
    ? master.current
    : `Can't find the target PID matching the prefix '${word}'`;
}

/** The master has no non-interactive mode: its connections end with the client's input, `quit` or a reload. */
const STAYS = { interactive: true } as const;

/** What a session does itself, whoever its commands are meant for: without a word, as in HAProxy. */
const OWN = ['prompt', 'quit', 'operator', 'user', 'expert-mode', 'experimental-mode', 'mcli-debug-mode'];

/** Who the words are meant for: the answer of a generation, or the words that the master takes. */
function route({ master, targets, wake }: Routing, typed: readonly string[], payload: string | null, state: CliState) {
  const named = target(master, typed[0] ?? '');
  const words = named === null ? typed : typed.slice(1);
  const meant = named ?? targets.get(state) ?? 'master';
  if (typeof meant === 'string' && meant !== 'master') return meant;
  if (named !== null && words.length === 0) {
    if (named === 'master') targets.delete(state);
    else targets.set(state, named as Generation);
    return null;
  }
  if (meant === 'master' || (named === null && OWN.includes(words[0] ?? ''))) return words;
  return ask(meant, words, payload, state, wake);
}

/**
 * `@@1 show info; wait 1s; ...`: all of the line at once, and what the client sends meanwhile; without a command a session
 * that ends with `quit`, and prompts as this one does.
 */
function tunnel({ master, wake }: Routing, line: string, state: CliState): Opening | null {
  const [, word, commands] = /^\s*(@@\S+)\s*(.*)$/.exec(line) ?? [];
  const meant = word === undefined ? null : target(master, word);
  if (meant === null || typeof meant === 'string') return null;
  const { interactive, prompt, timed } = state;
  const modes = commands === '' ? { interactive, prompt, timed } : {};
  const told = commands === '' ? '' : `${commands}\n`;
  const hear = (said: (bytes: Uint8Array | null) => void) => (bytes: Uint8Array | null) => {
    wake();
    said(bytes);
  };
  return said => meant.cli(told, { ...startOf(state), ...modes }, hear(said), true);
}

function startOf({ level, expert, experimental, severityOutput }: CliState): Start {
  return { level, expert, experimental, severityOutput, exposeFd: false };
}

interface Routing {
  readonly master: Master;
  /** Whom commands without a prefix are meant for; the master unless it is here. */
  readonly targets: WeakMap<CliState, Generation>;
  wake(): void;
}

/** Gives the command to the control thread of a generation, and passes on what it says as it comes. */
function ask(
  generation: Generation,
  words: readonly string[],
  payload: string | null,
  state: CliState,
  wake: () => void,
) {
  return streamed(said => generation.cli(lineOf(words, payload), startOf(state), said), wake);
}

/** An answer that comes in pieces, each when the peer has taken those before. */
function streamed(begin: (said: (bytes: Uint8Array | null) => void) => Answering, wake: () => void): Later {
  const decoder = new TextDecoder();
  let text = '';
  let untold = 0;
  let over = false;
  let waiting: Parameters<Later>[0] | null = null;
  let answering: Answering | null = null;
  /** A session puts a line feed behind each piece, and another behind the last: those two have come already. */
  const tell = () => {
    const body = text.replace(/\n+$/, '');
    const cut = body.lastIndexOf('\n');
    if (waiting === null || (!over && cut < 0)) return;
    const done = waiting;
    waiting = null;
    if (over) return done(text.replace(/\n\n?$/, ''), null);
    text = text.slice(cut + 1);
    answering?.taken(untold);
    untold = 0;
    done(body.slice(0, cut), part);
  };
  const part: Later = done => {
    waiting = done;
    answering ??= begin(bytes => {
      text += bytes === null ? decoder.decode() : decoder.decode(bytes, { stream: true });
      untold += bytes?.length ?? 0;
      over ||= bytes === null;
      wake();
      tell();
    });
    tell();
    return () => answering!.giveUp();
  };
  return part;
}

/** A line that is read as these words. */
function lineOf(words: readonly string[], payload: string | null): string {
  const line = words.map(word => word.replace(/[\\; \t]/g, '\\$&')).join(' ');
  if (payload === null) return `${line}\n`;
  let end = 'END';
  while (payload.split('\n').includes(end)) end += '.';
  return `${line} <<${end}\n${payload}\n${end}\n`;
}

function promptOf(master: Master, meant: Generation | undefined, { expert, experimental, debug }: CliState): string {
  const flags = `${experimental ? 'x' : ''}${expert ? 'e' : ''}${debug ? 'd' : ''}`;
  const failed = meant === undefined && master.reloads.failed > 0 ? '[ReloadFailed]' : '';
  return `${meant?.pid ?? 'master'}${failed}${flags === '' ? '' : `(${flags})`}`;
}

// --- commands ---

function command(words: string, usage: string, help: string, level: Level, run: Command<MasterEnv>['run']) {
  return { words, usage, help, level, run };
}

function wordless(row: (typeof SESSION_COMMANDS)[number]): Command<MasterEnv> {
  if (!OWN.includes(row.words)) return row;
  return {
    ...row,
    run: call => {
      const text = row.run(call);
      Object.assign(call.state, STAYS);
      return text || null;
    },
  };
}

/** What `help` says of prefixes; who types just such a word is answered by `route`. */
const PREFIXES = [
  ['@<relative pid>', 'send a command to the <relative pid> process'],
  ['@!<pid>', 'send a command to the <pid> process'],
  ['@master', 'send a command to the master process'],
  ['@@<relative pid>', 'hand the connection over to the <relative pid> process'],
  ['@@!<pid>', 'hand the connection over to the <pid> process'],
].map(([words, help]) => command(words!, '', help!, 'user', () => ''));

const COMMANDS: readonly Command<MasterEnv>[] = [
  ...SESSION_COMMANDS.filter(({ words }) => words !== 'echo').map(wordless),
  // In HAProxy the commands of workers; here those that any thread of the process can answer.
  ...PLATFORM_COMMANDS.map(row => ({ ...row, mode: 'debug' as const })),
  ...PREFIXES,
  command('reload', '', 'reload the configuration', 'operator', ({ env, state }) => reload(env, state, false)),
  command('hard-reload', '', 'reload, and end at once what was there', 'operator', ({ env, state }) =>
    reload(env, state, true),
  ),
  {
    ...command(
      'mcli-debug-mode',
      '[on|off]',
      'enable/disable commands about the master',
      'admin',
      call => modeCommand('debug')(call) || null,
    ),
    severity: 'info' as const,
  },
  command('show proc', '', 'show processes status', 'user', ({ env }) => showProc(env)),
  command('show startup-logs', '', 'report logs emitted during the last start or reload', 'user', ({ env }) =>
    env.reloads.logs.replace(/\n$/, ''),
  ),
  command('show version', '', 'show version of the current process', 'user', () => VERSION),
].sort((a, b) => (a.words < b.words ? -1 : 1));

/** The last command of its connection. */
function reload({ reloads }: MasterEnv, state: CliState, hard: boolean): Reply {
  return later(done => {
    void reloads.reload(hard).then(success => {
      state.quit = true;
      done(`Success=${success ? 1 : 0}\n--\n${reloads.logs.replace(/\n$/, '')}`);
    });
  });
}

function showProc({ master, startedMs }: MasterEnv): string {
  const { done, failed } = master.reloads;
  const row = (pid: number, type: string, reloads: string | number, sinceMs: number) =>
    [pid, type, reloads, uptimeText(sinceMs), VERSION].map(cell => String(cell).padEnd(15)).join(' ');
  const worker = (generation: Generation) => row(generation.pid, 'worker', generation.reloads, generation.startedMs);
  const old = master.draining.map(worker);
  return [
    ['#<PID>', '<type>', '<reloads>', '<uptime>', '<version>'].map(title => title.padEnd(15)).join(' '),
    row(process.pid, 'master', `${done} [failed: ${failed}]`, startedMs),
    '# workers',
    worker(master.current),
    ...(old.length === 0 ? [] : ['# old workers', ...old]),
  ].join('\n');
}

/** `0d00h02m07s`. */
function uptimeText(sinceMs: number): string {
  const seconds = Math.floor((monotonicMs() - sinceMs) / 1000);
  const two = (n: number) => String(Math.floor(n)).padStart(2, '0');
  return `${Math.floor(seconds / 86_400)}d${two((seconds / 3600) % 24)}h${two((seconds / 60) % 60)}m${two(seconds % 60)}s`;
}
