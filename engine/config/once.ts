/** Keywords of the global section that HAProxy hears once: it keeps what the first line said. */
import { type Keyword, supported } from './keyword.ts';

/** What each draft was given already. */
const GIVEN = new WeakMap<object, Set<string>>();

/**
 * The rows as one thing that is said once, `user` and `uid` alike: a second line is warned about and does nothing.
 * @param subject the thing in the message: `user/uid`
 */
export function once<T extends object>(subject: string, ...rows: readonly Keyword<T>[]): Keyword<T>[] {
  return rows.map(row =>
    supported<T>({
      ...row,
      parse(cursor, draft, context) {
        if (taken(draft, subject)) row.parse(cursor, draft, context);
        else {
          cursor.warning(`'${subject}' already specified. Continuing.`, 'the first line counts');
          cursor.rest();
        }
      },
    }),
  );
}

/** Each row as a thing of its own that a second line may not say at all. */
export function onceOnly<T extends object>(...rows: readonly Keyword<T>[]): Keyword<T>[] {
  return rows.map(row =>
    supported<T>({
      ...row,
      parse(cursor, draft, context) {
        if (taken(draft, row.name)) row.parse(cursor, draft, context);
        else cursor.error(`'${row.name}' already specified.`);
      },
    }),
  );
}

/** Takes the thing for this line; false = another line has it. */
function taken(draft: object, subject: string): boolean {
  const given = GIVEN.get(draft) ?? new Set();
  GIVEN.set(draft, given);
  const free = !given.has(subject);
  given.add(subject);
  return free;
}
