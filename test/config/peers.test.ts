/** `peers` sections in the model. */
import { expect, test } from 'vitest';
import { addressText } from '../../engine/io/address.ts';
import { load } from './load-text.ts';

const BASE = 'global\n localpeer a\ndefaults\n timeout connect 1s\n timeout client 1s\n timeout server 1s\n';

function section(...lines: string[]) {
  const { model, diagnostics } = load(`${BASE}peers p\n ${lines.join('\n ')}\n`);
  return { peers: model?.peers[0], said: diagnostics.list.map(d => d.message) };
}

test('the local peer is where we listen, the others where we connect', () => {
  const { peers, said } = section('peer b 127.0.0.1:2 shard 2', 'peer a 127.0.0.1:1', 'shards 3');
  expect(said).toEqual([]);
  expect(peers!.peers.map(peer => [peer.name, addressText(peer.address!), peer.shard])).toEqual([
    ['b', '127.0.0.1:2', 2],
    ['a', '127.0.0.1:1', 0],
  ]);
  expect([peers!.local, peers!.shards]).toEqual([1, 3]);
  expect(peers!.binds.map(bind => addressText(bind.address!))).toEqual(['127.0.0.1:1']);
});

test('or a bind line says where we listen', () => {
  const { peers, said } = section('bind 127.0.0.1:1,127.0.0.1:3', 'server a', 'server b 127.0.0.1:2');
  expect(said).toEqual([]);
  expect(peers!.binds.map(bind => addressText(bind.address!))).toEqual(['127.0.0.1:1', '127.0.0.1:3']);
  expect(peers!.peers.map(({ address }) => address === null)).toEqual([true, false]);
});

test('default-bind holds for both', () => {
  const backlogs = (...lines: string[]) => section('default-bind backlog 7', ...lines).peers!.binds.map(b => b.backlog);
  expect(backlogs('peer a 127.0.0.1:1')).toEqual([7]);
  expect(backlogs('bind 127.0.0.1:1', 'bind 127.0.0.1:3 backlog 8', 'peer a')).toEqual([7, 8]);
});

test('a section without us does nothing and says so', () => {
  expect(section('peer b 127.0.0.1:2').said).toEqual(["Removing incomplete section 'peers p' (no peer named 'a')"]);
  expect(section('disabled', 'peer b 127.0.0.1:2').said).toEqual([]);
});

test('a peer without an address', () => {
  expect(section('peer a', 'peer b 127.0.0.1:2').said).toEqual(["'peer a' has no address"]);
});

test('tables are shared by their short names and known by their long ones', () => {
  const { model, diagnostics } = load(`${BASE}peers p
 peer a 127.0.0.1:1
 table t type ip size 1k
backend t
 stick-table type ip size 1k peers p
backend other
 stick-table type ip size 1k
`);
  expect(diagnostics.list).toEqual([]);
  expect(model!.tables.map(({ name, peerName, peers }) => [name, peerName, peers])).toEqual([
    ['t', 't', 0],
    ['other', 'other', -1],
    ['p/t', '/t', 0],
  ]);
  expect(model!.peers[0]!.tables).toEqual([0, 2]);
});
