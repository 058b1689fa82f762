/** `show info`, `show stat`, `show version`: what the statistics know, in the format that is asked for. */
import { dumpInfo } from '../stats/info.ts';
import type { Dump } from '../stats/out.ts';
import { dumpSchema } from '../stats/schema.ts';
import { dumpStat } from '../stats/stat.ts';
import type { Call, Command, Reply } from './command.ts';
import { resolverStats } from './resolver-commands.ts';
import { err } from './severity.ts';

/** Words may come in any order and any number; those that are none of these are passed over, as HAProxy does. */
function flags(args: readonly string[]) {
  const has = (word: string) => args.includes(word);
  return {
    json: has('json'),
    typed: has('typed'),
    desc: has('desc'),
    float: has('float'),
    up: has('up'),
    noMaint: has('no-maint'),
  };
}

function showStat({ env, args: given }: Call): Reply {
  const domain = given[0] === 'domain' ? given[1] : 'proxy';
  if (domain !== 'proxy' && domain !== 'resolvers') return err('Invalid statistics domain.');
  const args = given[0] === 'domain' ? given.slice(2) : given;
  const { json, typed, desc, up, noMaint } = flags(args);
  if (domain === 'resolvers') return resolverStats(env.names, json ? 'json' : typed ? 'typed' : 'csv');
  const format = json ? 'json' : !typed ? 'csv' : desc ? 'typed-desc' : 'typed';
  const filter = numbers(env, args);
  if (filter === null) return err('No such proxy.');
  return dumpStat(env.view, { format, legends: true, up, noMaint, ...filter }, env.now());
}

/** `show stat [{<iid>|<proxy>} <type> <sid>]`: only with all three. */
function numbers(env: Call['env'], args: readonly string[]): { iid?: number; type?: number; sid?: number } | null {
  const [who, type, sid] = args;
  if (who === undefined || !isNumber(type) || !isNumber(sid)) return {};
  const iid = isNumber(who) ? Number(who) : env.model.proxies.find(p => p.name === who)?.id;
  return iid === undefined ? null : { iid, type: Number(type), sid: Number(sid) };
}

function isNumber(text: string | undefined): boolean {
  return text !== undefined && /^-?\d+$/.test(text);
}

function showInfo({ env, args }: Call): Dump {
  const { json, typed, desc, float } = flags(args);
  return dumpInfo(env.view, { format: json ? 'json' : typed ? 'typed' : 'text', desc, float }, env.now());
}

export const STAT_COMMANDS: readonly Command[] = [
  {
    words: 'show info',
    usage: '[desc|json|typed|float]*',
    help: 'report information about the running process',
    level: 'user',
    run: showInfo,
  },
  {
    words: 'show schema json',
    usage: '',
    help: 'report schema used for stats',
    level: 'user',
    run: () => dumpSchema(),
  },
  {
    words: 'show stat',
    usage: '[desc|json|no-maint|typed|up]*',
    help: 'report counters for each proxy and server',
    level: 'user',
    run: showStat,
  },
  {
    words: 'show version',
    usage: '',
    help: 'show version of the current process',
    level: 'user',
    severity: 'info',
    run: ({ env }) => env.view.facts.version,
  },
];
