import { expect, onTestFinished, test } from 'vitest';
import { SqliteStore } from '../../engine/lbaas/sqlite-store.ts';
import { Controller } from '../../workers/lbaas/controller.ts';
import { SILENT } from '../../workers/lbaas/log.ts';
import { alone } from '../../workers/lbaas/ownership.ts';
import { desk, SeemingProcesses, standing } from './desk.ts';
import { eventually } from './farm.ts';

test('what failed is tried again, though nobody asks for it', async () => {
  const store = new SqliteStore(':memory:');
  const d = await desk({ store });
  const { lb } = await standing(d);
  d.controller.stop();

  const processes = new SeemingProcesses();
  processes.failure = 'the port is taken';
  const controller = new Controller({
    ...{ store, processes, ownership: alone('here'), subnets: [], log: SILENT, findContainers: async () => {} },
    ...{ pollMs: 10, againMs: 20, parallel: 1 },
  });
  onTestFinished(() => controller.stop());
  controller.start();
  await controller.idle();
  expect(store.get('loadbalancer', lb)).toMatchObject({
    provisioning_status: 'ERROR',
    status_description: 'the port is taken',
  });
  processes.failure = null;
  await eventually(() => expect(store.get('loadbalancer', lb)!.provisioning_status).toBe('ACTIVE'));
  expect(store.get('loadbalancer', lb)!.status_description).toBe('');
  expect(processes.texts.has(lb)).toBe(true);
});
