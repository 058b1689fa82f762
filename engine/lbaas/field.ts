/**
 * The fields of a resource: one row says a field's schema, what it is when nobody says, and whether it may change. The
 * checks of requests and the OpenAPI document come from these rows.
 */
import Type, { type TSchema } from 'typebox';
import type { Json } from './items.ts';

export interface Field {
  /** Of the value in a request. */
  readonly schema: TSchema;
  /** The value when none, or null, is given; undefined = one must be given. */
  readonly fallback: Json | undefined;
  /** Only a creation may say it. */
  readonly fixed: boolean;
  /** Values that the API has and that we cannot serve. */
  readonly foreign: readonly string[];
}

export type Fields = Readonly<Record<string, Field>>;

function field(schema: TSchema, fallback: Json | undefined): Field {
  return { schema, fallback, fixed: false, foreign: [] };
}

export const required = (f: Field): Field => ({ ...f, fallback: undefined });
export const fixed = (f: Field): Field => ({ ...f, fixed: true });

/** No control characters: every text may end up in a line of a configuration. */
const PRINTABLE = '^[^\\u0000-\\u001f\\u007f]*$';
const UUID = '^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$';

const TEXT_MAX = 255;

export const text = (fallback: string | null = '', options: { maxLength?: number; pattern?: string } = {}): Field =>
  field(Type.String({ maxLength: TEXT_MAX, pattern: PRINTABLE, ...options }), fallback);
export const integer = (minimum: number, maximum: number, fallback: number | null = null): Field =>
  field(Type.Integer({ minimum, maximum }), fallback);
export const bool = (fallback: boolean): Field => field(Type.Boolean(), fallback);
export const oneOf = (
  values: readonly string[],
  fallback: string | null = null,
  foreign: readonly string[] = [],
): Field => ({ ...field(Type.Enum([...values, ...foreign]), fallback), foreign });
export const oneOfNumbers = (values: readonly number[], fallback: number | null = null): Field =>
  field(Type.Number({ enum: values }), fallback);
/** The id of another item. */
export const id = (fallback: string | null = null): Field => field(Type.String({ pattern: UUID }), fallback);
export const list = (of: Field, fallback: readonly Json[] | null = [], maxItems = 50): Field =>
  field(Type.Array(of.schema, { maxItems }), fallback);
/** An object of `fields`. */
export const object = (fields: Fields, fallback: Json = null): Field => field(objectOf(fields), fallback);
/** Names and texts. */
export const dictionary = (fallback: Json = {}): Field =>
  field(Type.Record(Type.String({ maxLength: TEXT_MAX }), Type.String({ maxLength: TEXT_MAX })), fallback);

/** The schema of an object with these fields, those without fallback required. */
export function objectOf(fields: Fields): TSchema {
  const entries = Object.entries(fields);
  return Type.Object(
    Object.fromEntries(
      entries.map(([name, f]) => [name, f.fallback === undefined ? f.schema : Type.Optional(f.schema)]),
    ),
    { additionalProperties: false },
  );
}
