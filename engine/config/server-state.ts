/** State files (management manual, `show servers state`): what an older process knew of the servers. */
import { parseIp } from '../io/address.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { GlobalDraft, ProxyDraft, Resources } from './draft.ts';
import type { SavedState } from './server-model.ts';

/** Lines by `<backend>/<server>`. */
type States = ReadonlyMap<string, SavedState>;

const NONE: States = new Map();

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

  /** What was known of a server; null = nothing. */
  of(proxy: Pick<ProxyDraft, 'name' | 'stateFrom' | 'stateFile'>, server: string): SavedState | null {
    const path = this.#path(proxy);
    return path === null ? null : (this.#file(path).get(`${proxy.name}/${server}`) ?? null);
  }

  #path({ name, stateFrom, stateFile }: Pick<ProxyDraft, 'name' | 'stateFrom' | 'stateFile'>): string | null {
    const file = stateFrom === 'global' ? this.#global.serverStateFile : stateFile || name;
    if (stateFrom === 'none' || file === null) return null;
    const base = this.#global.serverStateBase;
    return file.startsWith('/') || base === null ? file : `${base.replace(/\/$/, '')}/${file}`;
  }

  #file(path: string): States {
    let states = this.#read.get(path);
    if (states !== undefined) return states;
    const bytes = this.#resources.readFile(path);
    states = bytes === null ? NONE : this.#parse(path, new TextDecoder().decode(bytes));
    if (bytes === null) {
      this.#diagnostics.report('notice', null, `config: can't open server state file '${path}'`);
    }
    this.#read.set(path, states);
    return states;
  }

  #parse(path: string, text: string): States {
    const [version, ...lines] = text.split('\n');
    if (version !== '1') {
      this.#diagnostics.report('warning', null, `config: '${path}' is no server state file of version 1`);
      return NONE;
    }
    const rows = lines.filter(line => line !== '' && !line.startsWith('#')).map(line => line.split(' '));
    return new Map(rows.flatMap(row => parseRow(row)));
  }
}

/** The numbers in a line, behind be_id, be_name, srv_id, srv_name and srv_addr. */
const FIELDS: readonly Exclude<keyof SavedState, 'address'>[] = [
  'oper',
  'admin',
  'userWeight',
  'initialWeight',
  'secondsSinceChange',
  'checkStatus',
  'checkResult',
  'checkHealth',
  'checkState',
  'agentState',
];

function parseRow(row: readonly string[]): [string, SavedState][] {
  const numbers = row.slice(5, 5 + FIELDS.length).map(Number);
  if (numbers.length < FIELDS.length || numbers.some(number => !Number.isInteger(number) || number < 0)) return [];
  const fields = FIELDS.map((field, i) => [field, numbers[i]!] as const);
  const address = parseIp(row[4]!, Number(row[18] ?? 0) || 0);
  return [[`${row[1]}/${row[3]}`, { ...Object.fromEntries(fields), address } as SavedState]];
}
