/** The JSON format: the typed format's facts as objects, without white space. */
import { PLACED } from './columns.ts';
import { type Field, NATURES, ORIGINS, SCOPES } from './fields.ts';
import type { Out } from './out.ts';
import type { StatFormat } from './stat.ts';
import { B, F, L, S } from './view.ts';

/** The names of the kinds of rows. */
export const OBJECTS: Readonly<Record<number, string>> = {
  [F]: 'Frontend',
  [B]: 'Backend',
  [S]: 'Server',
  [L]: 'Listener',
};

/** The members of one value, without the braces and what else the object says. */
export function jsonMembers(out: Out, pos: number, field: Field, value: number | string): void {
  const [origin, nature, scope] = field.tags;
  out.text(`"field":{"pos":${pos},"name":"${field.name}"},"processNum":1,`);
  out.text(`"tags":{"origin":"${ORIGINS[origin!]}","nature":"${NATURES[nature!]}","scope":"${SCOPES[scope!]}"},`);
  out.text(`"value":{"type":"${field.type}","value":`);
  if (Number.isInteger(value)) out.number(value as number);
  else out.text(JSON.stringify(value));
  out.text('}');
}

/** An array with an array for each row, which holds an object for each value. */
export const STAT_JSON: StatFormat = {
  begin(out) {
    out.text('[');
  },
  row(out, view, s) {
    out.text(s.rows++ === 0 ? '[' : ',[');
    const head = `"objType":"${OBJECTS[s.scope]}","proxyId":${s.proxy.id},"id":${s.server?.id ?? s.bind?.id ?? 0},`;
    let first = true;
    for (const { pos, column } of PLACED[s.scope]!) {
      const value = column.value(view, s);
      if (value === null) continue;
      out.text(first ? '{' : ',{');
      first = false;
      out.text(head);
      jsonMembers(out, pos, column, value);
      out.text('}');
    }
    out.text(']');
  },
  end(out) {
    out.text(']\n');
  },
};
