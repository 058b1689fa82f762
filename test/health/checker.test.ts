import { expect, test } from 'vitest';
import { startDelays, startHealth } from '../../engine/health/index.ts';
import { setMaint, setReady } from '../../engine/health/state.ts';
import { OPER_RUNNING, OPER_STOPPED } from '../../engine/shm/words.ts';
import { FakeIo, type Script } from './fake-io.ts';
import { HTTP_CHECK, type ModelOptions, modelOf, type ServerOptions, worldOf } from './fixture.ts';

function start(servers: readonly ServerOptions[], o: ModelOptions = {}, random = 0.5) {
  const world = worldOf(modelOf(servers, o));
  const io = new FakeIo(world);
  const health = startHealth({ ...world.env, io, wheel: io.wheel, random: () => random });
  return { world, io, health };
}

const OK: Script = { answer: ['HTTP/1.1 200 OK\r\n', 'Content-Length: 2\r\n\r\nok'] };

test('layer 4: passes, fails, comes back; connections end with a reset', () => {
  const { world, io } = start([{ port: 1, inter: 1000, rise: 2, fall: 3 }]);
  io.scripts.set(1, {});
  io.run(10);
  expect([world.status(0), world.word(0, 'check_health'), world.word(0, 'check_duration')]).toEqual(['L4OK', 4, 0]);
  expect(io.conns[0]!.shut).toBe('reset');
  io.scripts.set(1, { refuse: 111 });
  io.run(2500);
  expect([world.word(0, 'oper'), world.word(0, 'check_health')]).toEqual([OPER_RUNNING, 2]);
  io.run(1000);
  expect([world.word(0, 'oper'), world.status(0), world.text(0)]).toEqual([
    OPER_STOPPED,
    'L4CON',
    'Connection refused',
  ]);
  io.scripts.set(1, {});
  io.run(2000);
  expect(world.word(0, 'oper')).toBe(OPER_RUNNING);
  expect(world.lines.map(l => l.slice(0, 25))).toEqual([
    '<1>Server b/s1 is DOWN, r',
    '<0>backend b has no serve',
    '<5>Server b/s1 is UP, rea',
  ]);
});

test('inter, fastinter while on the way, downinter when down', () => {
  const { world, io } = start([{ port: 1, inter: 4000, fastinter: 500, downinter: 2000, rise: 2, fall: 3 }]);
  io.scripts.set(1, {});
  io.run(5000);
  expect(io.conns.length).toBe(2);
  io.scripts.set(1, { refuse: 111 });
  io.run(3600); // at 8 s and 8.5 s
  expect([io.conns.length, world.word(0, 'check_health')]).toEqual([4, 2]);
  io.run(600);
  expect(world.word(0, 'oper')).toBe(OPER_STOPPED);
  const down = io.conns.length;
  io.run(4000);
  expect(io.conns.length).toBe(down + 2);
});

test('layer 7 over chunks, and the status code in shared words', () => {
  const { world, io } = start([{ port: 1 }], { check: HTTP_CHECK });
  io.scripts.set(1, OK);
  io.run(10);
  expect([world.status(0), world.word(0, 'check_code')]).toEqual(['L7OK', 200]);
  io.scripts.set(1, { answer: ['HTTP/1.1 503 Sorry\r\n\r\n'] });
  io.run(1000);
  expect([world.status(0), world.word(0, 'check_code'), world.text(0)]).toEqual(['L7STS', 503, 'Sorry']);
});

test('what breaks, and when: each phase has its own status', () => {
  const cases: readonly [Script, string, string, number][] = [
    [{ silentConnect: true }, 'L4TOUT', '', 1000],
    [{ refuse: 113 }, 'L4CON', 'No route to host', 0],
    [{ answer: [], after: 'open' }, 'L7TOUT', '', 1000],
    [{ answer: [], after: 'reset', delayMs: 20 }, 'SOCKERR', 'Connection reset by peer', 20],
    [{ answer: ['HTTP/1.1 2'], after: 'end' }, 'L7RSP', '', 0],
    [{ answer: ['SSH-2.0\r\n'], after: 'open' }, 'L7RSP', '', 0],
  ];
  for (const [script, status, text, duration] of cases) {
    const { world, io, health } = start([{ port: 1 }], { check: HTTP_CHECK });
    io.scripts.set(1, script);
    io.run(1010);
    health.stop();
    expect([world.status(0), world.text(0), world.word(0, 'check_duration')]).toEqual([status, text, duration]);
  }
});

test('what breaks at a SOCKS proxy, in the words of HAProxy', () => {
  const socks4 = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 3 } as const;
  const cases: readonly [Script, string, string][] = [
    [{ refuse: 111 }, 'L4CON', 'Connection refused'],
    [{ answer: ['\0\x5b\0\0\0\0\0\0'], after: 'open' }, 'SOCKERR', 'SOCKS4 Proxy deny the request'],
    [{ answer: ['\0\x5a'], after: 'end' }, 'SOCKERR', 'SOCKS4 Proxy read error during handshake'],
    [
      { answer: [], after: 'reset', delayMs: 20 },
      'SOCKERR',
      'SOCKS4 Proxy handshake aborted by server (Connection reset by peer)',
    ],
    [{ answer: [], after: 'open' }, 'L7TOUT', ''],
    // The version of a reply is not looked at.
    [{ answer: ['\x05\x5a\0\0\0\0\0\0'], after: 'open' }, 'L4OK', ''],
  ];
  for (const [script, status, text] of cases) {
    const { world, io, health } = start([{ port: 1, socks4, viaSocks4: true }]);
    io.scripts.set(3, script);
    io.run(1010);
    health.stop();
    expect([world.status(0), world.text(0)]).toEqual([status, text]);
  }
});

test('timeout check bounds the answer, timeout connect the connection', () => {
  const timeouts = { checkMs: 300, connectMs: 200 };
  for (const [script, status, duration] of [
    [{ silentConnect: true }, 'L4TOUT', 200],
    [{ answer: [], after: 'open' }, 'L7TOUT', 300],
  ] as const) {
    const { world, io } = start([{ port: 1 }], { check: HTTP_CHECK, timeouts });
    io.scripts.set(1, script);
    io.run(500);
    expect([world.status(0), world.word(0, 'check_duration')]).toEqual([status, duration]);
  }
});

test('in maintenance nothing is checked; a result that comes too late is dropped', () => {
  const { world, io } = start([{ port: 1 }], { check: HTTP_CHECK });
  io.scripts.set(1, { answer: ['HTTP/1.1 500 No\r\n\r\n'], delayMs: 200 });
  io.run(100);
  setMaint(world.env, world.targets[0]!);
  io.run(5000);
  expect([io.conns.length, world.status(0)]).toEqual([1, 'INI']);
  setReady(world.env, world.targets[0]!);
  io.run(1300);
  expect(io.conns.length).toBeGreaterThan(1);
  expect(world.word(0, 'oper')).toBe(OPER_STOPPED);
});

test('send-state tells the server how it is seen, first and after a failure', () => {
  const { io } = start(
    [
      { port: 8080, weight: 3 },
      { port: 2, unchecked: true },
    ],
    {
      check: { ...HTTP_CHECK, sendState: true },
    },
  );
  io.scripts.set(8080, { answer: ['HTTP/1.1 500 No\r\n\r\n'] });
  io.run(1100);
  const states = io.conns.map(c => /x-haproxy-server-state: (.*)\r/.exec(c.sent)?.[1]);
  const tail = 'address=127.0.0.1; port=8080; name=b/s1; node=lb1';
  expect(states).toEqual([
    `UP 1/3; ${tail}; weight=3/4; scur=0/0; qcur=0`,
    `DOWN; ${tail}; weight=0/1; scur=0/0; qcur=0`,
  ]);
});

test('check-send-proxy: version 1 with our addresses, version 2 as LOCAL; a layer 4 check lets it leave', () => {
  const one = start([{ port: 1, checkSendProxy: true, sendProxy: 1 }]);
  one.io.scripts.set(1, { after: 'open' });
  one.io.run(10);
  expect(one.io.conns[0]!.sent).toBe('PROXY TCP4 127.0.0.1 127.0.0.1 33333 1\r\n');
  expect(one.io.conns[0]!.shut).toBe('close');
  const two = start([{ port: 1, checkSendProxy: true, sendProxy: 2 }], { check: HTTP_CHECK });
  two.io.scripts.set(1, OK);
  two.io.run(10);
  expect(two.io.conns[0]!.sent).toBe('\r\n\r\n\0\r\nQUIT\n \0\0\0OPTIONS / HTTP/1.0\r\n\r\n');
});

test('stop: no connection stays, nothing is checked or said any more', () => {
  const { world, io, health } = start([{ port: 1 }], { check: HTTP_CHECK });
  io.scripts.set(1, { answer: [], after: 'open' });
  io.run(10);
  health.stop();
  io.run(5000);
  expect([io.conns.length, io.conns[0]!.alive, world.status(0), world.lines.length]).toEqual([1, false, 'INI', 0]);
});

test('starts are spread over fastinter where it is what is in force at the start', () => {
  const { io } = start(Array.from({ length: 4 }, () => ({ port: 1, inter: 60_000, fastinter: 1000 })));
  io.scripts.set(1, {});
  io.run(600);
  expect(io.conns.length).toBe(3);
  io.run(300);
  expect(io.conns.length).toBe(4);
});

test('starts are spread over the interval, so that thousands of servers make no burst', () => {
  expect(startDelays([2000, 2000, 2000, 2000], 0)).toEqual([0, 500, 1000, 1500]);
  expect(startDelays([100, 100], 0)).toEqual([0, 50]);
  expect(startDelays([2000, 100, 8000, 2000], 0)).toEqual([0, 500, 4000, 1500]);
  expect(startDelays([60_000, 60_000], 4000)).toEqual([0, 2000]);
  const { io } = start(Array.from({ length: 3000 }, () => ({ port: 1, inter: 2000 })));
  io.scripts.set(1, {});
  let most = 0;
  for (let i = 0; i < 200; i++) {
    const before = io.conns.length;
    io.run(10);
    most = Math.max(most, io.conns.length - before);
  }
  expect(most).toBeLessThanOrEqual(20);
  expect(io.conns.length).toBeGreaterThanOrEqual(2990);
});

test('spread-checks moves the next check by its share of the interval', () => {
  const when = (random: number) => {
    const { io } = start([{ port: 1, inter: 1000 }], { global: { spreadChecksPercent: 50 } }, random);
    io.scripts.set(1, {});
    let at = 0;
    while (io.conns.length < 2) {
      io.run(1);
      at++;
    }
    return at;
  };
  expect([when(0), when(0.5), when(0.999)].map(ms => Math.round(ms / 100) * 100)).toEqual([1500, 1000, 500]);
});

test('slowstart gives weight back as time passes, without any traffic', () => {
  const { world, io } = start([{ port: 1, inter: 1000, rise: 1, fall: 1, weight: 100, slowstartMs: 10_000 }]);
  io.scripts.set(1, { refuse: 111 });
  io.run(100);
  io.scripts.set(1, {});
  const weights = [1, 3, 3, 3, 3].map(seconds => {
    io.run(seconds * 1000);
    return world.word(0, 'eweight');
  });
  expect(weights[0]).toBeLessThan(20);
  expect(weights).toEqual([...weights].sort((a, b) => a - b));
  expect([weights[4], world.word(0, 'oper')]).toEqual([100, OPER_RUNNING]);
});
