/** `-dK`: ACL keywords, converters and fetches, in HAProxy's lines. */
import { ACL_KEYWORDS } from '../engine/sample/acl-line.ts';
import { type ArgSpec, nounOf } from '../engine/sample/arguments.ts';
import { CONVERTERS } from '../engine/sample/converters.ts';
import { FETCHES } from '../engine/sample/fetches.ts';
import { isSeen, POINTS, pointName } from '../engine/sample/points.ts';
import { TYPE_NAMES } from '../engine/sample/sample.ts';

const inOrder = <T>(rows: Iterable<readonly [string, T]>) => [...rows].sort(([a], [b]) => (a < b ? -1 : 1));

/** `hdr_beg = req.hdr -m beg` */
export function aclLines(): string[] {
  return inOrder(ACL_KEYWORDS).map(([name, { fetch, match }]) => `${name} = ${fetch.name} -m ${match}`);
}

/** `add(string): sint => sint` */
export function converterLines(): string[] {
  const known = inOrder(CONVERTERS).filter(([, { status }]) => status === 'supported');
  return known.map(([name, row]) => `${name}${argsText(row.args)}: ${TYPE_NAMES[row.in]} => ${TYPE_NAMES[row.out]}`);
}

/** A matrix of the places that see each fetch, below their names. */
export function fetchLines(): string[] {
  const known = inOrder(FETCHES).filter(([, { status }]) => status === 'supported');
  const rows = known.map(([name, { from, args, out }]) => {
    const seen = POINTS.map(point => (isSeen(from, point) ? 'Y' : '.'));
    return `[ ${seen.join(' ')} ] ${name}${argsText(args)}: ${TYPE_NAMES[out]}`;
  });
  return [...legend(), ...rows];
}

/** The names of the columns, each with a line that leads down to it. */
function legend(): string[] {
  const width = POINTS.length;
  const lines = POINTS.map((point, i) => {
    const indent = ' '.repeat(width - i + 1);
    return `#${indent}${'/ '.repeat(i)}_.${'-'.repeat(width - i)} ${pointName(point)}`;
  });
  return [...lines, `# ${'/ '.repeat(width)}`, `# ${'| '.repeat(width)}`].map(line => line.trimEnd());
}

/** `(string[,integer])`; the optional ones in brackets. */
function argsText(specs: readonly ArgSpec[]): string {
  if (specs.length === 0) return '';
  const needed = specs.filter(({ optional }) => !optional).map(({ type }) => nounOf(type));
  const more = specs.filter(({ optional }) => optional).map(({ type }) => nounOf(type));
  const tail = more.length === 0 ? '' : `[${needed.length > 0 ? ',' : ''}${more.join(',')}]`;
  return `(${needed.join(',')}${tail})`;
}
