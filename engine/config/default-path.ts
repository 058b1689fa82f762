/**
 * `default-path` (manual 3.1): where the files are that the lines of a configuration name by relative paths. Only where they
 * are read changes: their names stay as written, and so do those that the runtime API knows them by.
 */
import type { GlobalDraft, Resources } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

/** With the slash at its end; '' = where the process was started. */
export type FolderOf = (file: string) => string;

/** What stands in the name of a configuration file before its last part. */
const configFolder: FolderOf = file => file.slice(0, file.lastIndexOf('/') + 1);

const POLICIES: Readonly<Record<string, FolderOf>> = {
  current: () => '',
  config: configFolder,
  parent: file => `${configFolder(file)}../`,
};

const MODES = "supported modes include 'current', 'config', 'parent', and 'origin'";

/** The resources of a configuration, with its files where it says that they are. `global` may change its mind while it is read. */
export function locatedFiles(
  outer: Resources,
  global: Pick<GlobalDraft, 'folderOf'>,
): Required<Pick<Resources, 'enter' | 'locate'>> & Resources {
  let current = '';
  const locate = (path: string): string => (path.startsWith('/') ? path : global.folderOf(current) + path);
  return {
    ...outer,
    locate,
    enter: file => {
      current = file;
    },
    readFile: path => outer.readFile(locate(path)),
    readFolder: path => outer.readFolder(locate(path)),
  };
}

export const DEFAULT_PATH: Keyword<GlobalDraft> = supported({
  name: 'default-path',
  where: 'G',
  args: '{ current | config | parent | origin <path> }',
  doc: 'What relative file names are relative to.',
  parse(cursor, global, { resources }) {
    const mode = cursor.next();
    if (mode === null) return cursor.error(`missing default-path mode '' for 'default-path', ${MODES}.`);
    if (mode.text !== 'origin') {
      if (!Object.hasOwn(POLICIES, mode.text)) {
        return cursor.error(`unsupported default-path mode '${mode.text}' for 'default-path', ${MODES}.`);
      }
      global.folderOf = POLICIES[mode.text]!;
      return;
    }
    const origin = cursor.next()?.text ?? '';
    if (origin === '') return cursor.error("'default-path origin' expects a directory as an argument.");
    const before = global.folderOf;
    global.folderOf = () => `${origin}/`;
    if (resources.readFolder('.') !== null) return;
    global.folderOf = before;
    cursor.error(`couldn't set 'default-path' to origin '${origin}': there is no such directory.`);
  },
  good: ['default-path current', 'default-path config', 'default-path parent'],
  bad: [
    ['default-path', `missing default-path mode '' for 'default-path', ${MODES}.`],
    ['default-path x', `unsupported default-path mode 'x' for 'default-path', ${MODES}.`],
    ['default-path origin', "'default-path origin' expects a directory as an argument."],
    ['default-path origin x', "couldn't set 'default-path' to origin 'x': there is no such directory."],
    ['default-path config x', "'default-path' cannot handle unexpected argument 'x'"],
  ],
});

/** Where nothing is said. */
export const STARTED_IN: FolderOf = POLICIES.current!;
