/** The cells of the statistics page, one row each: their group and title, what they show, and what hovering tells. */

import type { Column } from './columns.ts';
import { COLUMNS, MODULE_COLUMNS } from './columns.ts';
import { age, escapeHtml, writeNumber, writeTip } from './markup.ts';
import type { Out } from './out.ts';
import { serverStatus } from './status.ts';
import { B, F, L, S, type Subject, type View } from './view.ts';

const BY_NAME = new Map([...COLUMNS, ...MODULE_COLUMNS].map(c => [c.name, c]));

function column(name: string): Column {
  const found = BY_NAME.get(name);
  if (found === undefined) throw new Error(`stats: no column ${name}`);
  return found;
}

/** One line of what hovering shows. */
interface Tip {
  readonly label: string;
  readonly scope: number;
  readonly of: Column;
  /** A column that this one is shown in percent of. */
  readonly percentOf: Column | null;
  /** Written where the column has no value; '' = the line is left out. */
  readonly none: string;
  /** Written after the number: ` ms`, `/s`. */
  readonly unit: string;
  /** Columns written after the number, each after a slash: maximum / average. */
  readonly and: readonly Column[];
  /** The columns are microseconds; milliseconds are written. */
  readonly micro: boolean;
}

const FBS = F | B | S;
const LFBS = L | FBS;

function tip(
  label: string,
  scope: number,
  of: string,
  more: { percentOf?: string; unit?: string; and?: readonly string[]; none?: string; micro?: boolean } = {},
): Tip {
  return {
    label,
    scope,
    of: column(of),
    percentOf: more.percentOf === undefined ? null : column(more.percentOf),
    none: more.none ?? '',
    unit: more.unit ?? '',
    and: (more.and ?? []).map(column),
    micro: more.micro ?? false,
  };
}

/** The percentiles of one timer, in one line. */
function percentileTip(title: string): Tip {
  const prefix = `${title[0]!.toLowerCase()}time_`;
  const [first, ...others] = MODULE_COLUMNS.map(c => c.name).filter(name => name.startsWith(prefix));
  const label = `- ${title} time, p50 / p90 / p95 / p99 / p99.9 / max:`;
  return tip(label, FBS, first!, { and: others, unit: ' ms', micro: true });
}

const RATE_TIPS = [
  tip('Current connection rate:', F, 'conn_rate', { unit: '/s' }),
  tip('Current session rate:', F, 'rate', { unit: '/s' }),
  tip('Current request rate:', F, 'req_rate', { unit: '/s' }),
];
const RATE_MAX_TIPS = [
  tip('Max connection rate:', F, 'conn_rate_max', { unit: '/s' }),
  tip('Max session rate:', F, 'rate_max', { unit: '/s' }),
  tip('Max request rate:', F, 'req_rate_max', { unit: '/s' }),
];
const CURRENT_TIPS = [
  tip('Current active connections:', S, 'scur'),
  tip('Current used connections:', S, 'used_conn_cur'),
  tip('Current idle connections:', S, 'srv_icur'),
  tip('- unsafe:', S, 'idle_conn_cur'),
  tip('- safe:', S, 'safe_conn_cur'),
  tip('- private:', S, 'priv_idle_cur'),
  tip('Estimated need of connections:', S, 'need_conn_est'),
  tip('Active connections limit:', S, 'slim', { none: '-' }),
  tip('Idle connections limit:', S, 'src_ilim', { none: '-' }),
];
const TOTAL_TIPS = [
  tip('Cum. connections:', F, 'conn_tot'),
  tip('Cum. sessions:', FBS, 'stot'),
  tip('New connections:', B | S, 'connect'),
  tip('Reused connections:', B | S, 'reuse', { percentOf: 'stot' }),
  tip('Cum. HTTP requests:', FBS, 'req_tot'),
  tip('- HTTP 1xx responses:', FBS, 'hrsp_1xx', { percentOf: 'req_tot' }),
  tip('- HTTP 2xx responses:', FBS, 'hrsp_2xx', { percentOf: 'req_tot' }),
  tip('  Compressed 2xx:', F | B, 'comp_rsp', { percentOf: 'hrsp_2xx' }),
  tip('- HTTP 3xx responses:', FBS, 'hrsp_3xx', { percentOf: 'req_tot' }),
  tip('- HTTP 4xx responses:', FBS, 'hrsp_4xx', { percentOf: 'req_tot' }),
  tip('- HTTP 5xx responses:', FBS, 'hrsp_5xx', { percentOf: 'req_tot' }),
  tip('- other responses:', FBS, 'hrsp_other', { percentOf: 'req_tot' }),
  tip('Intercepted requests:', F, 'intercepted'),
  tip('Failed hdr rewrites:', FBS, 'wrew'),
  tip('Internal errors:', FBS, 'eint'),
  tip('- Queue time, max / average:', B | S, 'qtime_max', { and: ['qtime'], unit: ' ms' }),
  tip('- Connect time, max / average:', B | S, 'ctime_max', { and: ['ctime'], unit: ' ms' }),
  tip('- Response time, max / average:', B | S, 'rtime_max', { and: ['rtime'], unit: ' ms' }),
  tip('- Total time, max / average:', B | S, 'ttime_max', { and: ['ttime'], unit: ' ms' }),
  ...['Queue', 'Connect', 'Response', 'Total'].map(percentileTip),
];
const BYTES_TIPS = [
  tip('Response bytes in:', F | B, 'resbin'),
  tip('Compression in:', F | B, 'comp_in'),
  tip('Compression out:', F | B, 'comp_out', { percentOf: 'comp_in' }),
  tip('Compression bypass:', F | B, 'comp_byp'),
];
const ABORT_TIPS = [
  tip('Transfers reset by the client:', B | S, 'cli_abrt'),
  tip('Transfers reset by the server:', B | S, 'srv_abrt'),
];
const CHECK_TIPS = [tip('Failed health checks:', S, 'chkfail')];

function writeTips(out: Out, view: View, s: Subject, tips: readonly Tip[]): void {
  for (const line of tips) {
    if (!(line.scope & s.scope)) continue;
    const value = line.of.value(view, s);
    if (value === null && line.none === '') continue;
    out.text(`<b>${line.label}</b><span>`);
    if (typeof value !== 'number') out.text(line.none);
    else if (line.micro) out.text(String(value / 1000));
    else writeNumber(out, value);
    for (const { value: read } of line.and) out.text(` / ${line.micro ? Number(read(view, s)) / 1000 : read(view, s)}`);
    out.text(line.unit);
    const whole = line.percentOf?.value(view, s);
    if (typeof whole === 'number') out.text(` (${whole === 0 ? 0 : Math.floor(((value as number) * 100) / whole)}%)`);
    out.text('</span>');
  }
}

export interface Cell {
  readonly group: string;
  readonly title: string;
  /** Rows that have something to show here; elsewhere the cell is empty. */
  readonly scope: number;
  readonly centred: boolean;
  write(out: Out, view: View, s: Subject): void;
}

/** A number; `none` where the column has no value. */
function number(group: string, title: string, name: string, tips: readonly Tip[] = [], none = ''): Cell {
  const of = column(name);
  const scope = tips.reduce((mask, t) => mask | t.scope, 0);
  return {
    group,
    title,
    scope: of.scope,
    centred: false,
    write(out, view, s) {
      const value = of.value(view, s);
      const visible = () => (typeof value === 'number' ? writeNumber(out, value) : out.text(none));
      if (scope & s.scope && value !== null) writeTip(out, visible, () => writeTips(out, view, s, tips));
      else visible();
    },
  };
}

/** Text made from the values of one row. It is escaped here. */
function text(
  group: string,
  title: string,
  scope: number,
  centred: boolean,
  make: (view: View, s: Subject) => string,
): Cell {
  return { group, title, scope, centred, write: (out, view, s) => out.text(escapeHtml(make(view, s))) };
}

const read = (name: string) => {
  const of = column(name);
  return (view: View, s: Subject) => of.value(view, s);
};
const lastsess = read('lastsess');
const weight = read('weight');
const uweight = read('uweight');
const active = read('act');
const backup = read('bck');
const downtime = read('downtime');
const throttled = read('throttle');
const status = column('status');
const changed = read('lastchg');
const checkName = read('check_status');
const checkCode = read('check_code');
const checkMs = read('check_duration');
const checkText = read('check_desc');
const checkInfo = read('last_chk');

/** A server is active or a backup; a backend has so many. */
const count = (value: unknown, s: Subject) => (s.server === null ? String(value) : value === 1 ? 'Y' : '-');

const STATUS: Cell = {
  group: 'Server',
  title: 'Status',
  scope: status.scope,
  centred: true,
  write(out, view, s) {
    const value = escapeHtml(String(status.value(view, s)));
    if (s.server !== null && serverStatus(view, s).colour === 'no_check') return out.text(`<em>${value}</em>`);
    if (s.scope & (B | S)) out.text(`${age(changed(view, s) as number)} `);
    out.text(s.scope === B && value === 'DOWN' ? `<strong>${value}</strong>` : value);
  },
};

const LAST_CHECK: Cell = {
  group: 'Server',
  title: 'LastChk',
  scope: B | S,
  centred: true,
  write(out, view, s) {
    const name = s.server === null ? null : checkName(view, s);
    if (name === null) return;
    const code = checkCode(view, s);
    const took = checkMs(view, s);
    const visible = `${name}${code === null ? '' : `/${code}`}${took === null ? '' : ` in ${took}ms`}`;
    const info = checkInfo(view, s);
    const hidden = `${checkText(view, s)}${info ? `: ${info}` : ''}`;
    writeTip(
      out,
      () => out.text(escapeHtml(visible)),
      () => out.text(`<b>${escapeHtml(hidden)}</b>`),
    );
  },
};

export const CELLS: readonly Cell[] = [
  number('Queue', 'Cur', 'qcur'),
  number('Queue', 'Max', 'qmax'),
  { ...number('Queue', 'Limit', 'qlimit', [], '-'), scope: S },
  number('Session rate', 'Cur', 'rate', RATE_TIPS),
  number('Session rate', 'Max', 'rate_max', RATE_MAX_TIPS),
  text('Session rate', 'Limit', F, false, (view, s) => String(read('rate_lim')(view, s) || '-')),
  number('Sessions', 'Cur', 'scur', CURRENT_TIPS),
  number('Sessions', 'Max', 'smax'),
  number('Sessions', 'Limit', 'slim', [], '-'),
  number('Sessions', 'Total', 'stot', TOTAL_TIPS),
  number('Sessions', 'LbTot', 'lbtot'),
  text('Sessions', 'Last', B | S, false, (view, s) => {
    const seconds = lastsess(view, s) as number;
    return seconds < 0 ? '?' : age(seconds);
  }),
  number('Bytes', 'In', 'bin'),
  number('Bytes', 'Out', 'bout', BYTES_TIPS),
  number('Denied', 'Req', 'dreq'),
  number('Denied', 'Resp', 'dresp'),
  number('Errors', 'Req', 'ereq'),
  number('Errors', 'Conn', 'econ'),
  number('Errors', 'Resp', 'eresp', ABORT_TIPS),
  number('Warnings', 'Retr', 'wretr'),
  number('Warnings', 'Redis', 'wredis'),
  STATUS,
  LAST_CHECK,
  text('Server', 'Wght', B | S, true, (view, s) => `${weight(view, s)}/${uweight(view, s)}`),
  text('Server', 'Act', B | S, true, (view, s) => count(active(view, s), s)),
  text('Server', 'Bck', B | S, true, (view, s) => count(backup(view, s), s)),
  number('Server', 'Chk', 'chkfail', CHECK_TIPS),
  number('Server', 'Dwn', 'chkdown'),
  text('Server', 'Dwntme', B | S, false, (view, s) => {
    const seconds = downtime(view, s);
    return seconds === null ? '' : age(seconds as number);
  }),
  text('Server', 'Thrtle', S, true, (view, s) => {
    const percent = throttled(view, s);
    return percent === null ? '-' : `${percent}%`;
  }),
];

const MODULES = ['ssl', 'h1', 'h2'].map(name => ({
  name,
  tips: MODULE_COLUMNS.filter(c => c.name.startsWith(`${name}_`)).map(c => tip(`${c.name}:`, c.scope, c.name)),
}));

/** What `stats show-modules` adds: the columns of each protocol module. */
export const MODULES_CELL: Cell = {
  group: 'Extra modules',
  title: '',
  scope: LFBS,
  centred: true,
  write(out, view, s) {
    for (const { name, tips } of MODULES) {
      if (!tips.some(line => line.scope & s.scope)) continue;
      writeTip(
        out,
        () => out.text(name),
        () => writeTips(out, view, s, tips),
      );
      out.text(' ');
    }
  },
};
