import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { keepalivedText, leaseScript, routerIdOf } from '../../engine/lbaas/keepalived.ts';
import { folder } from '../workers/sluice.ts';

const ROUTER = { device: 'eth0', id: 7, lease: null };

test('one virtual router has all addresses', () => {
  expect(keepalivedText(ROUTER, [])).not.toContain('vrrp_instance');
  const text = keepalivedText({ ...ROUTER, lease: '/state/lease' }, ['10.0.0.1', '10.0.0.2', 'fd00::1']);
  expect(text).toContain('virtual_ipaddress {\n    10.0.0.1/32 dev eth0\n  }');
  expect(text).toContain('virtual_ipaddress_excluded {\n    10.0.0.2/32 dev eth0\n    fd00::1/128 dev eth0\n  }');
  expect(text).toContain('track_script {\n    sluice_lease\n  }');
  expect(keepalivedText(ROUTER, ['10.0.0.1'])).not.toMatch(/excluded|lease/);
});

test('a lease that nobody keeps ends', () => {
  const dir = folder();
  const [file, script] = [path.join(dir, 'alive'), path.join(dir, 'lease')];
  fs.writeFileSync(script, leaseScript(file, 3), { mode: 0o755 });
  const holds = () => spawnSync(script).status === 0;
  expect(holds(), 'it was never kept').toBe(false);
  fs.writeFileSync(file, '');
  expect(holds()).toBe(true);
  const past = new Date(Date.now() - 60_000);
  fs.utimesSync(file, past, past);
  expect(holds()).toBe(false);
});

test('the number of a host is a virtual router', () => {
  for (const host of ['a', 'b', 'network-1', '']) {
    expect(routerIdOf(host)).toBeGreaterThan(0);
    expect(routerIdOf(host)).toBeLessThan(256);
  }
});
