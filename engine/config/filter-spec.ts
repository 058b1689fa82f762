/** What filters are in the model: which a proxy has, in which order, and what they are to do. */
import type { Expression } from '../sample/expression.ts';

/** The formats of `compression algo`; the last two are Sluice's own. */
export const COMPRESSION_FORMATS = ['identity', 'gzip', 'deflate', 'raw-deflate', 'br', 'zstd'] as const;

export type CompressionFormat = (typeof COMPRESSION_FORMATS)[number];

export interface Compression {
  /** null = requests are not compressed. */
  readonly requestFormat: CompressionFormat | null;
  /** In the order of the lines. */
  readonly responseFormats: readonly CompressionFormat[];
  /** Beginnings of content types, in lower case; empty = all. */
  readonly requestTypes: readonly string[];
  readonly responseTypes: readonly string[];
  /** Servers are not told what the client can decode. */
  readonly offload: boolean;
  /** What a mere `filter compression`, or none, acts on. */
  readonly direction: 'request' | 'response' | 'both';
  /** Smaller payloads are left alone. Bytes. */
  readonly minRequestBytes: number;
  readonly minResponseBytes: number;
}

/** `filter bwlim-in`, `filter bwlim-out`. */
export interface BandwidthSpec {
  readonly kind: 'bwlim-in' | 'bwlim-out';
  readonly name: string;
  /** Bytes that may pass in a period. */
  readonly limitBytes: number;
  /** 0 where the limit is shared: the period is that of the table's rate. */
  readonly periodMs: number;
  /** What passes at once, at least, the end excepted. */
  readonly minBytes: number;
  /** All streams of one key share the limit; null = each stream has its own. */
  readonly shared: {
    readonly key: Expression;
    /** '' = that of the proxy. */
    readonly table: string;
  } | null;
}

export type FilterSpec = { readonly kind: 'comp-req' | 'comp-res' | 'compression' | 'trace' } | BandwidthSpec;

/** `filter-sequence`: the names in order; null = as declared. */
export interface FilterOrder {
  readonly request: readonly string[] | null;
  readonly response: readonly string[] | null;
}

export function isBandwidth(spec: FilterSpec): spec is BandwidthSpec {
  return spec.kind === 'bwlim-in' || spec.kind === 'bwlim-out';
}

export function newCompression(): { -readonly [K in keyof Compression]: Compression[K] } {
  return {
    requestFormat: null,
    responseFormats: [],
    requestTypes: [],
    responseTypes: [],
    offload: false,
    direction: 'response',
    minRequestBytes: 0,
    minResponseBytes: 0,
  };
}

/** Where the filters of a proxy act: places in the order of each direction, -1 = not at all. */
export interface Stages {
  readonly compressRequest: number;
  readonly compressResponse: number;
  readonly limits: readonly { readonly spec: BandwidthSpec; readonly place: number }[];
}

interface Filtered {
  readonly compression: Compression | null;
  readonly filters: readonly FilterSpec[];
  readonly filterOrder: FilterOrder;
}

/** The stages of a proxy; null = it has no filters. Without `filter` lines compression is its only one. */
export function stagesOf({ compression, filters, filterOrder }: Filtered): Stages | null {
  const declared = filters.length > 0 || compression === null ? filters : ([{ kind: 'compression' }] as const);
  if (declared.length === 0) return null;
  const requests = ordered(declared, filterOrder.request);
  const responses = ordered(declared, filterOrder.response);
  return {
    compressRequest: requests.findIndex(({ kind }) => compresses(kind, 'request', compression)),
    compressResponse: responses.findIndex(({ kind }) => compresses(kind, 'response', compression)),
    limits: declared.filter(isBandwidth).map(spec => {
      return { spec, place: (spec.kind === 'bwlim-in' ? requests : responses).indexOf(spec) };
    }),
  };
}

function ordered(declared: readonly FilterSpec[], names: readonly string[] | null): readonly FilterSpec[] {
  if (names === null) return declared;
  return names.flatMap(name => declared.filter(spec => isNamed(spec, name)));
}

/** A bandwidth filter goes by its own name, the others by their kind. */
export function isNamed(spec: FilterSpec, name: string): boolean {
  return spec.kind === name || (isBandwidth(spec) && spec.name === name);
}

function compresses(kind: string, direction: 'request' | 'response', compression: Compression | null): boolean {
  if (compression === null) return false;
  if (kind === 'compression') return compression.direction === direction || compression.direction === 'both';
  return kind === (direction === 'request' ? 'comp-req' : 'comp-res');
}
