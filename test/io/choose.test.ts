import os from 'node:os';
import { expect, test } from 'vitest';
import { chooseIo, createIo, IO_NAMES } from '../../engine/io/choose.ts';
import { type Calls, systemCalls } from '../../engine/io/uring/calls.ts';
import { createUringIo } from '../../engine/io/uring/index.ts';
import { URING_HERE } from './worlds.ts';

const { EPERM, ENOSYS, EINVAL } = os.constants.errno;
const onLinux = test.runIf(process.platform === 'linux');

/** The system's calls, with a setup that fails. */
const failing = (errno: number): Calls => ({ ...systemCalls(), setup: () => -errno });

test('net by name', async () => {
  const { io, reason } = chooseIo('net');
  expect([io.name, reason]).toEqual(['net', 'asked for']);
  await io.stop();
});

test('an unknown name says which there are', () => {
  expect(() => createIo('epoll')).toThrow(`unknown io 'epoll': one of ${IO_NAMES.join(', ')}`);
});

test.runIf(URING_HERE)('uring where there is a ring', async () => {
  for (const name of ['auto', 'uring']) {
    const { io } = chooseIo(name);
    expect(io.name).toBe('uring');
    await io.stop();
  }
});

onLinux.each([
  [EPERM, /not permitted: forbidden by kernel.io_uring_disabled or a container/],
  [ENOSYS, /not implemented/],
  [EINVAL, /Linux 6\.11 or later/],
])('a ring that cannot be made (errno %i): net, and why', async (errno, why) => {
  const calls = failing(errno);
  expect(createUringIo({ calls })).toMatch(why);
  expect(() => chooseIo('uring', { calls })).toThrow(why);
  const { io, reason } = chooseIo('auto', { calls });
  expect(io.name).toBe('net');
  expect(reason).toMatch(why);
  await io.stop();
});

test.runIf(URING_HERE)('a kernel without a feature is refused, and nothing stays behind', () => {
  const real = systemCalls();
  const calls: Calls = {
    ...real,
    register: (ring, code, arg, count) => ((code & 0xff) === 22 ? -EINVAL : real.register(ring, code, arg, count)),
  };
  // More than a thread may have at once: each refused ring was closed.
  for (let i = 0; i < 20; i++) expect(createUringIo({ calls })).toMatch(/no ring of buffers \(Invalid argument\)/);
});
