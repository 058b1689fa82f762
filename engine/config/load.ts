/** The entry: lines in, the model out. Everything that is wrong is in the diagnostics, not only the first thing. */
import { checkTls } from '../tls/check.ts';
import { useProviders } from '../tls/providers.ts';
import { buildModel } from './build.ts';
import { checkDrafts } from './checks.ts';
import { Cursor } from './cursor.ts';
import { locatedFiles } from './default-path.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Resources } from './draft.ts';
import type { Model } from './model.ts';
import { type Desk, newDrafts, type Reader, SECTIONS } from './sections.ts';
import { StateFiles } from './server-state.ts';
import { didYouMean } from './suggest.ts';
import type { Line } from './words.ts';

const BY_KEYWORD = new Map(SECTIONS.map(section => [section.keyword, section]));

/**
 * Makes the model of a configuration.
 * @param lines of all files, as `readLines` gives them
 * @returns the frozen model, or null when there is an error
 */
export function loadModel(lines: readonly Line[], diagnostics: Diagnostics, resources: Resources): Model | null {
  const drafts = newDrafts();
  const located = locatedFiles(resources, drafts.global);
  const desk: Desk = { drafts, diagnostics, resources: located };
  let reader: Reader = line => outOfSection(new Cursor(line, diagnostics));
  for (const line of lines) {
    located.enter(line.file);
    const section = BY_KEYWORD.get(line.words[0]!.text);
    if (section === undefined) reader(line);
    else {
      const cursor = new Cursor(line, diagnostics);
      cursor.next();
      reader = section.open(cursor, desk);
    }
  }
  checkDrafts(drafts, diagnostics);
  if (drafts.global.zeroWarning && diagnostics.list.some(d => d.severity === 'warning')) {
    diagnostics.report('alert', null, "some warnings were found and 'zero-warning' is set. Aborting");
  }
  if (diagnostics.fatal) return null;
  // They are read where the process runs, whatever the lines say of other files.
  const states = new StateFiles(drafts.global, resources, diagnostics);
  const undo = useProviders(drafts.global.tls, diagnostics);
  const model = buildModel(drafts, diagnostics, located, states);
  if (!diagnostics.fatal) checkTls(model, diagnostics);
  if (!diagnostics.fatal) return model;
  undo();
  return null;
}

function outOfSection(cursor: Cursor): void {
  const word = cursor.next()!;
  cursor.error(`unknown keyword '${word.text}' out of section`, didYouMean(word.text, BY_KEYWORD.keys()) ?? undefined);
}
