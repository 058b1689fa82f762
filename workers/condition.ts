/** `-cc`: a condition, as an `.if` line of a configuration has it. */
import { evaluateCondition } from '../engine/config/conditions.ts';
import { Diagnostics } from '../engine/config/diagnostics.ts';
import { defineVariables } from '../engine/config/environment.ts';
import { Lexer } from '../engine/config/lexer.ts';
import { formatDiagnostics } from '../engine/config/print.ts';
import type { Options } from './options.ts';
import type { Say } from './say.ts';

/** The exit code: 0 = true, 1 = false, 2 = it cannot be evaluated. */
export function checkCondition(condition: string, options: Options, say: Say): number {
  const env: Record<string, string | undefined> = { ...process.env };
  if (options.localPeer !== null) env.HAPROXY_LOCALPEER = options.localPeer;
  defineVariables(env);
  const diagnostics = new Diagnostics();
  const line = new Lexer('-cc', `${condition}\n`, env, diagnostics).next();
  const text = line?.words.map(word => word.text).join(' ') ?? '';
  if (diagnostics.fatal) {
    say.raw(formatDiagnostics(diagnostics.list, { pid: process.pid, executable: null, diag: false }));
    return 2;
  }
  const result = evaluateCondition(text, env);
  if ('value' in result) return result.value ? 0 : 1;
  say('alert', `config : Failed to evaluate condition: ${result.error}`);
  return 2;
}
