import { describe, expect, test } from 'vitest';
import type { Proxy, StatsPage } from '../../engine/config/proxy-model.ts';
import type { Server } from '../../engine/config/server-model.ts';
import { CELLS } from '../../engine/stats/cells.ts';
import type { Action } from '../../engine/stats/html.ts';
import { age, escapeHtml } from '../../engine/stats/markup.ts';
import { isAllowed, type StatsReply, type StatsRequest, statsReply } from '../../engine/stats/reply.ts';
import { busy, fresh, MODEL, NOW, PAGE, proxy, server, text } from './fixture.ts';

const WEB = MODEL.proxies[0]!;

function ask(
  request: Partial<StatsRequest> = {},
  page: Partial<StatsPage> = {},
  admin = (_: Proxy, __: Action, s: readonly Server[]) => s.length,
): StatsReply {
  const whole = { method: 'GET', uri: PAGE.uri, form: null, ...request };
  return statsReply(busy().view, { ...PAGE, ...page }, WEB, whole, NOW, admin)!;
}

const header = (reply: StatsReply, name: string) => reply.headers.find(h => h[0] === name)?.[1];
const body = (uri: string, page: Partial<StatsPage> = {}) => text(ask({ uri }, page).body!);

const VOID = new Set(['meta', 'link', 'br', 'input']);

/** Throws unless every element is closed where it should be. Returns how often each was seen. */
function wellFormed(html: string): Map<string, number> {
  const open: string[] = [];
  const seen = new Map<string, number>();
  for (const [, end, name] of html.matchAll(/<(\/?)([a-z]\w*)(?:\s+[\w-]+(?:="[^"<]*")?)*\s*>|<!DOCTYPE html>/g)) {
    if (name === undefined || VOID.has(name)) continue;
    if (end === '') {
      open.push(name);
      seen.set(name, (seen.get(name) ?? 0) + 1);
    } else if (open.pop() !== name) {
      throw new Error(`</${name}> closes another element`);
    }
  }
  expect(open).toEqual([]);
  expect(html.replace(/<style>[\s\S]*<\/style>/, '').replace(/<[^<>]*>/g, '')).not.toMatch(/[<>]/);
  return seen;
}

describe('the page', () => {
  test('is well formed and has a table for each proxy', () => {
    const html = body(PAGE.uri);
    const seen = wellFormed(html);
    expect(seen.get('table')).toBe(6);
    expect(seen.get('form')).toBe(5);
    expect(html).toContain('<title>Statistics Report for Sluice on lb1</title>');
    expect(html).toContain('idle = 100 %');
    expect(html).toContain('<tr class="active_going_down">');
    expect(html).toContain('<strong>DOWN</strong>');
  });

  test('each row covers all cells', () => {
    const html = body(PAGE.uri).replace(/<span class="t">.*?<\/span><\/span>/g, '');
    const table = [...html.matchAll(/<tr class="(?!head)[\s\S]*?<\/tr>/g)];
    expect(table).toHaveLength(22);
    for (const [row] of table) {
      const cells = [...row.matchAll(/<td(?: class="c")?(?: colspan="(\d+)")?>/g)];
      expect(cells.reduce((sum, m) => sum + Number(m[1] ?? 1), 0)).toBe(CELLS.length + 2);
    }
  });

  test('what a configuration names cannot become markup', () => {
    const evil = `<script>alert("1")</script>'&`;
    const model = {
      ...MODEL,
      proxies: [proxy(0, 'backend', evil, { servers: [server(0, evil, { cookie: evil })], description: evil })],
    };
    const page = { ...PAGE, showDesc: evil, showNode: evil, uri: '/x?"<b>' };
    const request = { method: 'GET', uri: `${page.uri};up?scope=%3Cscript%3E`, form: null };
    const html = text(statsReply(fresh(model).view, page, model.proxies[0]!, request, NOW, () => 0)!.body!);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('"<b>');
    wellFormed(html);
    expect(escapeHtml('a<b>&"\'\n')).toBe('a&lt;b&gt;&amp;&quot;&#39; ');
  });

  test('options change it', () => {
    expect(body(PAGE.uri)).toContain("Hide 'DOWN' servers");
    const up = body(`${PAGE.uri};up;norefresh?scope=ap`);
    expect(up).toContain('Show all servers');
    expect(up).toContain('Enable refresh');
    expect(up).toContain('href="/haproxy?stats;up?scope=ap"');
    expect(up).toContain('id="app/a"');
    expect(up).not.toContain('id="app/c"');
    expect(up).not.toContain('id="web');
    expect(body(`${PAGE.uri};st=DONE`)).toContain('Action processed successfully.');
    expect(body(PAGE.uri, { hideVersion: true })).not.toContain('0.1.0');
    expect(body(PAGE.uri, { admin: false })).not.toContain('checkbox');
    expect(body(PAGE.uri, { showLegends: false })).not.toContain('127.0.0.1');
    const modules = body(PAGE.uri, { showModules: true });
    wellFormed(modules);
    expect(modules).toContain('<b>h1_total_connections:</b>');
    expect(body(PAGE.uri)).not.toContain('h1_total_connections');
    expect(body(PAGE.uri, { scope: ['.', 'tl'] })).not.toContain('id="app"');
  });

  test('rows of TCP proxies tell nothing of HTTP', () => {
    const html = body(`${PAGE.uri}?scope=tl`);
    expect(html).toContain('<b>Cum. sessions:</b>');
    expect(html).toContain('<b>Active connections limit:</b><span>-</span>');
    expect(html).not.toContain('HTTP 2xx');
    expect(body(PAGE.uri)).toContain('<b>- HTTP 2xx responses:</b><span><i>1</i>200 (80%)</span>');
  });

  test('ages', () => {
    expect([0, 59, 60, 61, 3600, 3725, 86_400, 90_061].map(age)).toEqual([
      '0s',
      '59s',
      '1m',
      '1m1s',
      '1h',
      '1h2m',
      '1d',
      '1d1h',
    ]);
  });
});

describe('replies', () => {
  test('other addresses and methods are not for the page', () => {
    const view = busy().view;
    const request = { method: 'GET', uri: '/other', form: null };
    expect(statsReply(view, PAGE, WEB, request, NOW, () => 0)).toBeNull();
    expect(statsReply(view, PAGE, WEB, { ...request, uri: PAGE.uri, method: 'PUT' }, NOW, () => 0)).toBeNull();
  });

  test('formats, refresh and HEAD', () => {
    const csv = ask({ uri: `${PAGE.uri};csv` });
    expect(text(csv.body!)).toMatch(/^# pxname,/);
    expect(header(csv, 'content-type')).toBe('text/plain');
    expect(header(csv, 'cache-control')).toBe('no-cache');
    expect(header(csv, 'refresh')).toBe('10');
    const json = ask({ uri: `${PAGE.uri};json;norefresh` });
    expect(header(json, 'content-type')).toBe('application/json');
    expect(header(json, 'refresh')).toBeUndefined();
    expect(JSON.parse(text(json.body!))).toHaveLength(22);
    expect(text(ask({ uri: `${PAGE.uri};typed` }).body!)).toMatch(/^F\.2\.0\.0\.pxname/);
    expect(JSON.parse(text(ask({ uri: `${PAGE.uri};json-schema` }).body!)).oneOf).toHaveLength(2);
    expect(ask({ method: 'HEAD' }).body).toBeNull();
  });

  test('a password', () => {
    const page = { ...PAGE, auth: ['admin:secret', 'éva:pässword'] };
    const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;
    for (const wrong of [
      null,
      '',
      'Basic',
      'Basic !',
      basic('admin:secre'),
      basic('admin'),
      'Bearer YWRtaW46c2VjcmV0',
    ]) {
      expect(isAllowed(page, wrong)).toBe(false);
    }
    expect(isAllowed(page, basic('admin:secret'))).toBe(true);
    expect(isAllowed(page, basic('éva:pässword'))).toBe(true);
    expect(isAllowed(PAGE, null)).toBe(true);
  });

  test('actions', () => {
    const done: string[] = [];
    const admin = (p: Proxy, action: Action, servers: readonly Server[]) => {
      done.push(`${action} ${p.name}/${servers.map(s => s.name).join('+')}`);
      return servers.filter(s => s.name !== 'b').length;
    };
    const post = (form: string | null, page: Partial<StatsPage> = {}) => {
      const reply = ask({ method: 'POST', uri: `${PAGE.uri};up;st=NONE?scope=ap`, form }, page, admin);
      expect(reply.status).toBe(303);
      expect(reply.body).toBeNull();
      return header(reply, 'location')!;
    };
    expect(post('s=a&s=c&action=maint&b=%233')).toBe('/haproxy?stats;st=DONE;up?scope=ap');
    expect(post('s=a&s=b&action=ready&b=app')).toContain('st=PART');
    expect(post('s=a&s=zz&action=ready&b=app')).toContain('st=PART');
    expect(post('s=b&action=drain&b=app')).toContain('st=NONE');
    expect(done).toEqual(['maint app/a+c', 'ready app/a+b', 'ready app/a', 'drain app/b']);
    for (const part of ['action=ready&b=app', 's=a&b=app', 's=a&action=ready', 's=a;action=ready;b=app', '']) {
      expect(post(part)).toContain('st=NONE');
    }
    expect(post('s=zz&action=ready&b=app')).toContain('st=ERRP');
    expect(post('s=a&action=toString&b=app')).toContain('st=ERRP');
    expect(post('s=a&action=ready&b=web')).toContain('st=ERRP');
    expect(post(null)).toContain('st=EXCD');
    expect(post('s=a&action=ready&b=app', { admin: false })).toContain('st=DENY');
    expect(done).toHaveLength(4);
    for (const action of ['disable', 'enable', 'stop', 'start']) {
      expect(post(`s=a&action=${action}&b=app`)).toContain('st=DONE');
    }
  });

  test('the page that a form leads back to', () => {
    const to = (options: string) =>
      header(ask({ method: 'POST', uri: `${PAGE.uri}${options}`, form: '' }), 'location')!.slice(PAGE.uri.length);
    expect(to(';norefresh;up;st=DONE;no-maint;csv?scope=ap')).toBe(';st=NONE;up;norefresh?scope=ap');
    expect(to('/x?scope=')).toBe(';st=NONE');
    expect(to('?scope=a%20b&up')).toBe(';st=NONE');
  });

  test('no line of a header can be made from the outside', () => {
    const reply = ask({ method: 'POST', uri: `${PAGE.uri};x\r\nset-cookie: a`, form: '' });
    expect(header(reply, 'location')).not.toMatch(/[\r\n ]/);
  });
});

test('hovering over the sessions tells the percentiles of the times, in milliseconds', () => {
  const { memory, view } = busy();
  const { histograms } = memory;
  for (let i = 1; i <= 100; i++) {
    const at = histograms.at(0, memory.timedRow('server', 0));
    for (const timer of [2, 3]) histograms.record(at, timer, i / 10, NOW);
  }
  const reply = statsReply(view, PAGE, WEB, { method: 'GET', uri: PAGE.uri, form: null }, NOW, () => 0)!;
  const html = text(reply.body!);
  const label = '<b>- Response time, p50 / p90 / p95 / p99 / p99.9 / max:</b>';
  const shown = html.slice(html.indexOf(label) + label.length).match(/^<span>([\d. /]+) ms<\/span>/)![1]!;
  expect(shown.split(' / ').map(Number)).toEqual([5, 9, 9.5, 9.9, 10, 10].map(ms => expect.closeTo(ms, 1)));
  // Only the server that has times.
  expect(html.split(label)).toHaveLength(2);
  expect(html).not.toContain('<b>- Queue time, p50');
});
