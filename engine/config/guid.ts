/** Globally unique ids: `guid` of proxies and servers, `guid-prefix` of bind lines (manual 4.2, 5.1, 5.2). */
import type { Diagnostics } from './diagnostics.ts';
import type { ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { Place } from './model.ts';
import { illegalCharacter } from './names.ts';
import { nameOf } from './subjects.ts';

const GUID_MAX = 127;

/** What is wrong with an id; null = nothing. */
export function guidProblem(text: string): string | null {
  if (text === '') return 'expects an id';
  if (text.length > GUID_MAX) return `the id is longer than ${GUID_MAX} characters`;
  const bad = illegalCharacter(text);
  return bad === null ? null : `character '${bad}' is not permitted in an id`;
}

/** The row of one table. */
export function guidRow(name: string, where: string, doc: string): Keyword<{ guid: string | null }> {
  return supported({
    ...{ name, where, doc, args: '<id>' },
    parse(cursor, draft) {
      const text = cursor.next()?.text ?? '';
      const problem = guidProblem(text);
      if (problem === null) draft.guid = text;
      else cursor.error(`'${name}': ${problem}`);
    },
    good: [`${name} web-1`, `${name} a.b:C_${'x'.repeat(GUID_MAX - 6)}`],
    bad: [
      [name, `'${name}': expects an id`],
      [`${name} a/b`, `'${name}': character '/' is not permitted in an id`],
      [`${name} ${'x'.repeat(GUID_MAX + 1)}`, `'${name}': the id is longer than ${GUID_MAX} characters`],
    ],
  });
}

/** Reports ids that two things have. */
export function sameGuids(proxies: readonly ProxyDraft[], diagnostics: Diagnostics): void {
  const seen = new Map<string, string>();
  const named = proxies.flatMap(proxy => [
    {
      guid: proxy.guid,
      place: proxy as Place,
      what: nameOf(proxy),
    },
    ...proxy.binds.map(bind => ({ guid: bind.guid, place: bind as Place, what: `'bind ${bind.text}'` })),
    ...proxy.servers.map(server => ({
      ...{ guid: server.guid, place: server as Place },
      what: `server '${proxy.name}/${server.name}'`,
    })),
  ]);
  for (const { guid, place, what } of named) {
    if (guid === null) continue;
    const other = seen.get(guid);
    if (other === undefined) seen.set(guid, what);
    else diagnostics.report('alert', place, `${what}: guid '${guid}' is already used by ${other}`);
  }
}
