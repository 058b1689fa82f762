/** What a reload takes along of servers that were added at run time. */
import { expect, test } from 'vitest';
import type { Model } from '../../engine/config/model.ts';
import { withRuntimeServers } from '../../engine/config/runtime-servers.ts';
import { load } from './load-text.ts';

function modelOf(text: string): Model {
  const { model } = load(text);
  if (model === null) throw new Error('it does not load');
  return model;
}

const W = 'backend w\n  server x 127.0.0.1:1 check\n  server y 127.0.0.1:2 check\n';
const B = 'backend b\n  server s1 127.0.0.1:3\n';

test('an added server finds the one that it tracks by its name, and stays away without it', () => {
  const configured = modelOf(B + W);
  const [b, w] = configured.proxies;
  const added = { ...b!.servers[0]!, name: 'd', index: 1, id: 2, track: { proxy: w!.index, server: 1 } };
  const running: Model = { ...configured, proxies: [{ ...b!, servers: [...b!.servers, added] }, w!] };
  const after = (text: string) =>
    withRuntimeServers(modelOf(text), configured, running).proxies.find(({ name }) => name === 'b')!.servers;
  const turned = W.replace('server x', 'server z 127.0.0.1:9 check\n  server x');
  expect(after(turned + B).map(({ name, track }) => [name, track])).toEqual([
    ['s1', null],
    ['d', { proxy: 0, server: 2 }],
  ]);
  expect(after(`${B}backend w\n  server x 127.0.0.1:1 check\n`)).toHaveLength(1);
  expect(after(B)).toHaveLength(1);
});
