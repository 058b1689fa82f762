import { describe, expect, test } from 'vitest';
import { stagesOf } from '../../engine/config/filter-spec.ts';
import { load } from './load-text.ts';

function messages(lines: string, mode = 'http'): string[] {
  const text = `listen t\n mode ${mode}\n bind 127.0.0.1:80\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n${lines}\n`;
  return load(text).diagnostics.list.map(({ severity, message }) => `${severity}: ${message}`);
}

describe('filters of a proxy together', () => {
  test.each([
    [
      'compression algo gzip\nfilter bwlim-in x default-limit 1 default-period 1',
      "alert: proxy 't': require an explicit filter declaration to use HTTP compression",
    ],
    [
      'filter-sequence request comp-reg',
      "alert: 'filter-sequence request': there is no filter 'comp-reg' in proxy 't'",
    ],
    ['http-request set-bandwidth-limit x', "alert: there is no bandwidth limitation filter 'x' in proxy 't'"],
    [
      'filter bwlim-out x limit 1k key src',
      "alert: Proxy 't': 'filter bwlim-out' has no table to work on: there is no 'stick-table' in it",
    ],
    [
      'stick-table type ip size 10 store bytes_in_rate(1s)\nfilter bwlim-out x limit 1k key src',
      "alert: Proxy 't': 'filter bwlim-out' needs 'bytes_out_rate', which stick-table 't' does not store",
    ],
    [
      'stick-table type ip size 10 store bytes_out_rate(1s)\nfilter bwlim-out x limit 1k key src\nhttp-request set-bandwidth-limit x limit 2k',
      "alert: filter 'x' is shared: no rule may give it another limit or period",
    ],
    [
      'filter bwlim-in x default-limit 1 default-period 1\nfilter bwlim-out x default-limit 1 default-period 1',
      "alert: filter 'x' is declared twice",
    ],
  ])('%s', (lines, message) => {
    expect(messages(lines)).toContain(message);
  });

  test('compression in TCP mode is ignored', () => {
    expect(messages('compression algo gzip', 'tcp')).toEqual([
      "warning: compression ignored for proxy 't' as it requires HTTP mode",
    ]);
  });

  test('offload in defaults is ignored', () => {
    const { diagnostics } = load('defaults\n mode http\n compression offload\n');
    expect(diagnostics.list[0]!.message).toBe("'compression' : 'offload' ignored in 'defaults' section.");
  });
});

describe('the stages of a proxy', () => {
  function stages(lines: string) {
    const { model } = load(
      `listen t\n mode http\n bind 127.0.0.1:80\n timeout client 1s\n timeout server 1s\n timeout connect 1s\n compression algo gzip\n${lines}\n`,
    );
    return stagesOf(model!.proxies[0]!)!;
  }
  const LIMIT = 'default-limit 1 default-period 1';

  test('without filter lines compression is the only one, of responses unless its direction says otherwise', () => {
    expect(stages('')).toMatchObject({ compressRequest: -1, compressResponse: 0 });
    expect(stages('compression direction both')).toMatchObject({ compressRequest: 0, compressResponse: 0 });
    expect(stages('compression direction request')).toMatchObject({ compressRequest: 0, compressResponse: -1 });
  });

  test('stand in the order of the lines', () => {
    const { compressRequest, compressResponse, limits } = stages(
      `filter bwlim-out a ${LIMIT}\nfilter comp-res\nfilter bwlim-in b ${LIMIT}`,
    );
    expect([compressRequest, compressResponse]).toEqual([-1, 1]);
    expect(limits.map(({ place }) => place)).toEqual([0, 2]);
  });

  test('or in that of filter-sequence, which may leave some out', () => {
    const lines = `filter bwlim-out a ${LIMIT}\nfilter comp-req\nfilter comp-res\nfilter bwlim-out b ${LIMIT}\nfilter-sequence response comp-res,a`;
    const { compressRequest, compressResponse, limits } = stages(lines);
    expect([compressRequest, compressResponse]).toEqual([1, 0]);
    expect(limits.map(({ place }) => place)).toEqual([1, -1]);
  });
});
