/** What columns and information lines have in common: the marks that tell a reader how to treat a value. */

/** What a value may be; null = no value, an empty column. */
export type Value = number | string | null;

export type FieldType = 'u32' | 's32' | 'u64' | 'flt' | 'str';

export interface Field {
  readonly name: string;
  /** Origin, nature, scope and persistence: four letters of the tables below (management manual, 9.2). */
  readonly tags: string;
  readonly type: FieldType;
  /** One line for people. */
  readonly title: string;
}

export const ORIGINS: Readonly<Record<string, string>> = {
  M: 'Metric',
  S: 'Status',
  K: 'Key',
  C: 'Config',
  P: 'Product',
};

export const NATURES: Readonly<Record<string, string>> = {
  G: 'Gauge',
  L: 'Limit',
  m: 'Min',
  M: 'Max',
  R: 'Rate',
  C: 'Counter',
  D: 'Duration',
  A: 'Age',
  T: 'Time',
  N: 'Name',
  O: 'Output',
  a: 'Avg',
};

export const SCOPES: Readonly<Record<string, string>> = { C: 'Cluster', P: 'Process', S: 'Service', s: 'System' };
