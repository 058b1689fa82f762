/** What the `filter` and `compression` lines of a proxy became in a worker. */
import { type BandwidthSpec, type CompressionFormat, type Stages, stagesOf } from '../config/filter-spec.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { encodingNames } from '../http/accept-encoding.ts';
import { latin1 } from '../http/chars.ts';
import { BACKEND_PLACES } from './stream-filters.ts';

/** `compression` of one direction. */
export interface Compressed {
  readonly formats: readonly CompressionFormat[];
  /** Beginnings of content types; empty = all. */
  readonly types: readonly Uint8Array[];
  readonly minBytes: number;
}

export class ProxyFilters {
  readonly #stages: Stages;
  /** What is added to the places of its stages. */
  readonly #from: number;
  /** Places of its compression; -1 = none. */
  readonly compressesRequest: number;
  readonly compressesResponse: number;
  readonly request: Compressed;
  readonly response: Compressed;
  /** What the response's formats are called in Accept-Encoding. */
  readonly names: readonly Uint8Array[];
  readonly offload: boolean;

  constructor(proxy: Proxy, stages: Stages) {
    const { compression } = proxy;
    const { requestFormat = null, responseFormats = [], requestTypes = [], responseTypes = [] } = compression ?? {};
    this.#stages = stages;
    this.#from = proxy.kind === 'backend' ? BACKEND_PLACES : 0;
    this.compressesRequest = this.#place(stages.compressRequest);
    this.compressesResponse = this.#place(stages.compressResponse);
    this.request = {
      formats: requestFormat === null ? [] : [requestFormat],
      types: requestTypes.map(latin1),
      minBytes: compression?.minRequestBytes ?? 0,
    };
    this.response = {
      formats: responseFormats,
      types: responseTypes.map(latin1),
      minBytes: compression?.minResponseBytes ?? 0,
    };
    this.names = encodingNames(responseFormats.map(format => (format === 'raw-deflate' ? 'deflate' : format)));
    this.offload = compression?.offload ?? false;
  }

  /** A bandwidth filter of this proxy and its place, -1 = left out of the order; null = there is none of that name. */
  limit(name: string): { readonly spec: BandwidthSpec; readonly place: number } | null {
    const found = this.#stages.limits.find(({ spec }) => spec.name === name);
    return found === undefined ? null : { spec: found.spec, place: this.#place(found.place) };
  }

  #place(stage: number): number {
    return stage < 0 ? -1 : stage + this.#from;
  }
}

export function proxyFilters(proxy: Proxy): ProxyFilters | null {
  const stages = stagesOf(proxy);
  return stages === null ? null : new ProxyFilters(proxy, stages);
}
