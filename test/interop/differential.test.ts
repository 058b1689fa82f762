/**
 * The same scripts against HAProxy and Sluice. `SCENARIO=text` plays only those whose name has the text;
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Outcome, PEERS, type Scenario, Theatre } from './differential.ts';
import { haproxyVersion } from './peers.ts';
import { FAILURES } from './scenarios/failures.ts';
import { LIMITS } from './scenarios/limits.ts';
import { MESSAGES } from './scenarios/messages.ts';
import { SERVERS_GROUP } from './scenarios/servers.ts';
import { TCP_MODE } from './scenarios/tcp.ts';
import { TIMEOUTS } from './scenarios/timeouts.ts';

const only = process.env.SCENARIO ?? '';
const GROUPS = {
  messages: MESSAGES,
  failures: FAILURES,
  timeouts: TIMEOUTS,
  tcp: TCP_MODE,
  servers: SERVERS_GROUP,
  limits: LIMITS,
};

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

describe.skipIf(version === null).each(Object.entries(GROUPS))('%s', (_, all) => {
  const scenarios = all.filter(scenario => scenario.name.includes(only));
  const theatres: Theatre[] = [];
  beforeAll(async () => {
    if (scenarios.length === 0) return;
    theatres.push(await Theatre.open(PEERS.haproxy, scenarios), await Theatre.open(PEERS.sluice, scenarios));
  });
  afterAll(async () => {
    for (const theatre of theatres) await theatre.close();
  });

  test.concurrent.each(scenarios.map(scenario => [scenario.name, scenario] as const))('%s', async (_, scenario) => {
    const [theirs, ours] = await Promise.all(theatres.map(theatre => theatre.play(scenario)));
    const found = differences(theirs!, ours!, scenario);
    if (found.length > 0) expect.fail(found.join('\n'));
  });
});

/** One line for each thing that differs and is not allowed to. */
function differences(theirs: Outcome, ours: Outcome, { differs = {} }: Scenario): string[] {
  const a = flat(theirs);
  const b = flat(ours);
  const allowed = (name: string) =>
    name in differs || name.split(' ')[0]! in differs || (name.includes('.') && 'counters' in differs);
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter(name => a[name] !== b[name] && !allowed(name))
    .map(name => `${name}: HAProxy ${a[name]}, Sluice ${b[name]}`);
}

function flat({ clients, servers, log, counters }: Outcome): Record<string, string> {
  const lists = { clients, servers, log };
  return {
    ...counters,
    ...Object.fromEntries(
      Object.entries(lists).flatMap(([name, list]) => list.map((text, i) => [`${name} ${i}`, JSON.stringify(text)])),
    ),
  };
}
