/** What lines about checks mean together, and what of it is refused. */
import { describe, expect, test } from 'vitest';
import type { Model } from '../../engine/config/model.ts';
import { load } from './load-text.ts';

function modelOf(text: string, files: Record<string, string> = {}): Model {
  const { model, diagnostics } = load(text, { files });
  if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
  return model;
}

function said(text: string, severity = 'alert'): string[] {
  return load(text)
    .diagnostics.list.filter(d => d.severity === severity)
    .map(d => d.message);
}

describe('rules', () => {
  test('a section that writes its own forgets the inherited ones; flags are kept', () => {
    const text = `defaults
  option tcp-check
  tcp-check expect string default
  http-check send-state
backend a
  server s 127.0.0.1:1 check
backend b
  tcp-check comment hello
  tcp-check expect string own
  tcp-check send bye
`;
    const [a, b] = modelOf(text).proxies;
    const shown = (steps: Model['proxies'][number]['check']['steps']) => steps.map(s => [s.kind, s.id, s.comment]);
    expect(shown(a!.check.steps)).toEqual([
      ['connect', 0, ''],
      ['expect', 1, ''],
    ]);
    expect(shown(b!.check.steps)).toEqual([
      ['connect', 0, ''],
      ['expect', 2, 'hello'],
      ['send', 3, ''],
    ]);
    expect(b!.check.sendState).toBe(true);
  });

  test('rules of the other family wait for their option', () => {
    const steps = (option: string) =>
      modelOf(`backend b\nhttp-check expect status 200\ntcp-check send x\n${option}\n`).proxies[0]!.check.steps;
    expect(steps('option httpchk').map(s => s.kind)).toEqual(['connect', 'request', 'expect']);
    expect(steps('option tcp-check').map(s => s.kind)).toEqual(['connect', 'send']);
    expect(steps('option redis-check').map(s => s.kind)).toEqual(['connect', 'send', 'expect']);
    expect(steps('').map(s => s.kind)).toEqual(['connect']);
  });

  test('a request that nothing is expected of must be answered well, wherever it stands', () => {
    const { steps } = modelOf(`backend b
  option httpchk
  http-check connect
  http-check send uri /1
  http-check expect status 200
  http-check connect port 81
  http-check send uri /2
`).proxies[0]!.check;
    expect(steps.map(s => s.kind)).toEqual(['connect', 'request', 'expect', 'connect', 'request', 'expect']);
    expect(steps[5]).toMatchObject({ match: 'status', pattern: '200-399' });
  });

  test('steps out of turn are refused', () => {
    expect(said('backend b\nhttp-check expect status 200\nhttp-check send\n')).toEqual([
      "'http-check': unable to add http-check send rule at step 2 (missing connect rule).",
    ]);
    expect(said('backend b\nhttp-check connect\nhttp-check expect status 200\n')).toEqual([
      "'http-check': unable to add http-check expect rule at step 2 (missing send rule).",
    ]);
    expect(said('backend b\noption tcp-check\ntcp-check send x\ntcp-check connect\n')).toEqual([
      "proxy 'b': the first step must be a 'connect' when there is a 'connect' step in the check",
    ]);
  });
});

describe('servers', () => {
  const server = (line: string, more = '') =>
    modelOf(`global\nexternal-check\nbackend b\nmode http\nserver s 127.0.0.1:80 ${line}\n${more}`).proxies[0]!.servers;

  test('agents, observing, tracking', () => {
    const [s, t] = server(
      'check agent-check agent-port 99 agent-addr 127.0.0.2 agent-inter 1s agent-send hey observe layer7 on-error mark-down error-limit 4',
      'server t 127.0.0.1:81 track s\n',
    );
    expect(s!.agent).toMatchObject({ interMs: 1000, address: { bytes: Uint8Array.of(127, 0, 0, 2), port: 99 } });
    expect(s!.agent!.script.steps.map(step => step.kind)).toEqual(['connect', 'send', 'expect']);
    expect(s!.observe).toEqual({ layer: 7, onError: 'mark-down', errorLimit: 4 });
    expect(t!.track).toEqual({ proxy: 0, server: 0 });
    expect(server('observe layer7')[0]!.observe).toBeNull();
  });

  test('where the checks go the agent is, unless its own words say otherwise', () => {
    const where = (line: string) => server(line)[0]!.agent!.address;
    expect(where('agent-check addr 127.0.0.3 port 98')).toMatchObject({ bytes: Uint8Array.of(127, 0, 0, 3), port: 98 });
    expect(where('agent-check agent-addr 127.0.0.2 agent-port 99 addr 127.0.0.3 port 98')).toMatchObject({
      ...{ bytes: Uint8Array.of(127, 0, 0, 2), port: 99 },
    });
  });

  test('the PROXY header of traffic is sent by checks too, unless they go elsewhere', () => {
    const sends = (line: string) => server(line)[0]!.check!.sendProxy;
    expect([sends('check'), sends('check send-proxy'), sends('check send-proxy port 81')]).toEqual([
      false,
      true,
      false,
    ]);
    expect(sends('check send-proxy port 81 check-send-proxy')).toBe(true);
  });

  test('a healthcheck section', () => {
    const text = `healthcheck ping
  type tcp-check
  tcp-check send PING
  tcp-check expect string PONG
backend b
  option httpchk
  server s 127.0.0.1:1 check healthcheck ping
  server t 127.0.0.1:1 check
`;
    const [s, t] = modelOf(text).proxies[0]!.servers;
    expect(s!.check!.script!.steps.map(step => step.kind)).toEqual(['connect', 'send', 'expect']);
    expect(t!.check!.script).toBeNull();
  });

  test.each([
    ['agent-check', "'agent-check' needs the port of the agent"],
    ['check observe layer7', "'observe layer7' needs 'mode http'"],
    ['check check-via-socks4', "'check-via-socks4' needs 'socks4 <address>:<port>'"],
    ['check healthcheck nope', "unable to find healthcheck 'nope'"],
    ['check track t', "'track' cannot be used together with 'check' or 'agent-check'"],
    ['track t init-state down', "'track' cannot be used together with 'init-state'"],
    ['track nope/t', "unable to find required proxy 'nope' for tracking"],
    ['track nope', "unable to find required server 'nope' for tracking"],
    ['track s', 'unable to use b/s for tracking: they track each other'],
    ['track t', 'unable to use b/t for tracking as it does not have any check nor agent enabled'],
  ])('%s: %s', (line, message) => {
    const text = `backend b\nserver s 127.0.0.1:1 ${line}\nserver t 127.0.0.1:1\n`;
    expect(said(text)).toContain(`'server b/s': ${message}`);
  });

  test('external checks must be allowed and have a command', () => {
    const text = 'backend b\noption external-check\nserver s 127.0.0.1:1 check\n';
    expect(said(text)).toEqual([
      "proxy 'b': 'option external-check' needs 'external-check command'",
      "proxy 'b': 'option external-check' needs 'external-check' in the global section",
    ]);
  });
});

describe('state files', () => {
  const FILE = `1
# be_id be_name srv_id srv_name ...
1 b 1 s 127.0.0.1 0 8 5 10 77 8 2 1 6 6 0 0 - 8080 - 0 81 127.0.0.2 127.0.0.3 82
`;
  const ip = (last: number, port = 0) => ({ family: 4, bytes: Uint8Array.of(127, 0, 0, last), port });
  const config = (how: string, global = '') =>
    `global\n${global}\nbackend b\n${how}\nserver s 127.0.0.1:80 check\nserver u 127.0.0.1:80\n`;

  test.each([
    ['load-server-state-from-file global', 'server-state-base /run\nserver-state-file all', '/run/all'],
    ['load-server-state-from-file global', 'server-state-file /abs/all', '/abs/all'],
    ['load-server-state-from-file local', 'server-state-base /run/', '/run/b'],
    ['load-server-state-from-file local\nserver-state-file-name x', '', 'x'],
  ])('%s, %s: %s', (how, global, path) => {
    const [s, u] = modelOf(config(how, global), { [path]: FILE }).proxies[0]!.servers;
    expect(s!.saved).toEqual({
      ...{ oper: 0, admin: 8, userWeight: 5, initialWeight: 10, secondsSinceChange: 77, checkStatus: 8 },
      ...{ checkResult: 2, checkHealth: 1, checkState: 6, agentState: 6 },
      ...{ address: ip(1, 8080), port: 8080, checkAddress: ip(2), checkPort: 81, agentAddress: ip(3), agentPort: 82 },
      ...{ renamed: false, hostname: null, service: null },
    });
    expect(u!.saved).toBeNull();
  });

  const saved = (file: string) => {
    const { model, diagnostics } = load(config('load-server-state-from-file local'), { files: { b: file } });
    const said = diagnostics.list.map(({ message }) => message).filter(text => text.includes('state'));
    return { state: model!.proxies[0]!.servers[0]!.saved, said };
  };
  const ROW = '1 b 1 s 127.0.0.1 0 8 5 10 77 8 2 1 6 6 0 0 - 80 - 0 0 - - 0';

  test("blanks, comments and lines as short as the manual's; of two lines the first counts", () => {
    for (const rows of [
      `  ${ROW.replaceAll(' ', '\t ')}`,
      `#x\n\n${ROW}`,
      ROW.slice(0, 42),
      `${ROW}\n${ROW.replace('.1 0', '.1 2')}`,
    ]) {
      expect(saved(`1\n${rows}\n`)).toMatchObject({ state: { oper: 0, agentState: 6 }, said: [] });
    }
  });

  test('a line that is none spoils the file', () => {
    const corrupted = ["Proxy 'b': corrupted server state file 'b' at line 2"];
    expect(saved(`1\n${ROW}\nfoo bar\n`)).toEqual({ state: null, said: corrupted });
    expect(saved(`1\n${ROW}\n${ROW}`)).toEqual({ state: null, said: corrupted });
  });

  test('what is not of the backend or of none of its servers is said, but not of a file for all', () => {
    const OTHER = '1 a 1 s 127.0.0.1 0 8 5 10 77 8 2 1 6 6 0 0 - 80 - 0 0 - - 0';
    const file = `1\n${ROW.replace('1 b', '9 b')}\n${ROW.replace('1 s', '1 gone')}\n${OTHER}\n`;
    const about = (how: string, path: string) =>
      load(config(how, 'server-state-file all'), { files: { [path]: file } })
        .diagnostics.list.map(({ message }) => message)
        .filter(text => text.startsWith("Proxy 'b'"));
    expect(about('load-server-state-from-file local', 'b')).toEqual([
      "Proxy 'b': backend ID mismatch: from server state file: '9', from running config '1'",
      "Proxy 'b': can't find server 'gone' in backend 'b'",
    ]);
    expect(about('load-server-state-from-file global', 'all')).toEqual([]);
  });

  test('names that were set at run time, or told by SRV records', () => {
    const config = `global
defaults
load-server-state-from-file local
resolvers r
nameserver n 127.0.0.1:53
backend b
server s host.example:80 resolvers r init-addr none
server t host.example:80 resolvers r init-addr none
server u _http._tcp.example:80 resolvers r init-addr none
server v _http._tcp.example:80 resolvers r init-addr none
`;
    const row = (name: string, admin: number, host: string, service: string) =>
      `1 b 1 ${name} 127.0.0.1 2 ${admin} 1 1 77 6 3 4 6 0 0 0 ${host} 80 ${service} 0 0 - - 0\n`;
    const rows = [
      row('s', 64, 'new.example', '-'),
      row('t', 0, 'new.example', '-'),
      row('u', 64, 'n1.example', '_http._tcp.example'),
      row('v', 64, 'n1.example', '_other._tcp.example'),
    ];
    const { servers } = modelOf(config, { b: `1\n${rows.join('')}` }).proxies[0]!;
    expect(servers.map(({ hostname }) => hostname)).toEqual(['new.example', 'host.example', 'n1.example', null]);
  });

  test.each([
    [5, '4', 'srv_op_state'],
    [6, '9', 'srv_admin_state'],
    [6, '128', 'srv_admin_state'],
    [7, '257', 'srv_uweight'],
    [8, '-1', 'srv_iweight'],
    [9, 'x', 'srv_last_time_change'],
    [11, '5', 'srv_check_result'],
    [13, '32', 'srv_check_state'],
    [18, '70000', 'srv_port'],
  ])('field %i may not be %s', (at, value, column) => {
    const { state, said } = saved(`1\n${ROW.split(' ').with(at, value).join(' ')}\n`);
    expect(state).toBeNull();
    expect(said).toEqual([`server-state application failed for server 'b/s', invalid ${column} value '${value}'`]);
  });

  test('no file is no error, another version is one to know of', () => {
    const how = config('load-server-state-from-file local');
    expect(said(how, 'notice')).toEqual(["config: can't open server state file 'b'"]);
    const { diagnostics } = load(how, { files: { b: '2\n' } });
    expect(diagnostics.list.map(d => d.message)).toContain("Proxy 'b': Can't get version of the server state file 'b'");
    expect(modelOf(config(''), { b: FILE }).proxies[0]!.servers[0]!.saved).toBeNull();
  });
});
