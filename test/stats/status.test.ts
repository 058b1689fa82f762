import { expect, test } from 'vitest';
import {
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_INHERITED_MAINT,
  ADMIN_RESOLUTION_MAINT,
  CHECK_CONFIGURED,
  CHECK_ENABLED,
  LISTENER,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
} from '../../engine/shm/words.ts';
import { COLUMNS } from '../../engine/stats/columns.ts';
import { WEIGHTS } from '../../engine/stats/reads.ts';
import {
  backendStatus,
  checkStatus,
  frontendStatus,
  listenerStatus,
  serverStatus,
  serverStatusText,
  throttle,
} from '../../engine/stats/status.ts';
import { Subject } from '../../engine/stats/view.ts';
import { busy, fresh, MODEL, NOW, proxy, server } from './fixture.ts';

const APP = MODEL.proxies[1]!;
const AGENT = CHECK_CONFIGURED | CHECK_ENABLED;

// rise 2, fall 3: health goes from 0 to 4.
test.each([
  ['UP', 'up', { oper: OPER_RUNNING, check_health: 4 }],
  ['UP 2/3', 'going_down', { oper: OPER_RUNNING, check_health: 3 }],
  ['UP 1/3', 'going_down', { oper: OPER_RUNNING, check_health: 2 }],
  ['UP', 'up', { oper: OPER_STARTING, check_health: 4 }],
  ['DOWN', 'down', { oper: OPER_STOPPED, check_health: 0 }],
  ['DOWN 1/2', 'going_up', { oper: OPER_STOPPED, check_health: 1 }],
  ['NOLB', 'nolb', { oper: OPER_STOPPING, check_health: 4 }],
  ['NOLB 2/3', 'nolb', { oper: OPER_STOPPING, check_health: 3 }],
  ['DRAIN', 'draining', { oper: OPER_RUNNING, check_health: 4, admin: ADMIN_FORCED_DRAIN }],
  ['DRAIN 1/3', 'draining', { oper: OPER_RUNNING, check_health: 2, admin: ADMIN_FORCED_DRAIN }],
  ['MAINT', 'maintain', { oper: OPER_STOPPED, check_health: 0, admin: ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN }],
  ['MAINT (resolution)', 'maintain', { oper: OPER_STOPPED, admin: ADMIN_RESOLUTION_MAINT }],
  ['no check', 'no_check', { oper: OPER_RUNNING, check_on: 0 }],
  ['no check', 'no_check', { oper: OPER_RUNNING, check_on: 1 }],
  ['DRAIN', 'draining', { oper: OPER_RUNNING, check_on: 0, admin: ADMIN_FORCED_DRAIN }],
  ['DOWN', 'down', { oper: OPER_STOPPED, check_on: 0, check_health: 1 }],
  ['DOWN (agent)', 'down', { oper: OPER_STOPPED, check_health: 1, agent_on: AGENT, agent_health: 0 }],
  ['DOWN 0/2', 'going_up', { oper: OPER_STOPPED, check_on: 0, check_health: 0, agent_on: AGENT, agent_health: 1 }],
] as const)('a server is %s (%s)', (status, colour, words) => {
  const f = busy();
  f.server(0, words);
  const s = f.view.server(new Subject(NOW, true), APP, 0);
  expect(serverStatusText(f.view, s)).toBe(status);
  expect(serverStatus(f.view, s).colour).toBe(colour);
});

test('maintenance that comes from the tracked server says which', () => {
  const f = busy();
  const tracking = proxy(1, 'backend', 'app', { servers: [server(0, 's1', { track: { proxy: 1, server: 1 } })] });
  const other = server(1, 's2');
  f.server(0, { oper: OPER_STOPPED, admin: ADMIN_INHERITED_MAINT });
  const s = f.view.server(new Subject(NOW, true), { ...tracking, servers: [...tracking.servers, other] }, 0);
  expect(serverStatusText(f.view, s)).toBe(
    `MAINT (via ${MODEL.proxies[1]!.name}/${MODEL.proxies[1]!.servers[1]!.name})`,
  );
});

test('a server whose checks are disabled has no counts of them', () => {
  const f = busy();
  const counts = (on: number) => {
    f.server(0, { check_on: on });
    const s = f.view.server(new Subject(NOW, true), APP, 0);
    return ['chkfail', 'chkdown'].map(name => COLUMNS.find(column => column.name === name)!.value(f.view, s));
  };
  expect(counts(CHECK_CONFIGURED)).toEqual([null, null]);
  expect(counts(CHECK_CONFIGURED | CHECK_ENABLED)).not.toContain(null);
});

test('a check that runs is marked, and shows the last result', () => {
  const f = busy();
  const s = f.view.server(new Subject(NOW, true), APP, 0);
  expect(checkStatus(f.view, s, 'check')).toBe('L4OK');
  f.server(0, { check_on: 7 });
  expect(checkStatus(f.view, s, 'check')).toBe('* L4OK');
});

test('frontends, listeners and backends', () => {
  const f = busy();
  const s = f.view.frontend(new Subject(NOW, true), MODEL.proxies[0]!);
  expect(frontendStatus(f.view, s)).toBe('OPEN');
  f.proxy(0, { fe_stopped: 1 });
  expect(frontendStatus(f.view, s)).toBe('STOP');
  f.view.listener(s, MODEL.proxies[0]!, 1);
  expect(listenerStatus(f.view, s)).toBe('OPEN');
  f.proxy(0, { fe_waiting: 1 });
  expect(listenerStatus(f.view, s)).toBe('WAITING');
  f.memory.words[f.memory.listener(1) + LISTENER.at.maxconn] = 5;
  f.memory.words[f.memory.listener(1) + LISTENER.at.conns] = 5;
  expect(listenerStatus(f.view, s)).toBe('FULL');
  expect(backendStatus(f.view, f.view.backend(s, MODEL.proxies[2]!))).toBe('DOWN');
  expect(backendStatus(f.view, f.view.backend(s, MODEL.proxies[5]!))).toBe('UP');
});

test('a slow start shows how far it is', () => {
  const slow = server(0, 's', { slowstartMs: 60_000, weight: 100 });
  const f = fresh({ ...MODEL, proxies: [proxy(0, 'backend', 'b', { servers: [slow] })] });
  f.server(0, { oper: OPER_STARTING, uweight: 100, eweight: 25, last_change: 4985, ramp: 4 });
  const s = f.view.server(new Subject(NOW, true), f.view.model.proxies[0]!, 0);
  expect(throttle(f.view, s)).toBe(25);
  // 18.75 percent: HAProxy's 18, and 19 of the weight; a server that drains shows what it had.
  f.server(0, { ramp: 3, eweight: 0, admin: ADMIN_FORCED_DRAIN });
  expect([throttle(f.view, s), WEIGHTS(f.view, s)]).toEqual([null, 19]);
  f.server(0, { admin: 0 });
  expect(throttle(f.view, s)).toBe(18);
  f.server(0, { uweight: 0 });
  expect(throttle(f.view, s)).toBeNull();
  f.server(0, { oper: OPER_RUNNING, eweight: 100 });
  expect(throttle(f.view, s)).toBeNull();
});

test('a backend has the sum of what its servers have, not of what each shows', () => {
  const slow = [0, 1].map(i => server(i, `s${i}`, { slowstartMs: 60_000 }));
  const f = fresh({ ...MODEL, proxies: [proxy(0, 'backend', 'b', { servers: slow })] });
  for (const i of [0, 1]) f.server(i, { oper: OPER_STARTING, uweight: 1, eweight: 1, ramp: 3 });
  expect(WEIGHTS(f.view, f.view.backend(new Subject(NOW, true), f.view.model.proxies[0]!))).toBe(1);
});
