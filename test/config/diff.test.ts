import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { changeLines, changeText, diff } from '../../engine/config/diff.ts';
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
    [['bind :514', 'bind :515'], 'log-forward in: dgram-bind :514 -> :515'],
    [['size 20k', 'size 30k'], 'ring r: size 20480 -> 30720'],
    [['ring r\n', 'ring s\n'], 'ring s: section added'],
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

  test('sections of all kinds before others move numbers, and nothing else', () => {
    const text = BASE.replace('fullconn 10\n', 'stick-table type ip size 1k peers p\n  stick on src\n')
      .replace('http-request deny', 'http-request track-sc0 src table two\n  http-request deny')
      .replace('s1 192.0.2.1:80\n', 's1 a.test:80 resolvers r init-addr none\n')
      .replace(
        'frontend web',
        'resolvers r\n  nameserver n 192.0.2.9:53\npeers p\n  peer local 192.0.2.8:1\nfrontend web',
      );
    const sections = 'backend zero\n  stick-table type ip size 1\nresolvers q\n  nameserver n 192.0.2.9:53\npeers o\n';
    const lines = diff(parseModel(text), parseModel(text.replace('resolvers r\n', `${sections}resolvers r\n`)));
    expect(lines.map(changeText).sort()).toEqual([
      'backend zero: section added',
      ...['peers o: section added', 'resolvers q: section added', 'stick-table zero: section added'],
    ]);
  });

  test('what files say is told of the files, and of the rules that give it away', () => {
    const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-diff-'));
    onTestFinished(() => fs.rmSync(dir, { recursive: true }));
    const [map, acl, page] = ['a.map', 'b.acl', 'c.html'].map(name => path.join(dir, name)) as [string, string, string];
    fs.writeFileSync(map, 'a b\n');
    fs.writeFileSync(acl, '192.0.2.1\n');
    fs.writeFileSync(page, 'hello');
    const rules = `
  http-request set-header x %[src,map(${map})]
  acl bad src -f ${acl}
  http-request return status 200 content-type text/html file ${page} if bad
`;
    const text = BASE.replace('  http-request deny if api\n', rules);
    const before = parseModel(text);
    const lines = () => changeLines(diff(before, parseModel(text)));
    expect(lines()).toEqual([]);
    fs.writeFileSync(map, 'a c\n');
    expect(lines()).toEqual([`map ${map}: content changed`]);
    fs.writeFileSync(acl, '192.0.2.2\n');
    expect(lines()).toEqual([`map ${map}, acl file ${acl}: content changed`]);
    fs.writeFileSync(page, 'bye');
    expect(lines()).toContain('frontend web: content of http-request rule changed');
  });

  test('an ACL before others changes them not', () => {
    const more = BASE.replace('  acl api', '  acl first path /first\n  acl api');
    const used = more.replace('  default_backend', '  use_backend one if first\n  default_backend');
    expect(diff(parseModel(BASE), parseModel(used)).map(changeText)).toEqual(['frontend web: use_backend rule added']);
  });

  test('what defaults change is told once', () => {
    const text = BASE.replace('timeout server 30s', 'timeout server 10s');
    expect(changeLines(diff(parseModel(BASE), parseModel(text)))).toEqual([
      'frontend web, backend one, backend two: timeout server 30s -> 10s',
    ]);
  });

  test('secrets and structures are not shown', () => {
    const users = (word: string) => `userlist u\n  user joe insecure-password ${word}\n`;
    const [old, now] = ['first', 'second'].map(word => parseModel(BASE + users(word)));
    expect(diff(old!, now!).map(changeText)).toEqual(['userlist u: users changed']);
    const forwarding = BASE.replace('backend two\n', 'backend two\n  option forwardfor except 192.0.2.0/24\n');
    expect(diff(parseModel(BASE), parseModel(forwarding)).map(changeText)).toEqual(['backend two: forwardfor added']);
    expect(diff(parseModel(forwarding), parseModel(BASE)).map(changeText)).toEqual(['backend two: forwardfor removed']);
  });

  test.each([
    ['stick-table type ip size 10', 'stick-table type ip size 20', 'stick-table two: size 10 -> 20'],
    ['cookie A insert', 'cookie B insert secure', 'backend two: cookie name A -> B'],
    ['option redispatch 3', 'retries 5', 'backend two: redispatch 3 -> off'],
    ['retries 5', 'option httpchk', 'backend two: retries 5 -> 3'],
  ])('%s, then %s', (from, to, line) => {
    const withLine = (text: string) => parseModel(BASE.replace('fullconn 10', text));
    expect(diff(withLine(from), withLine(to)).map(changeText)).toContain(line);
  });

  test('the other way round everything is told as well', () => {
    const more = parseModel(BASE.replace('weight 10', 'weight 10\n  server s3 192.0.2.9:1'));
    expect(diff(more, parseModel(BASE)).map(changeText)).toEqual(['backend one: server s3 removed']);
  });
});
