import { describe, expect, test } from 'vitest';
import { changeText, diff } from '../../engine/config/diff.ts';
import { parseModel } from '../proxy/rig.ts';

const BASE = `
global
  maxconn 100
defaults
  mode http
  timeout client 30s
  timeout server 30s
  timeout connect 1s
frontend web
  bind :80
  acl api path_beg /api
  http-request deny if api
  use_backend two if api
  default_backend one
backend one
  server s1 192.0.2.1:80 check inter 2s
  server s2 192.0.2.1:81 weight 10
backend two
  fullconn 10
  server s1 192.0.2.1:80
ring r
  size 20k
log-forward in
  dgram-bind :514
  log stdout local0
`;

/** What changes when these words of the base become those. */
function changes(...replaced: (readonly [string, string])[]): string[] {
  const text = replaced.reduce((text, [from, to]) => {
    expect(text).toContain(from);
    return text.replaceAll(from, to);
  }, BASE);
  return diff(parseModel(BASE), parseModel(text)).map(changeText);
}

describe('the difference of two configurations', () => {
  test('none', () => expect(changes()).toEqual([]));
  test.each([
    [['timeout server 30s', 'timeout server 10s'], 'backend one: timeout server 30s -> 10s'],
    [['maxconn 100', 'maxconn 200'], 'global: maxconn 100 -> 200'],
    [['bind :514', 'bind :515'], 'global: log-forward in: dgram-bind :514 -> :515'],
    [['size 20k', 'size 30k'], 'global: ring r: size 20480 -> 30720'],
    [['ring r\n', 'ring s\n'], 'global: ring s added'],
    [['weight 10', 'weight 20'], 'backend one: server s2: weight 10 -> 20'],
    [['inter 2s', 'inter 1500'], 'backend one: server s1: check inter 2s -> 1500ms'],
    [['weight 10', 'weight 10\n  server s3 192.0.2.9:1'], 'backend one: server s3 added'],
    [['bind :80', 'bind :81'], 'frontend web: bind :81 added'],
    [['bind :80', 'bind :81'], 'frontend web: bind :80 removed'],
    [['if api\n  use', 'if api\n  http-request del-header x\n  use'], 'frontend web: http-request rule added'],
    [['use_backend two if api\n', 'use_backend two if !api\n'], 'frontend web: use_backend rule added'],
    [['default_backend one', 'default_backend two'], 'frontend web: default_backend one -> two'],
    [['path_beg /api', 'path_beg /v1'], 'frontend web: http-request rule removed'],
  ] as const)('%s', ([from, to], line) => expect(changes([from, to])).toContain(line));

  test('a section before others moves numbers, and nothing else', () => {
    expect(changes(['frontend web', 'backend zero\nfrontend web'])).toEqual(['backend zero: section added']);
  });

  test('the other way round everything is told as well', () => {
    const more = parseModel(BASE.replace('weight 10', 'weight 10\n  server s3 192.0.2.9:1'));
    expect(diff(more, parseModel(BASE)).map(changeText)).toEqual(['backend one: server s3 removed']);
  });
});
