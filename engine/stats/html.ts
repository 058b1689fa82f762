/** The statistics page: laid out as operators know it, written row by row like any other format. */

import { isBackend, isFrontend } from '../config/model.ts';
import type { Proxy, StatsPage } from '../config/proxy-model.ts';
import { isNowhere } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { COUNTERS } from '../shm/counters.ts';
import { SERVER } from '../shm/words.ts';
import { CELLS, type Cell, MODULES_CELL } from './cells.ts';
import { durationText, PRODUCT } from './info.ts';
import { escapeHtml, writeTip } from './markup.ts';
import type { Dump, Out } from './out.ts';
import { dumpRows, type StatFilter, type StatFormat } from './stat.ts';
import { serverStatus } from './status.ts';
import { STYLE } from './style.ts';
import { B, F, L, S, Subject, type View } from './view.ts';

/** What the request asks of the page. */
interface PageRequest {
  readonly page: StatsPage;
  readonly filter: StatFilter;
  readonly up: boolean;
  readonly norefresh: boolean;
  /** Only proxies with this in their name; '' = all. */
  readonly scope: string;
  /** How the last action went; null = there was none. */
  readonly outcome: Outcome | null;
}

/** How an action went: what the page says, and in which colour. */
export const OUTCOMES = {
  DONE: ['active_up', 'Action processed successfully.'],
  NONE: ['active_going_down', 'Nothing has changed.'],
  PART: ['active_going_down', 'Action partially processed: some servers are unknown or did not change.'],
  ERRP: ['active_down', 'Action not processed: the action, the backend or the servers are unknown.'],
  EXCD: ['active_down', 'Action not processed: too many servers at a time.'],
  DENY: ['active_down', 'Action denied.'],
} as const;

export type Outcome = keyof typeof OUTCOMES;

/** What an administrator may do to the checked servers: its name in the form, and the text in the list. */
export const ACTIONS = {
  ready: 'Set state to READY',
  drain: 'Set state to DRAIN',
  maint: 'Set state to MAINT',
  dhlth: 'Health: disable checks',
  ehlth: 'Health: enable checks',
  hrunn: 'Health: force UP',
  hnolb: 'Health: force NOLB',
  hdown: 'Health: force DOWN',
  dagent: 'Agent: disable checks',
  eagent: 'Agent: enable checks',
  arunn: 'Agent: force UP',
  adown: 'Agent: force DOWN',
  shutdown: 'Kill Sessions',
} as const;

/** What programs that post the form may say instead: `maint` and `drain` one by one, and only where they change something. */
export const OLD_ACTIONS = ['disable', 'enable', 'stop', 'start'] as const;

export type Action = keyof typeof ACTIONS | (typeof OLD_ACTIONS)[number];

/** The page. `now` is milliseconds of the shared clock. */
export function dumpPage(view: View, request: PageRequest, now: number): Dump {
  return dumpRows(view, format(request), request.filter, new Subject(now, request.page.showLegends));
}

function format(request: PageRequest): StatFormat {
  const { admin, showModules } = request.page;
  const cells = showModules ? [...CELLS, MODULES_CELL] : CELLS;
  const heads = headings(cells);
  return {
    begin(out, view, s) {
      writeHead(out, view, request);
      writeProcess(out, view, s, request);
    },
    beginProxy(out, _, s, proxy) {
      writeProxyHead(out, s, proxy, heads, admin && isBackend(proxy));
    },
    row(out, view, s) {
      writeRow(out, view, s, cells, admin && isBackend(s.proxy));
    },
    endProxy(out, _, __, proxy) {
      out.text('</tbody></table>');
      if (admin && isBackend(proxy)) writeActions(out, proxy);
    },
    end(out) {
      out.text('</body></html>\n');
    },
  };
}

// --- the head ---

/** The page's address with its options; `scope` is a query of its own, as HAProxy writes it. */
function link(request: PageRequest, options: string): string {
  return escapeHtml(
    `${request.page.uri}${options}${request.scope === '' ? '' : `?scope=${encodeURIComponent(request.scope)}`}`,
  );
}

function writeHead(out: Out, view: View, { page }: PageRequest): void {
  const node = page.showNode === null ? '' : ` on ${escapeHtml(page.showNode)}`;
  const description = page.showDesc === null ? '' : `: ${escapeHtml(page.showDesc)}`;
  const { version, releaseDate, pid } = view.facts;
  const release = page.hideVersion ? '' : escapeHtml(` version ${version}, released ${releaseDate}`);
  out.text(`<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Statistics Report for ${PRODUCT}${node}</title>
<link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><h1>${PRODUCT}${release}</h1>
<h2 class="top">Statistics Report for pid ${pid}${node}${description}</h2>
<h3>&gt; General process information</h3>\n`);
}

const LEGEND: readonly (readonly [colour: string, text: string, other: string, otherColour: string])[] = [
  ['active_up', 'active UP', 'backup UP', 'backup_up'],
  ['active_going_down', 'active UP, going down', 'backup UP, going down', 'backup_going_down'],
  ['active_going_up', 'active DOWN, going up', 'backup DOWN, going up', 'backup_going_up'],
  ['active_down', 'active or backup DOWN', 'not checked', 'active_no_check'],
];
const WIDE_LEGEND: readonly (readonly [colour: string, text: string])[] = [
  ['maintain', 'active or backup DOWN for maintenance (MAINT)'],
  ['active_draining', 'active or backup SOFT STOPPED for maintenance'],
];

function writeProcess(out: Out, view: View, s: Subject, request: PageRequest): void {
  const { facts } = view;
  const uptime = durationText(view.since(s, view.process('start_second')));
  const kbps = ((view.rate(s, COUNTERS.at.bytes_out_rate) * 8) / 1000).toFixed(3);
  out.text(`<div class="info"><div>
<b>pid = </b> ${facts.pid} (process #1, nbproc = 1, nbthread = ${facts.nbthread})<br>
<b>uptime = </b> ${uptime}<br>
<b>system limits:</b> memmax = unlimited; ulimit-n = ${facts.ulimitN}<br>
<b>maxsock = </b> ${facts.maxsock}; <b>maxconn = </b> ${view.process('maxconn')}; <b>maxpipes = </b> 0<br>
current conns = ${view.process('conns')}; current pipes = 0/0; conn rate = ${view.rate(s, COUNTERS.at.conn_rate)}/sec; bit rate = ${kbps} kbps<br>
Running tasks: ${view.streams}/${view.process('conns') + view.streams}; idle = ${view.idlePercent} %</div>\n<div><table class="legend">`);
  for (const [colour, text, other, otherColour] of LEGEND) {
    out.text(
      `<tr><td class="key ${colour}"></td><td>${text}</td><td class="key ${otherColour}"></td><td>${other}</td></tr>`,
    );
  }
  for (const [colour, text] of WIDE_LEGEND) {
    out.text(`<tr><td class="key ${colour}"></td><td colspan="3">${text}</td></tr>`);
  }
  out.text('</table>Note: "NOLB"/"DRAIN" = UP with load-balancing disabled.</div>\n');
  writeOptions(out, request);
  out.text(`<div><b>External resources:</b><ul>
<li><a href="https://docs.haproxy.org/">Manuals of the configuration language</a></li></ul></div></div>\n`);
  if (request.outcome === null) return;
  const [colour, text] = OUTCOMES[request.outcome];
  out.text(
    `<p class="note ${colour}"><a href="${link(request, keep(request))}" title="Remove this message">[X]</a> ${text}</p>\n`,
  );
}

/** The options in force, as they stand in an address. */
function keep(request: PageRequest): string {
  return `${request.up ? ';up' : ''}${request.norefresh ? ';norefresh' : ''}`;
}

function writeOptions(out: Out, request: PageRequest): void {
  const { page, up, norefresh } = request;
  // A form replaces the address's query: what the page's own address has of it goes along as hidden fields.
  const query = page.uri.indexOf('?');
  const own = query < 0 ? [] : [...new URLSearchParams(page.uri.slice(query + 1))];
  const hidden = own.map(
    ([name, value]) => `<input type="hidden" name="${escapeHtml(name)}" value="${escapeHtml(value)}">`,
  );
  const stays = norefresh ? ';norefresh' : '';
  out.text(`<div><b>Display option:</b><ul>
<li><form>${hidden.join('')}Scope : <input name="scope" value="${escapeHtml(request.scope)}" size="8" maxlength="20"></form></li>
<li><a href="${link(request, up ? stays : `;up${stays}`)}">${up ? 'Show all servers' : "Hide 'DOWN' servers"}</a></li>\n`);
  if (page.refreshSeconds > 0) {
    const turned = `${up ? ';up' : ''}${norefresh ? '' : ';norefresh'}`;
    out.text(`<li><a href="${link(request, turned)}">${norefresh ? 'Enable' : 'Disable'} refresh</a></li>\n`);
  }
  out.text(`<li><a href="${link(request, keep(request))}">Refresh now</a></li>
<li><a href="${link(request, ';csv;norefresh')}">CSV export</a></li>
<li><a href="${link(request, ';json;norefresh')}">JSON export</a> (<a href="${link(request, ';json-schema')}">schema</a>)</li></ul></div>\n`);
}

// --- proxies ---

/** The two heading rows without what stands before the cells. */
function headings(cells: readonly Cell[]): string {
  const sizes = new Map<string, number>();
  for (const { group } of cells) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const groups = [...sizes].map(([name, size]) => `<th colspan="${size}">${name}</th>`);
  return `${groups.join('')}</tr><tr class="head">${cells.map(c => `<th>${c.title}</th>`).join('')}`;
}

function writeProxyHead(out: Out, s: Subject, proxy: Proxy, heads: string, form: boolean): void {
  const name = escapeHtml(proxy.name);
  const anchor = () => out.text(`<a id="${name}" href="#${name}">${name}</a>`);
  out.text(form ? '<form method="post"><div class="name"><div>' : '<div class="name"><div>');
  const cap = [isFrontend(proxy) ? 'frontend' : '', isBackend(proxy) ? 'backend' : ''].filter(Boolean).join(' + ');
  if (s.legends) writeTip(out, anchor, () => out.text(`<b>cap: ${cap}, mode: ${proxy.mode}, id: ${proxy.id}</b>`));
  else anchor();
  out.text('</div>');
  if (proxy.description !== null) out.text(`<div class="desc">${escapeHtml(proxy.description)}</div>`);
  const all = `<input type="checkbox" onclick="for (const e of this.form.elements) if (e.name === 's') e.checked = this.checked">`;
  out.text(
    `</div><table class="rows"><thead><tr class="head"><th rowspan="2">${form ? all : ''}</th><th rowspan="2"></th>`,
  );
  out.text(`${heads}</tr></thead><tbody>\n`);
}

const ROW_CLASSES: Readonly<Record<number, string>> = { [F]: 'frontend', [B]: 'backend', [L]: 'listener' };

/** The colour of a row. A server that is up and has no weight looks like one being drained. */
function rowClass(view: View, s: Subject): string {
  if (s.server === null) return ROW_CLASSES[s.scope]!;
  const { colour } = serverStatus(view, s);
  if (colour === 'maintain') return colour;
  const idle = colour === 'up' && view.word(s, SERVER.at.uweight) === 0;
  return `${s.server.backup ? 'backup' : 'active'}_${idle ? 'draining' : colour}`;
}

function writeRow(out: Out, view: View, s: Subject, cells: readonly Cell[], form: boolean): void {
  out.text(`<tr class="${rowClass(view, s)}"><td>`);
  if (form && s.server !== null) out.text(`<input type="checkbox" name="s" value="${escapeHtml(s.server.name)}">`);
  out.text('</td><td class="c">');
  writeName(out, view, s);
  out.text('</td>');
  for (let i = 0; i < cells.length; ) {
    const span = emptySpan(cells, i, s.scope);
    if (span > 0) {
      out.text(span > 1 ? `<td colspan="${span}"></td>` : '<td></td>');
      i += span;
    } else {
      writeCell(out, view, s, cells[i++]!);
    }
  }
  out.text('</tr>\n');
}

function writeCell(out: Out, view: View, s: Subject, cell: Cell): void {
  out.text(cell.centred ? '<td class="c">' : '<td>');
  cell.write(out, view, s);
  out.text('</td>');
}

/** How many cells from `from` on are empty in such rows and are drawn as one: three or more of a group, else one by one. */
function emptySpan(cells: readonly Cell[], from: number, scope: number): number {
  let n = 0;
  while (from + n < cells.length && cells[from + n]!.group === cells[from]!.group && !(cells[from + n]!.scope & scope))
    n++;
  return n >= 3 ? n : Math.min(n, 1);
}

function writeName(out: Out, view: View, s: Subject): void {
  const { server, bind, proxy } = s;
  const label = server?.name ?? bind?.name ?? (s.scope === F ? 'Frontend' : 'Backend');
  const id = escapeHtml(`${proxy.name}/${bind === null ? '' : '+'}${label}`);
  const anchor = () => out.text(`<a id="${id}" href="#${id}">${escapeHtml(label)}</a>`);
  const details = s.legends ? detailsOf(view, s) : '';
  if (details === '') anchor();
  else writeTip(out, anchor, () => out.text(`<b>${escapeHtml(details)}</b>`));
}

const FAMILIES = { 1: 'unix', 4: 'IPv4: ', 6: 'IPv6: ' } as const;

function whereIs(view: View, address: Address): string {
  if (isNowhere(address)) return 'no address';
  return `${FAMILIES[address.family]}${address.family === 1 ? '' : view.address(address)}`;
}

/** What `stats show-legends` tells of a row. */
function detailsOf(view: View, s: Subject): string {
  const { server, bind, proxy } = s;
  if (s.scope === F) return '';
  if (s.scope === B)
    return `balancing: ${proxy.balance.algorithm}${proxy.cookie ? `, cookie: '${proxy.cookie.name}'` : ''}`;
  const address = server === null ? bind!.address : view.serverAddress(s);
  const where = address === null ? bind!.text : whereIs(view, address);
  const cookie = s.scope === S && server!.cookie !== null ? `, cookie: '${server!.cookie}'` : '';
  return `${where}, id: ${server?.id ?? bind!.id}${cookie}`;
}

const ACTION_LIST = Object.entries(ACTIONS)
  .map(([name, text]) => `<option value="${name}">${text}</option>`)
  .join('');

function writeActions(out: Out, proxy: Proxy): void {
  out.text(`Choose the action to perform on the checked servers : <select name="action"><option value=""></option>${ACTION_LIST}</select>
<input type="hidden" name="b" value="#${proxy.id}"> <input type="submit" value="Apply"></form>\n`);
}
