/** L7 policies and their rules, as ACLs and what is done when they match. */
import type { Front, Policy } from './deployment-model.ts';
import type { L7Rule } from './items.ts';
import { backendName, comment } from './lines.ts';
import { fetchOf, quote } from './quote.ts';

/** Policies in the order of their positions; those that answer themselves come before those that choose a pool. */
export function policyLines(front: Front): string[] {
  return front.policies.flatMap(policy => [
    ...comment('policy', policy.name).slice(1),
    ...policy.rules.map(rule => `acl ${rule.id} ${condition(rule)}`),
    `${actionWords(policy, front)} if ${policy.rules.map(rule => (rule.invert ? `!${rule.id}` : rule.id)).join(' ')}`,
  ]);
}

function actionWords(policy: Policy, front: Front): string {
  const { action, location, code, pool } = policy;
  if (action === 'REJECT') return 'http-request deny';
  if (action === 'REDIRECT_TO_POOL') return `use_backend ${backendName(pool!, front)}`;
  // The word is a format: a percent sign of an address stands twice.
  const to = quote(location.replaceAll('%', '%%'));
  return `http-request redirect ${action === 'REDIRECT_PREFIX' ? 'prefix' : 'location'} ${to} code ${code}`;
}

const MATCHES = { CONTAINS: 'sub', ENDS_WITH: 'end', EQUAL_TO: 'str', REGEX: 'reg', STARTS_WITH: 'beg' } as const;

function condition({ type, compare_type, key, value }: L7Rule): string {
  const match = `-m ${MATCHES[compare_type]} -- ${quote(value)}`;
  switch (type) {
    case 'HOST_NAME':
      return `req.hdr(host) -i ${match}`;
    case 'PATH':
      return `path ${match}`;
    case 'FILE_TYPE': {
      const pattern =
        compare_type === 'REGEX' ? `-m reg -- ${quote(`\\.(${value})$`)}` : `-m end -- ${quote(`.${value}`)}`;
      return `path ${pattern}`;
    }
    case 'HEADER':
      return `${fetchOf('req.hdr', key!)} ${match}`;
    case 'COOKIE':
      return `${fetchOf('req.cook', key!)} ${match}`;
    case 'SSL_CONN_HAS_CERT':
      return 'ssl_c_used';
    case 'SSL_VERIFY_RESULT':
      return `ssl_c_verify eq ${value}`;
    case 'SSL_DN_FIELD':
      return `${fetchOf('ssl_c_s_dn', key!)} ${match}`;
  }
}
