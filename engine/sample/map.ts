/**
 * Maps (manual 7.3.1, 2.7): `map_<match>_<output>(file,default)` in all forms. The file is read and checked with the
 * configuration; each worker looks it up in its own structure (book.ts).
 */
import { textOf } from '../http/chars.ts';
import type { Book } from './book.ts';
import { cast } from './cast.ts';
import { type MatchName, matchMethod } from './pattern.ts';
import { isOfType } from './pattern-changes.ts';
import { addHead, eachEntry, type PatternRef, readPatternFile } from './pattern-ref.ts';
import type { RegexList } from './pattern-sets.ts';
import { expand } from './replacement.ts';
import { type ConverterRow, converter, type Extras } from './row.ts';
import { ADDR, bytesOf, type Sample, SINT, STR, type Type, type TypeName, view } from './sample.ts';
import { putText } from './text-out.ts';

/** What the values of a map become: [suffix, type]. */
const OUTPUTS: readonly (readonly [string, TypeName])[] = [
  ['', 'str'],
  ['_str', 'str'],
  ['_int', 'sint'],
  ['_ip', 'addr'],
];
const OUTPUT_TYPE: Readonly<Record<string, Type>> = { str: STR, sint: SINT, addr: ADDR };
/** How keys are matched: [part of the name, method, input]. */
const MATCHES: readonly (readonly [string, MatchName, TypeName])[] = [
  ['_str', 'str', 'str'],
  ['_beg', 'beg', 'str'],
  ['_sub', 'sub', 'str'],
  ['_dir', 'dir', 'str'],
  ['_dom', 'dom', 'str'],
  ['_end', 'end', 'str'],
  ['_reg', 'reg', 'str'],
  ['_int', 'int', 'sint'],
  ['_ip', 'ip', 'addr'],
];

/** What is wrong with the entries of a map: a key that its method cannot read, a value that is not of the type. */
function mapProblem(file: PatternRef, match: MatchName, output: TypeName): string | null {
  const method = matchMethod(match)!;
  const { bytes: text } = file;
  let problem: string | null = null;
  eachEntry(text, true, (start, end, valueStart, valueEnd, line) => {
    if (problem !== null) return;
    const bad = method.checked ? method.problem(view(text).toString('utf8', start, end)) : null;
    const value = text.subarray(valueStart, valueEnd);
    if (bad !== null) problem = `${bad} at line ${line} of file '${file.name}'`;
    else if (output !== 'str' && !isOfType(value, output)) {
      problem = `unable to parse '${view(value)}' at line ${line} of file '${file.name}'`;
    }
  });
  return problem;
}

function mapExtras(name: string, match: MatchName, output: TypeName): Extras {
  return {
    check: (args, resources) => {
      const path = typeof args[0] === 'string' ? args[0] : '';
      const ref = readPatternFile(resources, path, true);
      if (typeof ref === 'string') return ref;
      args[0] = ref;
      // Another line may have had it checked.
      return addHead(ref, { match, fold: false, output }) ? mapProblem(ref, match, output) : null;
    },
    good: [`${name}(virt@m)`, `${name}(virt@m,1.2.3.4)`].slice(0, name.endsWith('_int') ? 1 : 2),
    bad: [
      [`${name}(/nonexistent)`, `invalid args in converter '${name}' : failed to open pattern file </nonexistent>`],
    ],
  };
}

/** Puts what an entry gives into the sample; false when it is nothing. */
type Give = (sample: Sample, book: Book, entry: number) => boolean;

function giveValue(output: TypeName): Give {
  const type = OUTPUT_TYPE[output]!;
  return (sample, { entries }, entry) => {
    sample.setStr(entries.valueBytes(entry), entries.valueStart(entry), entries.valueEnd(entry));
    return cast(sample, type);
  };
}

/** The key as it was found in the file. */
const giveKey: Give = (sample, { entries }, entry) =>
  sample.setStr(entries.keyBytes(entry), entries.keyStart(entry), entries.keyEnd(entry));

/** The value with its back references replaced. */
const giveExpanded: Give = (sample, { entries, set }, entry) => {
  const found = (set as RegexList).made(entry).exec(sample.text())!;
  return putText(
    sample,
    expand(textOf(entries.valueBytes(entry), entries.valueStart(entry), entries.valueEnd(entry)), found),
  );
};

/** What the matching entry gives, or the default. */
function map(match: MatchName, output: TypeName, give: Give): ConverterRow['make'] {
  const method = matchMethod(match)!;
  const type = OUTPUT_TYPE[output]!;
  return (args, env) => {
    const book = env.books.get(args.patterns(0), method, false);
    const otherwise = bytesOf(String(args.list[1] ?? ''));
    const hasDefault = args.has(1);
    return sample => {
      const entry = book.find(sample);
      if (entry >= 0) return give(sample, book, entry);
      return hasDefault && sample.setStr(otherwise, 0, otherwise.length) && cast(sample, type);
    };
  };
}

function mapRow(name: string, match: MatchName, input: TypeName, output: TypeName, give: Give): ConverterRow {
  const args = give === giveKey ? 'file:str' : `file:str [default:${output === 'sint' ? 'int' : 'str'}]`;
  const doc = `Looks the value up in a map by ${match}.`;
  const extras = mapExtras(name, match, output);
  const good = give === giveKey ? [`${name}(virt@m)`] : extras.good!;
  return converter(name, args, input, output, doc, map(match, output, give), { ...extras, good });
}

/** All forms: `map`, `map_str`, `map_beg_int` ... */
export const MAP_CONVERTERS: readonly ConverterRow[] = [
  mapRow('map', 'str', 'str', 'str', giveValue('str')),
  ...MATCHES.flatMap(([part, match, input]) => [
    ...OUTPUTS.map(([suffix, output]) => mapRow(`map${part}${suffix}`, match, input, output, giveValue(output))),
    mapRow(`map${part}_key`, match, input, 'str', giveKey),
  ]),
  mapRow('map_regm', 'reg', 'str', 'str', giveExpanded),
];
