/**
 * Expressions, ACLs, patterns and maps: what rules and logs stand on. Everything exists twice: as plain data, which the
 * configuration's lines are read into and which crosses threads in the model, and as functions, which each worker compiles
 * from that data once.
 *
 *     reading a line (engine/config)                      in a worker
 *
 *     readExpression(cursor, resources, point)            compileExpression(data, env)  -> (ctx, out) => found
 *     parseExpression(text, start, resources)               for texts with expressions in them (engine/log/format-text.ts)
 *     readCondition(cursor, acls, resources, point)       compileCondition(data, acls)  -> ctx => NO | MAYBE | YES
 *     readAcl(cursor, acls, resources)                    compileAcl(data, env)
 *
 * A keyword of a proxy reads its condition with `readProxyCondition` and notes its expressions with `useExpression`
 * (engine/config/keywords-acl.ts), so that the backends, servers and userlists they name are checked. In a worker
 * `proxyRules(context, proxy)` (engine/proxy/rules.ts) gives the `env` and the compiled ACLs of a proxy, and `HERE.at(stream)`
 * the context to evaluate in.
 *
 * To evaluate an expression: one Sample per place, `sample.begin(false)`, call, then `cast(sample, STR)` for its text in
 * `sample.bytes[start, end)`. The bytes are lent: copy what is kept.
 *
 * Files: sample, cast, scratch (the value); row, fetches-*, converters-* (the tables); arguments, expression, compile
 * (the language); pattern, byte-table, radix, number-list, network-list, regex (matching); acl, acl-line, condition,
 * condition-line; pattern-file, book, map (files of patterns); variable, vars.
 */
export { type Acl, type AclDraft, compileAcl } from './acl.ts';
export { readAcl } from './acl-line.ts';
export { PatternBooks } from './book.ts';
export { cast } from './cast.ts';
export { compileExpression } from './compile.ts';
export { type Condition, type ConditionData, compileCondition, MAYBE, NO, type Verdict, YES } from './condition.ts';
export { readCondition } from './condition-line.ts';
export { type Env, type Fetch, type SampleContext, Standpoint } from './context.ts';
export { type Expression, parseExpression, readExpression, typeOfExpression, unseen } from './expression.ts';
export type { Point } from './points.ts';
export { compileRegex, regexProblem } from './regex.ts';
export * from './sample.ts';
export { parseVariable, type Variable } from './variable.ts';
export { getVar, setVar, setVarIf, unsetVar, VAR_CONDITIONS } from './vars.ts';
