/** Every command that the clients have for load balancers, one after the other: none is left out, and each ends as it should. */
import { describe, expect, test } from 'vitest';
import { certificate } from '../lbaas/certificates.ts';
import { eventually, type Farm, farm, freeVip } from '../lbaas/farm.ts';
import { folder } from '../workers/sluice.ts';
import { known, missing, noAuth, shell } from './openstack-shell.ts';

const REASON = missing();
if (REASON !== null && process.env.SLUICE_INTEROP !== undefined) throw new Error(REASON);
if (REASON !== null) console.log(`skipped: ${REASON}`);

/** A line, and what its output has; a text = it fails with that. `$name` is what `name=` before a line kept: the (first) id it printed. */
type Step = readonly [line: string, expected?: object | string];

const LB = '$lb';
const TLS =
  '--default-tls-container-ref file://$dir/one.pem --sni-container-refs file://$dir/two.pem --tls-version TLSv1.2 --tls-version TLSv1.3 --alpn-protocol h2 --alpn-protocol http/1.1 --client-ca-tls-container-ref file://$dir/ca.pem --client-authentication OPTIONAL';

const OCTAVIA: readonly Step[] = [
  ['provider list'],
  ['provider capability list sluice'],
  ['availabilityzone list', [{ name: 'nova' }]],
  ['availabilityzone show nova', { name: 'nova', enabled: true }],
  ['availabilityzoneprofile list', []],
  ['flavorprofile create --name fp --provider sluice --flavor-data {"threads":1}', { provider_name: 'sluice' }],
  ['flavorprofile set fp --name fq --flavor-data {"threads":2}'],
  ['flavorprofile show fq', { flavor_data: '{"threads":2}' }],
  ['flavorprofile list --provider sluice', [{ name: 'fq' }]],
  ['flavor create --name fl --flavorprofile fq --description d --enable', { enabled: true }],
  ['flavor set fl --name fm --disable'],
  ['flavor set fm --enable'],
  ['flavor unset fm --description'],
  ['flavor show fm', { description: '', enabled: true }],
  ['flavor list --name fm --enable', [{ name: 'fm' }]],
  ['quota defaults show', { load_balancer: -1 }],
  ['quota set --loadbalancer 2 --member 9 --l7rule 9 admin'],
  ['quota show admin', { load_balancer: 2, member: 9, listener: -1 }],
  ['quota list', [{ project_id: expect.any(String) }]],
  ['quota unset --member --l7rule admin'],
  ['quota show admin', { load_balancer: 2, member: -1 }],

  ['lb=create --name lb1 --description first --vip-subnet-id local --tag t1 --tag t2 --wait', { name: 'lb1' }],
  [
    'create --name lb2 --vip-network-id local --vip-address $vip --additional-vip subnet-id=local,ip-address=$other --flavor fm --availability-zone nova --provider octavia --project admin --disable --wait',
    { vip_address: '$vip', admin_state_up: false, availability_zone: 'nova', operating_status: 'OFFLINE' },
  ],
  ['create --vip-subnet-id local', 'Quota has been met for resources: Load Balancer (HTTP 403)'],
  ['quota reset admin'],
  ['create --vip-subnet-id local --availability-zone mars', "availability_zone 'mars' not found. (HTTP 400)"],
  ['list --name lb1 --enable --provisioning-status ACTIVE --operating-status ONLINE', [{ id: LB }]],
  ['list --disable --flavor fm --availability-zone nova --provider octavia', [{ name: 'lb2' }]],
  ['list --vip-subnet-id local --vip-network-id local --project admin', [{}, {}]],
  ['list --tags t1,t2', [{ name: 'lb1' }]],
  ['list --any-tags t1,t9', [{ name: 'lb1' }]],
  ['list --not-tags t1,t2', [{ name: 'lb2' }]],
  ['list --not-any-tags t1,t9', [{ name: 'lb2' }]],
  ['set lb1 --name lb --description second --tag t3 --wait'],
  ['show lb', { id: LB, description: 'second', tags: expect.stringMatching(/^t\d\nt\d\nt\d$/) }],
  ['unset lb --description --tag t2'],
  ['show $lb', { description: '', tags: expect.stringMatching(/^(t1\nt3|t3\nt1)$/) }],
  ['unset lb --all-tag'],
  ['show lb', { tags: '' }],
  ['show nobody', 'nobody'],

  [
    'li=listener create --name web --description d --protocol HTTP --protocol-port 8080 --connection-limit 100 --insert-headers X-Forwarded-For=true,X-Forwarded-Proto=true --timeout-client-data 9000 --timeout-member-connect 1000 --timeout-member-data 9000 --timeout-tcp-inspect 10 --allowed-cidr 127.0.0.0/8 --allowed-cidr 10.0.0.0/8 --tag lt --wait lb',
    { connection_limit: 100, timeout_tcp_inspect: 10, allowed_cidrs: '127.0.0.0/8\n10.0.0.0/8' },
  ],
  [`listener create --name tls --protocol TERMINATED_HTTPS --protocol-port 8443 ${TLS} lb`, { protocol_port: 8443 }],
  ['listener create --protocol UDP --protocol-port 53 lb', 'option: protocol UDP (HTTP 501)'],
  ['listener create --protocol HTTP --protocol-port 8080 lb', 'using protocol HTTP and protocol_port 8080 (HTTP 409)'],
  ['listener list --loadbalancer lb', [{}, {}]],
  ['listener list --name web --enable --project admin', [{ id: '$li' }]],
  ['listener set web --name front --connection-limit 50 --insert-headers X-Forwarded-Port=true --disable --wait'],
  ['listener show front', { connection_limit: 50, admin_state_up: false, operating_status: 'OFFLINE' }],
  ['listener set front --enable'],
  [
    'listener unset front --description --connection-limit --insert-headers --timeout-client-data --timeout-member-connect --timeout-member-data --timeout-tcp-inspect --allowed-cidrs',
  ],
  ['listener show front', { connection_limit: -1, timeout_client_data: 50_000, allowed_cidrs: null }],
  [`listener unset tls --client-ca-tls-container-ref`, 'client_ca_tls_container_ref is required'],
  [
    'listener unset tls --client-authentication --client-ca-tls-container-ref --sni-container-refs --tls-versions --alpn-protocols --tls-ciphers',
  ],
  ['listener show tls', { client_authentication: 'NONE', sni_container_refs: [] }],
  ['listener stats show front', { total_connections: 0 }],

  [
    'po=pool create --name farm --description d --protocol HTTP --listener front --lb-algorithm ROUND_ROBIN --session-persistence type=HTTP_COOKIE --tag pt --wait',
    { protocol: 'HTTP' },
  ],
  ['pool create --name api --protocol HTTP --loadbalancer lb --lb-algorithm SOURCE_IP_PORT --enable-tls', {}],
  ['pool create --protocol HTTP --listener front --lb-algorithm SOURCE_IP', 'already has a default pool (HTTP 409)'],
  ['pool list --loadbalancer lb', [{}, {}]],
  ['pool set farm --lb-algorithm LEAST_CONNECTIONS --session-persistence type=APP_COOKIE,cookie_name=c'],
  ['pool show farm', { lb_algorithm: 'LEAST_CONNECTIONS', session_persistence: expect.stringContaining('APP_COOKIE') }],
  ['pool unset farm --description --session-persistence'],
  ['pool show farm', { description: '', session_persistence: null }],
  ['pool set api --disable-tls'],
  ['listener set tls --default-pool api'],
  ['listener unset tls --default-pool'],

  [
    'm1=member create --name m1 --address 127.0.0.1 --protocol-port 81 --weight 3 --subnet-id local --monitor-address 127.0.0.1 --monitor-port 82 --enable-backup --tag mt farm',
    { weight: 3, backup: true, monitor_port: 82 },
  ],
  ['member create --address 127.0.0.1 --protocol-port 81 farm', 'is already using ip 127.0.0.1 on protocol_port 81'],
  ['member list farm', [{ name: 'm1', operating_status: 'NO_MONITOR' }]],
  ['member set farm m1 --name m2 --weight 0 --disable-backup --monitor-port 83'],
  ['member show farm m2', { weight: 0, backup: false, operating_status: 'DRAINING' }],
  ['member unset farm m2 --weight --monitor-address --monitor-port --backup'],
  ['member show farm $m1', { weight: 1, monitor_port: null }],
  ['member set farm m2 --disable'],
  ['member show farm m2', { operating_status: 'OFFLINE' }],

  [
    'healthmonitor create --name hm --delay 5 --timeout 4 --max-retries 3 --max-retries-down 2 --type HTTP --http-method HEAD --url-path /h --expected-codes 200-204 --http-version 1.1 --domain-name x.org --tag ht farm',
    { max_retries_down: 2, http_version: 1.1 },
  ],
  [
    'healthmonitor create --delay 5 --timeout 4 --max-retries 3 --type TCP farm',
    'already has a health monitor (HTTP 409)',
  ],
  ['healthmonitor list', [{ name: 'hm', type: 'HTTP' }]],
  ['healthmonitor set hm --delay 9 --timeout 8 --max-retries 2 --expected-codes 200 --disable'],
  ['healthmonitor show hm', { delay: 9, admin_state_up: false }],
  ['healthmonitor unset hm --domain-name --http-version --http-method --url-path --expected-codes --max-retries-down'],
  ['healthmonitor show hm', { domain_name: null, http_method: 'GET', max_retries_down: 3, url_path: '/' }],

  [
    'l7policy create --name p1 --action REDIRECT_TO_POOL --redirect-pool api --description d --tag t front',
    { position: 1 },
  ],
  [
    'l7policy create --name p2 --action REDIRECT_TO_URL --redirect-url http://n/ --redirect-http-code 301 --position 1 front',
  ],
  ['l7policy create --name p3 --action REDIRECT_PREFIX --redirect-prefix https://s --disable front', { position: 3 }],
  ['l7policy create --name p4 --action REJECT front'],
  ['l7policy list --listener front', [{}, {}, {}, {}]],
  ['l7policy set p4 --position 1 --name p0'],
  ['l7policy show p1', { position: 3, redirect_pool_id: expect.any(String) }],
  ['l7policy set p1 --action REJECT'],
  ['l7policy show p1', { action: 'REJECT', redirect_pool_id: null }],
  ['l7policy set p1 --redirect-pool api', 'redirect_pool_id is not allowed with action REJECT'],
  ['l7policy set p1 --action REDIRECT_TO_POOL --redirect-pool api'],
  ['l7policy unset p2 --redirect-http-code'],
  ['l7policy show p2', { redirect_http_code: null, position: 2 }],
  ['r1=l7rule create --type PATH --compare-type STARTS_WITH --value /a --invert --tag t p1', { invert: true }],
  ['l7rule create --type HEADER --key X-A --compare-type REGEX --value ^[0-9]+$ p1', { key: 'X-A' }],
  ['l7rule create --type HEADER --key X-A --compare-type REGEX --value [ p1', 'not a regular expression'],
  ['l7rule create --type FILE_TYPE --compare-type EQUAL_TO --value jpg p1'],
  ['l7rule create --type SSL_CONN_HAS_CERT --compare-type EQUAL_TO --value True p1'],
  ['l7rule list p1', [{}, {}, {}, {}]],
  ['l7rule set p1 $r1 --value /b --type PATH --compare-type EQUAL_TO'],
  ['l7rule unset p1 $r1 --invert'],
  ['l7rule show p1 $r1', { value: '/b', invert: false }],
  ['l7rule set p1 $r1 --type COOKIE --key who'],
  ['l7rule unset p1 $r1 --key', 'key is required with type COOKIE'],
  ['l7rule set p1 $r1 --type PATH'],
  ['l7rule show p1 $r1', { type: 'PATH', key: null }],

  ['stats show lb', { active_connections: 0 }],
  ['status show lb', { loadbalancer: { id: LB, listeners: [{}, {}] } }],
  ['failover --wait lb'],
  ['l7rule delete p1 $r1'],
  ['l7policy delete p1'],
  ['healthmonitor delete hm'],
  ['member delete farm m2'],
  ['pool delete farm'],
  ['listener delete front'],
  ['delete lb', 'it has children (HTTP 400)'],
  ['flavor delete fm', 'is in use'],
  ['delete --cascade --wait lb'],
  ['delete --wait lb2'],
  ['list', []],
  ['flavor delete fm'],
  ['flavorprofile delete fq'],

  // What is not ours: there are no virtual machines, and zones are said where the program is started.
  ['amphora list', []],
  ['amphora show x', 'HTTP 404'],
  ['amphora stats show x', 'HTTP 404'],
  ['amphora configure x', 'Unable to locate x in amphorae'],
  ['amphora delete x', 'HTTP 404'],
  ['amphora failover x', 'Unable to locate x in amphorae'],
  [
    'availabilityzoneprofile create --name z --provider sluice --availability-zone-data {}',
    'availability zones (HTTP 501)',
  ],
  ['availabilityzoneprofile show z', 'z'],
  ['availabilityzoneprofile set z --name y', 'z'],
  ['availabilityzoneprofile delete z', 'z'],
  ['availabilityzone create --name z --availabilityzoneprofile nova', 'nova'],
  ['availabilityzone set nova --disable', 'availability zones (HTTP 501)'],
  ['availabilityzone unset nova --description', 'availability zones (HTTP 501)'],
  ['availabilityzone delete nova', 'availability zones (HTTP 501)'],
];

const V1: readonly Step[] = [
  [
    'po=lb-pool-create --lb-method ROUND_ROBIN --name p --protocol HTTP --subnet-id local --provider haproxy --description d',
  ],
  ['lb-pool-list --name p -F id -F name', [{ id: '$po', name: 'p' }]],
  ['lb-pool-update p --lb-method SOURCE_IP --admin_state_up False'],
  ['lb-pool-show p', { lb_method: 'SOURCE_IP', admin_state_up: false, status: 'ACTIVE' }],
  ['me=lb-member-create --address 127.0.0.1 --protocol-port 81 --weight 5 p', { weight: 5 }],
  ['lb-member-create --address 127.0.0.1 --protocol-port 81 p', 'already present in pool'],
  ['lb-member-list --pool_id $po', [{ id: '$me' }]],
  ['lb-member-update $me --weight 7'],
  ['lb-member-show $me', { weight: 7 }],
  [
    'hm=lb-healthmonitor-create --delay 3 --type HTTP --max-retries 3 --timeout 3 --http-method HEAD --url-path /ping --expected-codes 200,202',
    { expected_codes: '200,202' },
  ],
  ['lb-healthmonitor-create --delay 1 --type TCP --max-retries 3 --timeout 3', 'Delay must be greater than or equal'],
  ['lb-healthmonitor-list --type HTTP', [{ id: '$hm' }]],
  ['lb-healthmonitor-update $hm --timeout 2'],
  ['lb-healthmonitor-show $hm', { timeout: 2 }],
  ['lb-healthmonitor-associate $hm p'],
  ['lb-healthmonitor-associate $hm p', 'is already associated with pool'],
  [
    'vip=lb-vip-create --name v --protocol-port 8080 --protocol HTTP --subnet-id local --connection-limit 9 --description d p',
    { connection_limit: 9 },
  ],
  [
    'lb-vip-create --name w --protocol-port 81 --protocol HTTP --subnet-id local p',
    'Another Vip already exists for pool',
  ],
  ['lb-vip-list --protocol HTTP --sort-key name --sort-dir asc -P 1', [{ id: '$vip' }]],
  ['lb-vip-update v --connection-limit 10 --session-persistence type=dict type=SOURCE_IP'],
  ['lb-vip-show v', { connection_limit: 10, status: 'ACTIVE' }],
  ['lb-pool-stats p', { total_connections: 0 }],
  ['ag=lb-agent-hosting-pool p', [{ host: expect.any(String) }]],
  ['lb-pool-list-on-agent $ag', [{ id: '$po' }]],
  ['lb-pool-delete p', 'is still in use'],
  ['lb-healthmonitor-delete $hm', 'still has associations with pools'],
  ['lb-healthmonitor-disassociate $hm p'],
  ['lb-healthmonitor-disassociate $hm p', 'is not associated with Pool'],
  ['lb-healthmonitor-delete $hm'],
  ['lb-vip-delete v'],
  ['lb-member-delete $me'],
  ['lb-pool-delete p'],
  ['lb-pool-list', []],
];

const V2: readonly Step[] = [
  ['lb=lbaas-loadbalancer-create --name lb --vip-address $vip --description d --provider haproxy local'],
  ['lbaas-loadbalancer-list --name lb -F id', [{ id: '$lb' }]],
  ['lbaas-loadbalancer-update lb --name lb1 --admin_state_up False'],
  ['lbaas-loadbalancer-show lb1', { admin_state_up: false }],
  ['lbaas-loadbalancer-update lb1 --admin-state-up True'],
  [
    'li=lbaas-listener-create --name li --loadbalancer lb1 --protocol HTTP --protocol-port 8080 --connection-limit 5',
    { connection_limit: 5 },
  ],
  ['lbaas-listener-list --loadbalancer lb1', [{ id: '$li' }]],
  ['lbaas-listener-update li --connection-limit 7'],
  ['lbaas-listener-show li', { connection_limit: 7 }],
  [
    'po=lbaas-pool-create --name p --listener li --protocol HTTP --lb-algorithm ROUND_ROBIN --session-persistence type=SOURCE_IP',
  ],
  ['lbaas-pool-list', [{ id: '$po' }]],
  ['lbaas-pool-update p --no-session-persistence'],
  ['lbaas-pool-show p', { lb_algorithm: 'ROUND_ROBIN' }],
  ['me=lbaas-member-create --name m --subnet local --address 127.0.0.1 --protocol-port 81 --weight 2 p', { weight: 2 }],
  ['lbaas-member-list p', [{ id: '$me' }]],
  ['lbaas-member-update m p --weight 4'],
  ['lbaas-member-show m p', { weight: 4 }],
  ['hm=lbaas-healthmonitor-create --name h --delay 5 --timeout 5 --max-retries 3 --type HTTP --pool p --url-path /h'],
  ['lbaas-healthmonitor-list', [{ id: '$hm' }]],
  ['lbaas-healthmonitor-update h --delay 6'],
  ['lbaas-healthmonitor-show h', { delay: 6 }],
  ['lbaas-l7policy-create --name pol --action REJECT --listener li --position 1'],
  ['lbaas-l7policy-list', [{ name: 'pol' }]],
  ['lbaas-l7policy-update pol --name pom'],
  ['lbaas-l7policy-show pom', { action: 'REJECT' }],
  ['r=lbaas-l7rule-create --type PATH --compare-type EQUAL_TO --value /no pom'],
  ['lbaas-l7rule-list pom', [{ id: '$r' }]],
  ['lbaas-l7rule-update $r pom --value /never'],
  ['lbaas-l7rule-show $r pom', { value: '/never' }],
  ['lbaas-loadbalancer-stats lb1', { total_connections: 0 }],
  ['lbaas-loadbalancer-status lb1', { loadbalancer: { name: 'lb1' } }],
  ['ag=lbaas-agent-hosting-loadbalancer lb1', [{ host: expect.any(String) }]],
  ['lbaas-loadbalancer-list-on-agent $ag', [{ name: 'lb1' }]],
  ['lbaas-loadbalancer-delete lb1', 'it has children'],
  ['lbaas-l7rule-delete $r pom'],
  ['lbaas-l7policy-delete pom'],
  ['lbaas-healthmonitor-delete h'],
  ['lbaas-member-delete m p'],
  ['lbaas-pool-delete p'],
  ['lbaas-listener-delete li'],
  ['lbaas-loadbalancer-delete lb1'],
  ['lbaas-loadbalancer-list', []],
];

/** Commands that print nothing that can be had as JSON. */
const SILENT =
  /^((\S+ )?(set|unset|delete|failover|configure)|status show|quota reset|lb\S*-(update|delete|associate|disassociate|status))\b/;

/** Commands that change nothing. */
const READS = /^(\S+ )?(\S+-)?(list|show|stats|status)\b/;

/** The same with its texts filled; matchers stay. */
function filled(expected: unknown, fill: (text: string) => string): unknown {
  if (typeof expected === 'string') return fill(expected);
  if (Array.isArray(expected)) return expected.map(one => filled(one, fill));
  if (typeof expected !== 'object' || expected === null || 'asymmetricMatch' in expected) return expected;
  return Object.fromEntries(Object.entries(expected).map(([name, value]) => [name, filled(value, fill)]));
}

/** Runs the steps; returns the lines without what they began with. */
async function drive(
  f: Farm,
  program: 'neutron' | 'openstack',
  prefix: readonly string[],
  dir: string,
  steps: readonly Step[],
): Promise<string[]> {
  const client = shell(program, noAuth(f));
  for (const name of ['one', 'two', 'ca']) certificate(dir, name);
  const values: Record<string, string> = { dir, vip: freeVip(), other: freeVip() };
  const fill = (text: string) => text.replace(/\$(\w+)/g, (all, name) => values[name] ?? all);
  for (const [given, expected] of steps) {
    const [, name, line = ''] = /^(?:(\w+)=)?(.*)$/.exec(given)!;
    const words = [...line.split(' ').map(fill), ...(SILENT.test(line) ? [] : ['-f', 'json'])];
    const once = async () => {
      const { code, out, err } = await client.run(...prefix, ...words);
      await f.idle();
      if (typeof expected === 'string') {
        expect([line, code, err]).toEqual([line, 1, expect.stringContaining(expected)]);
        return;
      }
      expect([line, code, code === 0 ? '' : err]).toEqual([line, 0, '']);
      const printed = /^[[{]/.test(out) ? JSON.parse(out) : {};
      if (name !== undefined) values[name] = (Array.isArray(printed) ? printed[0] : printed).id;
      if (expected !== undefined) expect({ line, printed }).toMatchObject({ line, printed: filled(expected, fill) });
    };
    // What a process says of itself may take a moment to be known.
    await (READS.test(line) ? eventually(once) : once());
  }
  return steps.map(([line]) => line.replace(/^\w+=/, ''));
}

/** Commands that no line runs. */
const left = (commands: readonly string[], lines: readonly string[]) =>
  commands.filter(command => !lines.some(line => `${line} `.startsWith(`${command} `)));

describe.skipIf(REASON !== null)('every command', { timeout: 240_000 }, () => {
  test('of openstack loadbalancer', async () => {
    const dir = folder();
    const lines = await drive(
      await farm(undefined, ['--certificates', dir]),
      'openstack',
      ['loadbalancer'],
      dir,
      OCTAVIA,
    );
    const commands = known(
      'from importlib.metadata import entry_points as e',
      "[p.name for p in e(group='openstack.load_balancer.v2')]",
    );
    const names = commands.map(name => name.replace('loadbalancer_', '').replaceAll('_', ' '));
    expect(names.length).toBeGreaterThan(70);
    expect(left(names, lines)).toEqual([]);
  });

  test('of neutron, v1 and v2', async () => {
    const f = await farm();
    const lines = [...(await drive(f, 'neutron', [], folder(), V1)), ...(await drive(f, 'neutron', [], folder(), V2))];
    const commands = known(
      'from importlib.metadata import entry_points as e',
      "[p.name.replace('_', '-') for p in e(group='neutron.cli.v2') if p.name.startswith('lb')]",
    );
    expect(commands.length).toBeGreaterThan(50);
    expect(left(commands, lines)).toEqual([]);
  });
});
