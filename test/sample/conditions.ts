/** Evaluates one condition on one request. */
import { proxyRules } from '../../engine/proxy/rules.ts';
import { compileCondition, YES } from '../../engine/sample/index.ts';
import { type Traffic, World } from './world.ts';

/** Whether the condition holds: an ACL expression, or a condition of named ones (in capitals, or with braces). */
export function holds(line: string, traffic: Traffic, acls: readonly string[] = []): boolean {
  const condition = /^[A-Z!{]/.test(line) ? line : `{ ${line} }`;
  const world = new World(
    traffic,
    `
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
userlist users
  group staff users joe
  group other
  user joe insecure-password secret
listen web
  bind 127.0.0.1:80
  ${acls.join('\n  ')}
  monitor fail if ${condition}
  server s1 127.0.0.1:81
`,
  );
  const proxy = world.model.proxies[0]!;
  const { acls: compiled } = proxyRules(world.env.worker, proxy);
  return compileCondition(proxy.monitorFail[0]!, compiled)(world.ctx) === YES;
}
