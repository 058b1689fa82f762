import { expect, test } from 'vitest';
import { DynamicCookies, dynamicName } from '../../engine/balance/dynamic-cookies.ts';
import { inheritChanges } from '../../engine/sample/inherit-changes.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { parseModel } from '../proxy/rig.ts';

const ADDRESS = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 80 } as const;

function model(...backends: readonly string[]) {
  const head = 'defaults\n mode http\n timeout connect 1s\n timeout server 1s\n';
  return parseModel(head + backends.map(b => `backend ${b}\n server s 127.0.0.1:80\n`).join(''));
}

const A = 'a\n cookie C insert dynamic\n dynamic-cookie-key k';
const B = 'b\n cookie C insert';

/** A configuration as it runs, with two threads. */
function running({ proxies }: ReturnType<typeof model>) {
  const buffers = createChanges(3);
  const threads = [0, 1].map(n => new DynamicCookies(proxies, new ChangeLog(buffers, n))) as [
    DynamicCookies,
    DynamicCookies,
  ];
  return { proxies, patternRefs: [], procVars: [], buffers, follower: 2, threads };
}

test('every thread sees what one changes', () => {
  const { threads } = running(model(A, B));
  const [here, there] = threads;
  expect([0, 1].map(i => there.name(i, ADDRESS))).toEqual([dynamicName('k', ADDRESS), null]);
  const version = there.version(0);
  expect(here.setKey(0, 'other')).toBe(true);
  expect(there.version(0)).not.toBe(version);
  expect(there.name(0, ADDRESS)).toBe(dynamicName('other', ADDRESS));
  here.setDynamic(0, false);
  expect(there.name(0, ADDRESS)).toBeNull();
  // A key alone makes no names, nor does the wish for them.
  here.setKey(1, 'x');
  expect(there.name(1, ADDRESS)).toBeNull();
  here.setDynamic(1, true);
  expect(there.name(1, ADDRESS)).toBe(dynamicName('x', ADDRESS));
});

test('goes over to the next configuration, unless that says something else', () => {
  const old = running(model(A, B));
  old.threads[0].setKey(0, 'changed');
  const same = running(model(B, A));
  expect(inheritChanges(same, old)).toEqual([]);
  expect(same.threads[0].name(1, ADDRESS)).toBe(dynamicName('changed', ADDRESS));
  expect(same.threads[0].name(0, ADDRESS)).toBeNull();
  const other = running(model(A.replace('key k', 'key new')));
  inheritChanges(other, old);
  expect(other.threads[0].name(0, ADDRESS)).toBe(dynamicName('new', ADDRESS));
});
