/** Keywords of the global section that count once: HAProxy keeps what the first line said, and says so. */
import { expect, test } from 'vitest';
import { load } from './load-text.ts';

const TWICE: readonly (readonly [first: string, second: string, subject: string])[] = [
  ['maxconn 10', 'maxconn 20', 'maxconn'],
  ['maxconnrate 10', 'maxconnrate 20', 'maxconnrate'],
  ['maxsessrate 10', 'maxsessrate 20', 'maxsessrate'],
  ['maxsslrate 10', 'maxsslrate 20', 'maxsslrate'],
  ['ulimit-n 1000', 'ulimit-n 2000', 'ulimit-n'],
  ['chroot /tmp', 'chroot /var', 'chroot'],
  ['pidfile /tmp/a', 'pidfile /tmp/b', 'pidfile'],
  ['uid 10', 'user root', 'user/uid'],
  ['gid 10', 'gid 20', 'group/gid'],
  ['server-state-base /tmp', 'server-state-base /var', 'server-state-base'],
  ['server-state-file /tmp/a', 'server-state-file /tmp/b', 'server-state-file'],
];

test.each(TWICE)('%s, then %s', (first, second, subject) => {
  const { model, diagnostics } = load(`global\n${first}\n${second}\n`);
  expect(diagnostics.list.map(({ severity, place, message }) => [severity, place?.line, message])).toEqual([
    ['warning', 3, `'${subject}' already specified. Continuing.`],
  ]);
  expect(model!.global).toEqual(load(`global\n${first}\n`).model!.global);
});

test.each(['ca-base', 'crt-base', 'key-base'])('%s is refused the second time', name => {
  const { diagnostics } = load(`global\n${name} /a\n${name} /b\n`);
  expect(diagnostics.list.map(({ severity, place, message }) => [severity, place?.line, message])).toEqual([
    ['alert', 3, `'${name}' already specified.`],
  ]);
});
