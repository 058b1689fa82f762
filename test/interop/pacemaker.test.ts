/**
 * scripts/ha/ocf/sluice: the agent by itself, judged by ocf-tester and by its exit codes; and in a cluster of two machines,
 * with the group of scripts/ha/examples/pacemaker.xml.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, config, folder, freePort, LAUNCHER } from '../workers/sluice.ts';
import { type Machine, missing, startLan } from './namespaces.ts';

const SCRIPTS = path.join(import.meta.dirname, '../../scripts/ha');
const AGENT = path.join(SCRIPTS, 'ocf/sluice');
const ADDRESS = '10.77.0.100';

/** /usr/lib/ocf/lib/heartbeat/ocf-returncodes */
const OCF = { success: 0, generic: 1, unimplemented: 3, installed: 5, configured: 6, notRunning: 7 } as const;

const has = (file: string) => fs.existsSync(file);
const AGENTS = has('/usr/lib/ocf/lib/heartbeat/ocf-shellfuncs') && has('/usr/bin/socat');
if (!AGENTS) console.log('pacemaker.test: skipped, resource-agents or socat is not installed');
const TESTER = AGENTS && process.getuid?.() === 0 && has('/usr/sbin/ocf-tester') && has('/usr/bin/xmllint');
if (!TESTER) console.log('pacemaker.test: skipped without ocf-tester, xmllint or root');
const reason = AGENTS ? missing('corosync', 'pacemakerd', 'cibadmin', 'crm_standby', 'curl') : 'no agents';
if (reason !== null) console.log(`pacemaker.test: the cluster is skipped, ${reason}`);

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** What Sluice answers is `name`. */
const cfg = (name: string, bind: string) => `
global
  nbthread 1
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend www
  bind ${bind}
  http-request return status 200 content-type text/plain string ${name}
`;

/** The agent with files of its own. */
async function resource(options = '') {
  const dir = folder();
  const port = await freePort();
  const file = config(cfg('first', `127.0.0.1:${port}`), dir);
  const params = {
    ...{ binary: LAUNCHER, config: file, options },
    ...{ pidfile: path.join(dir, 'pid'), socket: path.join(dir, 'sock') },
  };
  const env = {
    ...process.env,
    ...{ OCF_ROOT: '/usr/lib/ocf', OCF_RESOURCE_INSTANCE: 'lb', OCF_RESKEY_CRM_meta_timeout: '3000' },
    ...Object.fromEntries(Object.entries(params).map(([name, value]) => [`OCF_RESKEY_${name}`, value])),
  };
  const act = (action: string, more: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(AGENT, [action], { env: { ...env, ...more }, encoding: 'utf8' });
    return { code: status, said: stdout + stderr };
  };
  const pid = () => Number(fs.readFileSync(params.pidfile, 'utf8'));
  onTestFinished(() => {
    if (has(params.pidfile)) process.kill(pid(), 'SIGKILL');
  });
  return { act, code: (action: string) => act(action).code, params, port, pid };
}

test.skipIf(!TESTER)('ocf-tester finds nothing wrong', async () => {
  const { params } = await resource();
  // It runs the agent as nobody, who must be able to reach it.
  const dir = folder();
  fs.chmodSync(dir, 0o755);
  const agent = path.join(dir, 'sluice');
  fs.copyFileSync(AGENT, agent);
  const options = Object.entries(params).flatMap(([name, value]) => (value === '' ? [] : ['-o', `${name}=${value}`]));
  const { status, stdout, stderr } = spawnSync('ocf-tester', ['-n', 'lb', ...options, agent], { encoding: 'utf8' });
  expect(stdout + stderr).toContain('passed all tests');
  expect(status).toBe(0);
});

// The second as scripts want it that look for a process by its name.
test.skipIf(!AGENTS).for(['', '--process-name haproxy'])('the life of a resource %s', async options => {
  const { code, pid } = await resource(options);
  expect(code('monitor')).toBe(OCF.notRunning);
  expect(code('reload')).toBe(OCF.notRunning);
  expect(code('start')).toBe(OCF.success);
  const first = pid();
  expect(code('start')).toBe(OCF.success);
  expect([code('monitor'), pid()]).toEqual([OCF.success, first]);
  process.kill(first, 'SIGKILL');
  while (has(`/proc/${first}/exe`)) await sleep(10);
  expect(code('monitor')).toBe(OCF.notRunning);
  expect([code('stop'), code('stop')]).toEqual([OCF.success, OCF.success]);
});

test.skipIf(!AGENTS)('one that hangs is no success, and is stopped nevertheless', async () => {
  const { act, code, pid } = await resource();
  expect(code('start')).toBe(OCF.success);
  const hung = pid();
  process.kill(hung, 'SIGSTOP');
  expect(act('monitor')).toMatchObject({ code: OCF.generic, said: expect.stringContaining('does not answer') });
  expect([code('stop'), code('monitor')]).toEqual([OCF.success, OCF.notRunning]);
  expect(has(`/proc/${hung}/exe`)).toBe(false);
});

test.skipIf(!AGENTS)('a reload puts a new configuration in force, and tells what is wrong with one', async () => {
  const { act, code, params, port } = await resource();
  expect(code('start')).toBe(OCF.success);
  const bind = `127.0.0.1:${port}`;
  fs.writeFileSync(params.config, cfg('second', bind));
  expect(code('reload')).toBe(OCF.success);
  expect(await ask(port)).toBe('second');
  fs.writeFileSync(params.config, `${cfg('third', bind)}  nonsense\n`);
  expect(act('reload')).toMatchObject({ code: OCF.generic, said: expect.stringContaining("'nonsense'") });
  expect([code('monitor'), await ask(port)]).toEqual([OCF.success, 'second']);
  expect(act('validate-all')).toMatchObject({ code: OCF.configured, said: expect.stringContaining("'nonsense'") });
  expect(code('stop')).toBe(OCF.success);
  expect(act('start')).toMatchObject({ code: OCF.generic, said: expect.stringContaining("'nonsense'") });
});

test.skipIf(!AGENTS)('what is missing on this machine, and what is not known', async () => {
  const { act } = await resource();
  expect(act('validate-all').code).toBe(OCF.success);
  for (const action of ['validate-all', 'start']) {
    expect(act(action, { OCF_RESKEY_binary: '/nowhere/sluice' }).code).toBe(OCF.installed);
    expect(act(action, { OCF_RESKEY_config: '/nowhere/lb.cfg' }).code).toBe(OCF.installed);
  }
  expect(act('meta-data', { OCF_RESKEY_config: '/nowhere/lb.cfg' }).code).toBe(OCF.success);
  expect(act('promote').code).toBe(OCF.unimplemented);
});

// --- a cluster ---

const COROSYNC = `
totem {
  version: 2
  cluster_name: lb
  transport: udpu
  crypto_cipher: none
  crypto_hash: none
}
nodelist {
  node {
    ring0_addr: 10.77.0.11
    name: node1
    nodeid: 1
  }
  node {
    ring0_addr: 10.77.0.12
    name: node2
    nodeid: 2
  }
}
quorum {
  provider: corosync_votequorum
  two_node: 1
  wait_for_all: 0
}
logging {
  to_syslog: no
}
`;

/** The example with the paths that are here. */
const group = () =>
  fs
    .readFileSync(path.join(SCRIPTS, 'examples/pacemaker.xml'), 'utf8')
    .replace('/usr/local/bin/sluice', LAUNCHER)
    .replace('/etc/haproxy/haproxy.cfg', '/run/sluice.cfg');

/** Nothing of the cluster's files is the real machine's; the agent is where Pacemaker looks for it. */
const setUp = (name: string) => `
hostname ${name}
for dir in /dev/shm /var/lib/corosync /var/lib/pacemaker /etc/corosync /var/log/corosync /var/log/pacemaker /run; do
  mount -t tmpfs none $dir
done
chown hacluster:haclient /var/log/pacemaker /var/lib/pacemaker
install -d -o hacluster -g haclient -m 750 \
  /var/lib/pacemaker/cib /var/lib/pacemaker/pengine /var/lib/pacemaker/blackbox /var/lib/pacemaker/cores
install -d -m 1755 /run/resource-agents /run/agents
mount --bind /usr/lib/ocf/resource.d/heartbeat /run/agents
mount -t tmpfs none /usr/lib/ocf/resource.d
mkdir /usr/lib/ocf/resource.d/heartbeat /usr/lib/ocf/resource.d/sluice
mount --bind /run/agents /usr/lib/ocf/resource.d/heartbeat
mount --bind ${path.dirname(AGENT)} /usr/lib/ocf/resource.d/sluice
cat >/etc/corosync/corosync.conf <<'END'\n${COROSYNC}\nEND
cat >/var/lib/pacemaker/cib/cib.xml <<'END'\n${CIB}\nEND
chown hacluster:haclient /var/lib/pacemaker/cib/cib.xml
chmod 600 /var/lib/pacemaker/cib/cib.xml
cat >/run/group.xml <<'END'\n${group()}\nEND
cat >/run/sluice.cfg <<'END'\n${cfg(name, `${ADDRESS}:80`)}\nEND
`;

/** The cluster's configuration. Without the deadtime the first election takes 20 s. */
const CIB = `
<cib validate-with="pacemaker-3.0" admin_epoch="1" epoch="1" num_updates="0">
  <configuration>
    <crm_config>
      <cluster_property_set id="options">
        <nvpair id="stonith" name="stonith-enabled" value="false"/>
        <nvpair id="deadtime" name="dc-deadtime" value="2s"/>
      </cluster_property_set>
    </crm_config>
    <nodes/>
    <resources/>
    <constraints/>
  </configuration>
  <status/>
</cib>`;

async function until(what: string, look: () => Promise<boolean>, ms = 30_000): Promise<void> {
  for (const deadline = Date.now() + ms; !(await look()); await sleep(100)) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
  }
}

async function startCluster(nodes: readonly Machine[]): Promise<void> {
  for (const [i, node] of nodes.entries()) node.sh(setUp(`node${i + 1}`));
  await Promise.all(nodes.map(node => node.start('corosync', ['-f'], { stdio: 'ignore' })));
  await Promise.all(nodes.map(node => node.start('pacemakerd', [], { stdio: 'ignore' })));
  const [first] = nodes;
  const online = async () => (await first!.ask('crm_mon', '-1')).includes('Online: [ node1 node2 ]');
  await until('both nodes are online', online);
  first!.sh(`cibadmin -o resources -C -x /run/group.xml
    cibadmin -o constraints -C -X '<rsc_location id="home" rsc="lb" node="node1" score="50"/>'`);
}

test('the group moves when Sluice dies, hangs, and when a node is in standby, and comes back', {
  timeout: 120_000,
  skip: reason !== null,
}, async () => {
  const lan = await startLan(3);
  onTestFinished(() => lan.end());
  const [first, second, client] = lan.machines;
  await startCluster([first!, second!]);
  const servedBy = (name: string) => {
    const look = async () => (await client!.ask('curl', '-sf', '-m', '0.5', `http://${ADDRESS}/`)) === name;
    return until(`${name} serves`, look);
  };
  await servedBy('node1');
  for (const trouble of ['KILL', 'STOP']) {
    first!.sh(`kill -${trouble} $(cat /run/resource-agents/sluice-lb-sluice.pid)`);
    await servedBy('node2');
    first!.sh('crm_resource --cleanup -r lb-sluice');
    await servedBy('node1');
  }
  first!.sh('crm_standby -N node1 -v on');
  await servedBy('node2');
  first!.sh('crm_standby -N node1 -v off');
  await servedBy('node1');
});
