/**
 * The typed format (management manual, 9.2): one value on each line, with its marks.
 *
 *   F.2.0.17.status.1:SGPV:str:OPEN        <object>.<proxy>.<id>.<position>.<name>.<process>:<tags>:<type>:<value>
 */
import { PLACED } from './columns.ts';
import type { Field } from './fields.ts';
import type { Out } from './out.ts';
import type { StatFormat } from './stat.ts';
import { B, F, L, S } from './view.ts';

const LETTERS: Readonly<Record<number, string>> = { [F]: 'F', [B]: 'B', [S]: 'S', [L]: 'L' };

/** One line without the object that goes before it. The value goes to the end of its line: it may hold colons. */
export function typedLine(out: Out, pos: number, field: Field, value: number | string, describe: boolean): void {
  out.number(pos);
  out.text(`.${field.name}.1:${field.tags}:${field.type}:`);
  out.value(typeof value === 'string' ? value.replace(/[\r\n]+/g, ' ') : value);
  if (describe) out.text(`:"${field.title}"`);
  out.text('\n');
}

function format(describe: boolean): StatFormat {
  return {
    row(out, view, s) {
      const id = s.server?.id ?? s.bind?.id ?? 0;
      const object = `${LETTERS[s.scope]}.${s.proxy.id}.${id}.`;
      for (const { pos, column } of PLACED[s.scope]!) {
        const value = column.value(view, s);
        if (value === null) continue;
        out.text(object);
        typedLine(out, pos, column, value, describe);
      }
    },
  };
}

export const STAT_TYPED = format(false);
export const STAT_TYPED_DESC = format(true);
