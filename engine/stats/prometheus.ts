/**
 * The text format of Prometheus (exposition format 0.0.4): all lines of a metric together, so every metric walks over all
 * things that have it.
 *
 *   # HELP haproxy_server_bytes_in_total Bytes of requests
 *   # TYPE haproxy_server_bytes_in_total counter
 *   haproxy_server_bytes_in_total{proxy="app",server="s1"} 1234
 */
import type { Value } from './fields.ts';
import { type Dump, type Out, steppedDump } from './out.ts';
import { G, type PrometheusFilter, R, T } from './prometheus-filter.ts';
import { METRICS } from './prometheus-metrics.ts';
import { escapeLabel, type Metric } from './prometheus-process.ts';
import { matches, moveTo } from './stat.ts';
import { Subject, type View } from './view.ts';

export const PROMETHEUS_TYPE = 'text/plain; version=0.0.4';

/** `now` is milliseconds of the shared clock. */
export function dumpPrometheus(view: View, filter: PrometheusFilter, now: number): Dump {
  const s = new Subject(now, false);
  const walk = new Walk(view, s, filter);
  const writer = new Writer(walk);
  const metrics = METRICS.filter(m => m.scope & filter.scopes && (!m.extra || filter.extraCounters));
  const wanted = metrics.filter(m => filter.wants(m.name));
  let at = 0;
  return steppedDump(out => {
    const metric = wanted[at];
    if (metric === undefined) return false;
    if (!walk.next(metric.scope)) {
      at++;
      return true;
    }
    writer.begin(out, metric);
    metric.lines(view, s, writer.line);
    return true;
  });
}

/** Points the subject at one thing of a kind after the other. */
class Walk {
  readonly #view: View;
  readonly #s: Subject;
  readonly #filter: PrometheusFilter;
  /** The labels of each thing, as they were made for the first metric of its kind. */
  readonly #labels = new Map<unknown, string>();
  #proxy = 0;
  #nth = 0;
  labels = '';

  constructor(view: View, s: Subject, filter: PrometheusFilter) {
    this.#view = view;
    this.#s = s;
    this.#filter = filter;
  }

  /** False after the last one; the walk then begins anew. */
  next(scope: number): boolean {
    if (scope === G) return this.#process();
    if (scope === T) return this.#table();
    return scope === R ? this.#nameserver() : this.#thing(scope);
  }

  #table(): boolean {
    const table = this.#view.tables[this.#nth++];
    if (table === undefined) return this.#again();
    this.#s.index = table.spec.index;
    this.labels = this.#once(table, () => `name="${escapeLabel(table.spec.name)}",type="${table.spec.key}"`);
    return true;
  }

  #nameserver(): boolean {
    const found = this.#view.nameservers[this.#nth++];
    if (found === undefined) return this.#again();
    this.#s.index = this.#nth - 1;
    const { section, name } = found;
    this.labels = this.#once(found, () => `resolver="${escapeLabel(section)}",nameserver="${escapeLabel(name)}"`);
    return true;
  }

  #again(): false {
    this.#nth = 0;
    return false;
  }

  #once(thing: unknown, make: () => string): string {
    let labels = this.#labels.get(thing);
    if (labels === undefined) {
      labels = make();
      this.#labels.set(thing, labels);
    }
    return labels;
  }

  #process(): boolean {
    const { description } = this.#view.model.global;
    this.labels = this.#filter.descLabels && description !== null ? `desc="${escapeLabel(description)}"` : '';
    this.#nth = 1 - this.#nth;
    return this.#nth === 1;
  }

  #thing(scope: number): boolean {
    const { proxies } = this.#view.model;
    for (; this.#proxy < proxies.length; this.#proxy++, this.#nth = 0) {
      const proxy = proxies[this.#proxy]!;
      if (proxy.disabled) continue;
      while (moveTo(this.#view, this.#s, proxy, this.#nth++, { type: scope }) !== null) {
        if (!matches(this.#view, this.#s, { noMaint: this.#filter.noMaint })) continue;
        this.labels = this.#labelsOf(this.#s);
        return true;
      }
    }
    this.#proxy = 0;
    return this.#again();
  }

  #labelsOf({ proxy, server, bind }: Subject): string {
    return this.#once(server ?? bind ?? proxy, () => {
      let labels = `proxy="${escapeLabel(proxy.name)}"`;
      if (bind !== null) labels += `,listener="${escapeLabel(bind.name)}"`;
      if (server !== null) labels += `,server="${escapeLabel(server.name)}"`;
      if (this.#filter.descLabels && proxy.description !== null) labels += `,desc="${escapeLabel(proxy.description)}"`;
      return labels;
    });
  }
}

class Writer {
  readonly #walk: Walk;
  #out!: Out;
  #metric: Metric | null = null;
  /** Its two lines of comment are written: with its first line. */
  #headed = false;

  constructor(walk: Walk) {
    this.#walk = walk;
  }

  begin(out: Out, metric: Metric): void {
    this.#out = out;
    if (metric !== this.#metric) this.#headed = false;
    this.#metric = metric;
  }

  readonly line = (suffix: string, label: string, value: Value): void => {
    const out = this.#out;
    const { name, type, help } = this.#metric!;
    const { labels } = this.#walk;
    if (!this.#headed) out.text(`# HELP ${name} ${help}\n# TYPE ${name} ${type}\n`);
    this.#headed = true;
    out.text(name);
    out.text(suffix);
    if (labels !== '' || label !== '') {
      out.text('{');
      out.text(labels);
      if (labels !== '' && label !== '') out.text(',');
      out.text(label);
      out.text('}');
    }
    out.text(' ');
    if (Number.isInteger(value)) out.number(value as number);
    else out.text(value === null ? 'NaN' : String(value));
    out.text('\n');
  };
}
