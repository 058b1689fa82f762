import { expect, test } from 'vitest';
import { type Desk, desk, SUBNET, V1 } from './desk.ts';

async function pool(d: Desk, more: object = {}): Promise<string> {
  const body = { pool: { name: 'p', subnet_id: SUBNET.id, protocol: 'HTTP', lb_method: 'ROUND_ROBIN', ...more } };
  return (await d.do('POST', `${V1}/pools`, body)).pool.id;
}

const vipOf = (pool_id: string) => ({
  name: 'v',
  pool_id,
  subnet_id: SUBNET.id,
  protocol: 'HTTP',
  protocol_port: '80',
});

test('a pool becomes a process with its VIP', async () => {
  const d = await desk();
  const id = await pool(d);
  const { member } = await d.do('POST', `${V1}/members`, {
    member: { pool_id: id, address: '10.9.0.3', protocol_port: '8081', weight: '5', admin_state_up: 'True' },
  });
  expect(member).toMatchObject({ protocol_port: 8081, weight: 5, admin_state_up: true, status: 'PENDING_CREATE' });
  const timing = { delay: '3', timeout: '3', max_retries: '2' };
  const monitors: string[] = [];
  for (const type of ['HTTP', 'TCP']) {
    const { health_monitor } = await d.do('POST', `${V1}/health_monitors`, { health_monitor: { type, ...timing } });
    monitors.push(health_monitor.id);
    expect('url_path' in health_monitor).toBe(type === 'HTTP');
    await d.do('POST', `${V1}/pools/${id}/health_monitors`, { health_monitor: { id: health_monitor.id } });
  }
  expect(d.processes.texts.size, 'not before the VIP exists').toBe(0);
  const { vip } = await d.do('POST', `${V1}/vips`, { vip: vipOf(id) });
  expect(vip).toMatchObject({
    address: '10.9.0.10',
    protocol_port: 80,
    connection_limit: -1,
    session_persistence: null,
  });
  const text = d.processes.texts.get(id)!;
  expect(text).toContain('bind 10.9.0.10:80');
  expect(text).toContain(`server ${member.id} 10.9.0.3:8081 weight 5 check inter 3s fall 2 rise 1`);
  expect(text).toContain('tcp-check expect rstring');
  expect((await d.ask('GET', `${V1}/pools/${id}`)).body.pool).toMatchObject({
    ...{
      status: 'ACTIVE',
      vip_id: vip.id,
      members: [member.id],
      health_monitors: monitors,
      tenant_id: expect.any(String),
    },
  });

  d.processes.health_ = {
    members: { [member.id]: 'DOWN' },
    findings: { [member.id]: 'L4CON' },
    fronts: {},
    pools: {},
    ping: null,
  };
  expect((await d.ask('GET', `${V1}/members/${member.id}`)).body.member.status).toBe('INACTIVE');
  expect((await d.ask('GET', `${V1}/pools/${id}/stats`)).body).toEqual({
    stats: { active_connections: 0, bytes_in: 0, bytes_out: 0, total_connections: 0 },
  });

  const update = await d.do('PUT', `${V1}/members/${member.id}`, { member: { weight: '0', admin_state_up: 'False' } });
  expect(update.member).toMatchObject({ weight: 0, admin_state_up: false, status: 'PENDING_UPDATE' });
  expect(d.processes.commands).toEqual([
    `set server ${id}:${vip.id}/${member.id} weight 0`,
    `set server ${id}:${vip.id}/${member.id} state maint`,
  ]);
  await d.do('DELETE', `${V1}/vips/${vip.id}`);
  expect(d.processes.texts.size).toBe(0);
  await d.do('DELETE', `${V1}/pools/${id}`);
  expect((await d.ask('GET', `${V1}/members/${member.id}`)).body.NeutronError.type).toBe('MemberNotFound');
});

test('refusals in the words of Neutron', async () => {
  const d = await desk();
  const id = await pool(d);
  await d.do('POST', `${V1}/vips`, { vip: vipOf(id) });
  const { health_monitor } = await d.do('POST', `${V1}/health_monitors`, {
    health_monitor: { type: 'TCP', delay: 3, timeout: 1, max_retries: 2 },
  });
  const monitor = `${V1}/pools/${id}/health_monitors`;
  await d.do('POST', monitor, { health_monitor: { id: health_monitor.id } });
  const tcp = await pool(d, { protocol: 'TCP' });
  const rows: [method: 'DELETE' | 'POST', url: string, body: object | undefined, status: number, type: string][] = [
    ['DELETE', `${V1}/pools/${id}`, undefined, 409, 'PoolInUse'],
    ['DELETE', `${V1}/health_monitors/${health_monitor.id}`, undefined, 409, 'HealthMonitorInUse'],
    ['POST', monitor, { health_monitor: { id: health_monitor.id } }, 409, 'PoolMonitorAssociationExists'],
    ['DELETE', `${monitor}/nobody`, undefined, 404, 'PoolMonitorAssociationNotFound'],
    ['DELETE', `${V1}/vips/nobody`, undefined, 404, 'VipNotFound'],
    ['DELETE', `${V1}/health_monitors/nobody`, undefined, 404, 'HealthMonitorNotFound'],
    ['POST', `${V1}/vips`, { vip: vipOf(id) }, 409, 'VipExists'],
    ['POST', `${V1}/vips`, { vip: vipOf(tcp) }, 400, 'ProtocolMismatch'],
    [
      'POST',
      `${V1}/health_monitors`,
      { health_monitor: { type: 'TCP', delay: 1, timeout: 2, max_retries: 2 } },
      400,
      'DelayOrTimeoutInvalid',
    ],
  ];
  for (const [method, url, body, status, type] of rows) {
    const answer = await d.ask(method, url, body);
    expect([answer.status, answer.body.NeutronError?.type], `${method} ${url}`).toEqual([status, type]);
  }
});

test('a monitor changes for all its pools; a member moves', async () => {
  const d = await desk();
  const [a, b] = [await pool(d), await pool(d)];
  const { health_monitor } = await d.do('POST', `${V1}/health_monitors`, {
    health_monitor: { type: 'TCP', delay: 3, timeout: 1, max_retries: 2 },
  });
  for (const id of [a, b]) {
    await d.do('POST', `${V1}/vips`, { vip: vipOf(id) });
    await d.do('POST', `${V1}/pools/${id}/health_monitors`, { health_monitor: { id: health_monitor.id } });
  }
  const { member } = await d.do('POST', `${V1}/members`, {
    member: { pool_id: a, address: '10.9.0.3', protocol_port: 1 },
  });
  await d.do('PUT', `${V1}/health_monitors/${health_monitor.id}`, { health_monitor: { delay: '9' } });
  expect(d.processes.texts.get(a)).toContain('inter 9s');
  await d.do('PUT', `${V1}/members/${member.id}`, { member: { pool_id: b } });
  expect(d.processes.texts.get(a)).not.toContain(member.id);
  expect(d.processes.texts.get(b)).toContain(member.id);
  expect((await d.ask('GET', `${V1}/members?pool_id=${b}&fields=id`)).body).toEqual({ members: [{ id: member.id }] });
});
