/** State files (management manual, `show servers state`): what an older process knew of the servers. */
import { parseIp } from '../io/address.ts';
import { ADMIN_NAMED } from '../shm/words.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { GlobalDraft, ProxyDraft, Resources } from './draft.ts';
import type { SavedState } from './server-model.ts';

/** The fields of lines by `<backend>/<server>`. */
type States = ReadonlyMap<string, readonly string[]>;

const NONE: States = new Map();

type StateProxy = Pick<ProxyDraft, 'name' | 'stateFrom' | 'stateFile'>;
type StateBackend = StateProxy & Pick<ProxyDraft, 'id' | 'forcedId' | 'servers'>;

/** Reads each state file once. A file that is not there is a warning, as the first start has none. */
export class StateFiles {
  readonly #global: GlobalDraft;
  readonly #resources: Resources;
  readonly #diagnostics: Diagnostics;
  readonly #read = new Map<string, States>();

  constructor(global: GlobalDraft, resources: Resources, diagnostics: Diagnostics) {
    this.#global = global;
    this.#resources = resources;
    this.#diagnostics = diagnostics;
  }

  /** What was known of a server; null = nothing, or something wrong, which is reported. */
  of(proxy: StateProxy, server: string): SavedState | null {
    const path = this.#path(proxy);
    const row = path === null ? undefined : this.#file(path, proxy).get(`${proxy.name}/${server}`);
    if (row === undefined) return null;
    const wrong = NUMBERS.filter(({ at, allows }) => row[at] !== undefined && !allows(numberOf(row[at])));
    if (wrong.length === 0) return savedOf(row);
    const what = wrong.map(({ column, at }) => `, invalid ${column} value '${row[at]}'`).join('');
    this.#warn(`server-state application failed for server '${proxy.name}/${server}'${what}`);
    return null;
  }

  /** Says what a backend's own file has that is not of it; a file for all may well know of others. */
  compare(proxy: StateBackend): void {
    const path = proxy.stateFrom === 'local' ? this.#path(proxy) : null;
    if (path === null) return;
    const { name, id, forcedId, servers } = proxy;
    const differs = (what: string, saved: string, now: string | number) =>
      this.#warn(
        `Proxy '${name}': backend ${what} mismatch: from server state file: '${saved}', from running config '${now}'`,
      );
    for (const [backendId, backend, , server, ...row] of this.#file(path, proxy).values()) {
      const same = Number(backendId) === id;
      if (backend !== name) {
        if (same && forcedId && row[FORCED_BACKEND - 4] === '1') differs('name', backend!, name);
        continue;
      }
      if (!same) differs('ID', backendId!, id);
      if (!servers.some(other => other.name === server)) {
        this.#warn(`Proxy '${name}': can't find server '${server}' in backend '${name}'`);
      }
    }
  }

  #warn(message: string): void {
    this.#diagnostics.report('warning', null, message);
  }

  #path({ name, stateFrom, stateFile }: StateProxy): string | null {
    const file = stateFrom === 'global' ? this.#global.serverStateFile : stateFile || name;
    if (stateFrom === 'none' || file === null) return null;
    const base = this.#global.serverStateBase;
    return file.startsWith('/') || base === null ? file : `${base.replace(/\/$/, '')}/${file}`;
  }

  #file(path: string, proxy: StateProxy): States {
    let states = this.#read.get(path);
    if (states !== undefined) return states;
    const bytes = this.#resources.readFile(path);
    states = bytes === null ? NONE : this.#parse(path, proxy, new TextDecoder().decode(bytes));
    if (bytes === null) {
      this.#diagnostics.report('notice', null, `config: can't open server state file '${path}'`);
    }
    this.#read.set(path, states);
    return states;
  }

  /** A file with a line that is none is not used at all. */
  #parse(path: string, { name, stateFrom }: StateProxy, text: string): States {
    const [who, which] = stateFrom === 'global' ? ['config', 'global '] : [`Proxy '${name}'`, ''];
    const [version, ...lines] = text.split('\n');
    if (version!.trimStart() !== '1') {
      this.#warn(`${who}: Can't get version of the ${which}server state file '${path}'`);
      return NONE;
    }
    const states = new Map<string, readonly string[]>();
    for (const [i, line] of lines.entries()) {
      const row = line.trim().split(/\s+/);
      if (row[0] === '' || row[0]!.startsWith('#')) continue;
      // One without an end may have been cut.
      if (row.length < FIELDS_MIN || i === lines.length - 1) {
        this.#warn(`${who}: corrupted ${which}server state file '${path}' at line ${i + 1}`);
        return NONE;
      }
      const key = `${row[1]}/${row[3]}`;
      // Of several lines the first one counts.
      if (!states.has(key)) states.set(key, row);
    }
    return states;
  }
}

/** The manual's examples end behind srv_agent_state. */
const FIELDS_MIN = 15;
/** Where `bk_f_forced_id` is. */
const FORCED_BACKEND = 15;
const WEIGHT_MAX = 256;
const PORT_MAX = 65_535;
const OPERS = 4;
const RESULTS = 5;
const CHECK_BITS = 31;

/** `srv_admin_state`: maintenance (1), by the configuration (4), drain (8). The others are found anew. */
const FOUND_ANEW = 2 | 16 | 32 | 64;
const ADMINS = [0, 1, 4, 5, 8, 12];

const upTo = (max: number) => (n: number) => n >= 0 && n <= max;
const any = (n: number) => n >= 0;

/** The numbers in a line: their columns, and what they may be. */
const NUMBERS: readonly { readonly column: string; readonly at: number; readonly allows: (n: number) => boolean }[] = [
  { column: 'srv_op_state', at: 5, allows: upTo(OPERS - 1) },
  { column: 'srv_admin_state', at: 6, allows: n => ADMINS.includes(n & ~FOUND_ANEW) },
  { column: 'srv_uweight', at: 7, allows: upTo(WEIGHT_MAX) },
  { column: 'srv_iweight', at: 8, allows: upTo(WEIGHT_MAX) },
  { column: 'srv_last_time_change', at: 9, allows: any },
  { column: 'srv_check_status', at: 10, allows: any },
  { column: 'srv_check_result', at: 11, allows: upTo(RESULTS - 1) },
  { column: 'srv_check_health', at: 12, allows: any },
  { column: 'srv_check_state', at: 13, allows: upTo(CHECK_BITS) },
  { column: 'srv_agent_state', at: 14, allows: upTo(CHECK_BITS) },
  { column: 'srv_port', at: 18, allows: upTo(PORT_MAX) },
];

/** -1 = it is none. */
function numberOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : -1;
}

function savedOf(row: readonly string[]): SavedState {
  const number = (at: number): number => numberOf(row[at]!);
  const port = (at: number): number => {
    const found = numberOf(row[at] ?? '0');
    return found <= PORT_MAX ? Math.max(0, found) : 0;
  };
  const address = (at: number) => parseIp(row[at] ?? '-', 0);
  const [, , name, , service] = row.slice(15);
  const known = (text = '-'): string | null => (text === '-' ? null : text);
  return {
    address: parseIp(row[4]!, port(18)),
    oper: number(5),
    admin: number(6) & ~FOUND_ANEW,
    userWeight: number(7),
    initialWeight: number(8),
    secondsSinceChange: number(9),
    checkStatus: number(10),
    checkResult: number(11),
    checkHealth: number(12),
    checkState: number(13),
    agentState: number(14),
    port: port(18),
    checkAddress: address(22),
    checkPort: port(21),
    agentAddress: address(23),
    agentPort: port(24),
    renamed: (number(6) & ADMIN_NAMED) !== 0,
    hostname: known(name),
    service: known(service),
  };
}
