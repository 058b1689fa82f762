/** Globally unique ids: what is refused, and what a reload recognises by them. */
import { expect, test } from 'vitest';
import { match } from '../../engine/config/match.ts';
import { parseModel } from '../proxy/rig.ts';

const WEB = (guid: string, bind: string, servers: string) => `
listen ${guid}
  bind ${bind}
${servers}`;

test('sockets of a line are numbered', () => {
  const [proxy] = parseModel(WEB('web', ':80,:81 guid-prefix edge', '')).proxies;
  expect(proxy!.binds.map(bind => bind.guid)).toEqual(['edge-1', 'edge-2']);
});

test.each([
  [
    'two servers',
    '  server a 1.1.1.1:1 guid x\n  server b 1.1.1.1:1 guid x\n',
    "server 'web/b': guid 'x' is already used",
  ],
  [
    'a server and a socket',
    '  server a 1.1.1.1:1 guid edge-2\n',
    "server 'web/a': guid 'edge-2' is already used by 'bind",
  ],
  [
    'a server and its proxy',
    '  guid x\n  server a 1.1.1.1:1 guid x\n',
    "server 'web/a': guid 'x' is already used by proxy",
  ],
])('%s cannot have the same one', (_, lines, message) => {
  expect(() => parseModel(WEB('web', ':80,:81 guid-prefix edge', lines))).toThrow(message);
});

test('a reload recognises servers and sockets by their ids, then by their names', () => {
  const before = parseModel(
    WEB(
      'web',
      ':80 guid-prefix one',
      '  server a 1.1.1.1:1 guid x\n  server b 1.1.1.1:2 guid y\n  server c 1.1.1.1:3\n',
    ),
  );
  const after = parseModel(
    WEB(
      'web',
      ':90 name other\n  bind :91 guid-prefix one',
      '  server renamed 1.1.1.1:1 guid x\n  server b 1.1.1.1:9 guid z\n  server c 1.1.1.1:3 guid w\n  server a 1.1.1.1:1\n',
    ),
  );
  const { servers, listeners } = match(after, before);
  expect([...servers.subarray(0, 4)]).toEqual([0, -1, 2, -1]);
  expect([...listeners]).toEqual([-1, 0]);
});
