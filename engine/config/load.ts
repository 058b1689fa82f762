/** From lines to the model. */
import type { Address } from '../io/contract.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Model } from './model.ts';
import type { Line } from './words.ts';

/** What the world outside gives to a configuration. Injected, so that loading is a pure function. */
export interface Resources {
  /** The address of a host name, port 0; null when it has none. */
  resolve(host: string): Address | null;
  /** The bytes of a file; null when it cannot be read. */
  readFile(path: string): Uint8Array | null;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** The frozen model; null when `diagnostics` has an alert. */
export declare function loadModel(lines: readonly Line[], diagnostics: Diagnostics, resources: Resources): Model | null;
