/** Expressions and ACLs have the values that were recorded from HAProxy (test/interop/sample.test.ts records them). */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { holds } from './conditions.ts';
import { ACL_LINES, ACL_REQUEST, MAP_FILES, VECTOR_SPECS } from './vector-specs.ts';
import { World } from './world.ts';

const recorded: Record<string, Record<string, string | null>> = JSON.parse(
  readFileSync(new URL('./vectors/haproxy.json', import.meta.url), 'utf8'),
);

describe.each(VECTOR_SPECS)('expressions: $name', ({ name, request, expressions }) => {
  test.each(expressions)('%s', expression => {
    const world = new World({ request: `${request}\r\nX-Which: 0\r\n\r\n`, files: MAP_FILES });
    expect(world.text(expression)).toBe(recorded[name]![expression]);
  });
});

describe('ACLs', () => {
  test.each(ACL_LINES)('%s', line => {
    expect(String(holds(line, { request: `${ACL_REQUEST}\r\nX-Which: 0\r\n\r\n` }))).toBe(recorded.acls![line]);
  });
});
