/** The converter `debug`: what passes by is shown, and goes on as it is. */
import { expect, onTestFinished, test } from 'vitest';
import { NO_EVENTS } from '../../engine/proxy/events.ts';
import { load } from '../config/load-text.ts';
import { type Rig, startRig } from '../proxy/rig.ts';
import { ask } from '../proxy/wire.ts';

const SECTION = 'frontend web\nmode http\nbind 127.0.0.1:1\ntimeout client 1s\n';

async function rigOf(rules: string, said: string[]): Promise<Rig> {
  const events = () => ({ ...NO_EVENTS, debugged: (sink: string, text: string) => said.push(`${sink} ${text}`) });
  const rig = await startRig(`${SECTION}${rules}`, { events });
  onTestFinished(() => rig.stop());
  return rig;
}

test.each([
  ['src,debug', 'buf0 : type=ipv4 <127.0.0.1>'],
  ['int(-5),debug(pre,stdout),add(1)', 'stdout pre: type=sint <-5>'],
  ['str(a b),debug(,stderr)', 'stderr : type=str <a b>'],
  ['bin(61620a),debug(b,stderr)', 'stderr b: type=bin <ab.>'],
  ['method,debug(m)', 'buf0 m: type=meth <GET>'],
  ['bool(true),debug(t)', 'buf0 t: type=bool <1>'],
  ['req.hdr(none),debug(n)', null],
])('%s', async (expression, line) => {
  const said: string[] = [];
  const rule = `http-request return status 200 content-type text/plain lf-string "%[${expression}]"\n`;
  const rig = await rigOf(rule, said);
  await ask(rig.port('web'), 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  expect(said).toEqual(line === null ? [] : [line]);
});

test('its ring is there when it is named', () => {
  const rings = (converter: string) =>
    load(`${SECTION}http-request set-var(txn.a) src,${converter}\n`).model?.rings.map(ring => ring.name);
  expect([rings('debug'), rings('debug(x,buf0)'), rings('debug(x,stderr)')]).toEqual([['buf0'], ['buf0'], []]);
  const { diagnostics } = load(`${SECTION}http-request set-var(txn.a) src,debug(x,buf1)\n`);
  expect(diagnostics.list[0]!.message).toContain("no such sink 'buf1'");
});
