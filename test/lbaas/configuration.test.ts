import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { lex } from '../../engine/config/lexer.ts';
import { configurationText, MissingContainer, refusalOf } from '../../engine/lbaas/configuration.ts';
import type { Deployment } from '../../engine/lbaas/deployment-model.ts';
import { quote } from '../../engine/lbaas/quote.ts';
import { corrections, isDone, runtimeChange } from '../../engine/lbaas/runtime-change.ts';
import { FILES } from '../../workers/lbaas/files.ts';
import fc from '../properties.ts';
import { deployments, monitor, SITE } from './deployments.ts';

test('every deployment is a configuration that parses', () => {
  fc.assert(
    fc.property(deployments, deployment => {
      const text = configurationText(deployment, SITE);
      expect(refusalOf(text, FILES), text).toBeNull();
    }),
    { numRuns: 200 },
  );
});

test('a quoted word is one word again', () => {
  fc.assert(
    fc.property(fc.stringMatching(/^[ -~]{1,30}$/), text => {
      const [line] = lex('x', `a ${quote(text)} b\n`, { HOME: 'no' }, new Diagnostics());
      expect(line!.words.map(word => word.text)).toEqual(['a', text, 'b']);
    }),
  );
});

test('a certificate that is not there', () => {
  const front = {
    tls: { certificates: ['x'], clientCa: null, clientAuthentication: 'NONE', clientCrl: null, ...NO_TLS },
  };
  expect(() => configurationText(one({}, front), SITE)).toThrow(MissingContainer);
  const site = { ...SITE, certificate: (name: string) => `/certs/${name}.pem` };
  expect(configurationText(one({}, front), site)).toContain(
    'bind 127.0.0.1:80 ssl crt /certs/x.pem no-sslv3 no-tlsv10 no-tlsv11 alpn h2',
  );
});

const NO_TLS = { tls_ciphers: null, tls_versions: ['TLSv1.2', 'TLSv1.3'], alpn_protocols: ['h2'] };
const MEMBER = {
  name: '',
  enabled: true,
  address: '10.0.0.1',
  port: 80,
  weight: 1,
  backup: false,
  monitorAddress: null,
  monitorPort: null,
};

function one(pool: object, front: object = {}): Deployment {
  const farm = {
    id: 'p',
    name: '',
    protocol: 'HTTP',
    algorithm: 'ROUND_ROBIN',
    persistence: null,
    monitors: [],
    members: [],
    tls: null,
    ...pool,
  };
  const times = { clientMs: 1, connectMs: 1, serverMs: 1, inspectMs: 0 };
  const rest = { connectionLimit: -1, allowedCidrs: [], insertHeaders: {}, tls: null, policies: [], ...times };
  const f = { id: 'f', name: '', protocol: 'HTTP', port: 80, ...rest, ...front, pool: farm };
  return { id: 'x', title: 't', addresses: ['127.0.0.1'], fronts: [f] } as unknown as Deployment;
}

describe('a change at run time', () => {
  const members = (...list: object[]) => one({ members: list.map((more, i) => ({ ...MEMBER, id: `m${i}`, ...more })) });
  const change = (before: Deployment, after: Deployment) => runtimeChange(before, after, SITE);

  test('of weights and states', () => {
    expect(change(members({}, {}), members({ weight: 7 }, { enabled: false }))).toEqual([
      'set server p:f/m0 weight 7',
      'set server p:f/m1 state maint',
    ]);
    expect(change(members({}), members({}))).toEqual([]);
    expect(change(members({}), members({ name: 'only a comment' }))).toEqual([]);
  });

  test('of which members there are', () => {
    expect(change(members({}), members({}, { weight: 3 }))).toEqual([
      'add server p:f/m1 10.0.0.1:80 weight 3',
      'set server p:f/m1 state ready',
    ]);
    expect(change(members({}, {}), members({}))).toEqual(['set server p:f/m1 state maint', 'del server p:f/m1']);
  });

  test('that needs a reload', () => {
    expect(change(members({}), members({ address: '10.0.0.2' }))).toBeNull();
    expect(change(members({}), members({ backup: true }))).toBeNull();
    expect(change(one({}), one({ algorithm: 'LEAST_CONNECTIONS' }))).toBeNull();
    expect(change(one({}), one({}, { connectionLimit: 4 }))).toBeNull();
    const sticky = { persistence: { type: 'HTTP_COOKIE' } };
    expect(change(one(sticky), one({ ...sticky, members: [{ ...MEMBER, id: 'm' }] }))).toBeNull();
  });

  test('is never less than what differs in the configuration', () => {
    const monitors = fc.array(monitor, { minLength: 1, maxLength: 1 });
    const tls = fc.constantFrom(null, { certificate: null, ca: null, crl: null, ...NO_TLS });
    const pool = fc.record({ monitors, tls, protocol: fc.constantFrom('HTTP', 'PROXY') });
    fc.assert(
      fc.property(pool, pool, (a, b) => {
        const [before, after] = [a, b].map(more => one({ ...more, members: [{ ...MEMBER, id: 'm' }] })) as [
          Deployment,
          Deployment,
        ];
        const same = configurationText(before, SITE) === configurationText(after, SITE);
        expect(change(before, after)).toEqual(same ? [] : null);
      }),
    );
  });

  test('done or not, by the answer', () => {
    expect(isDone('set server a/b weight 1', '\n')).toBe(true);
    expect(isDone('set server a/b weight 1', 'No such server.\n')).toBe(false);
    expect(isDone('add server a/b 1:1', 'New server registered.\n')).toBe(true);
    expect(isDone('del server a/b', 'Server still has connections attached to it, cannot remove it.\n')).toBe(true);
    expect(isDone('del server a/b', 'No such server.\n')).toBe(false);
  });

  test('that a reload has let live on is corrected', () => {
    const csv = '# pxname,svname,status,uweight,\np:f,m0,MAINT,1,\np:f,m1,UP,9,\np:f,m2,UP,1,\n';
    expect(corrections(members({}, {}, { enabled: false }), csv)).toEqual([
      'set server p:f/m0 state ready',
      'set server p:f/m1 weight 1',
      'set server p:f/m2 state maint',
    ]);
  });
});
