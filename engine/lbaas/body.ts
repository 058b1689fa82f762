/**
 * Bodies of requests: from what clients send to what schemas take, and from what schemas say to what OpenStack says. The
 * clients of v1 send numbers and truths as texts; null means that a field is to be as if it had never been given.
 */
import { badRequest, type Refusal } from './errors.ts';
import { type Field, type Fields, objectOf } from './field.ts';
import type { Json } from './items.ts';
import type { Values } from './octavia.ts';

export type Dialect = 'neutron' | 'octavia';

interface Schema {
  readonly type?: string;
  readonly enum?: readonly unknown[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
}

/** The schema of the body of a creation, or of a change: then all is optional, and what is fixed is unknown. */
export function bodySchema(key: string, fields: Fields, change: boolean): object {
  const optional = ([name, f]: readonly [string, Field]) => [name, { ...f, fallback: f.fallback ?? null }] as const;
  const rows = Object.entries(fields).filter(([, f]) => !change || !f.fixed);
  const inner = objectOf(Object.fromEntries(change ? rows.map(optional) : rows));
  return { type: 'object', required: [key], additionalProperties: false, properties: { [key]: inner } };
}

interface Coerced {
  readonly values: Values;
  /** Fields that were null, as they are without being given. */
  readonly unset: Values;
}

/** @throws Refusal when a field is null that must have a value */
export function coerce(fields: Fields, given: Values, dialect: Dialect): Coerced {
  const values: Record<string, Json> = {};
  const unset: Record<string, Json> = {};
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(fields, name) ? fields[name]! : null;
    if (value !== null || field === null)
      values[name] = field === null ? value : convert(field.schema as Schema, value);
    else if (field.fallback === undefined) throw wrongField(dialect, name, 'None', 'Mandatory field missing.');
    else unset[name] = field.fallback;
  }
  return { values, unset };
}

const TRUTHS: Readonly<Record<string, boolean>> = { true: true, false: false, 1: true, 0: false };

function convert(schema: Schema, value: Json): Json {
  const { type } = schema;
  if (type === 'integer' || type === 'number') {
    return typeof value === 'string' && /^-?\d{1,15}(\.\d{1,5})?$/.test(value) ? Number(value) : value;
  }
  if (type === 'boolean') return TRUTHS[String(value).toLowerCase()] ?? value;
  if (type === 'array' && Array.isArray(value)) return value.map(one => convert(schema.items!, one));
  if (type !== 'object' || typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value as Values).filter(([, inner]) => inner !== null);
  return Object.fromEntries(
    entries.map(([name, inner]) => {
      if (schema.patternProperties !== undefined) return [name, typeof inner === 'boolean' ? String(inner) : inner];
      return [name, convert(schema.properties?.[name] ?? {}, inner)];
    }),
  );
}

/** An error as ajv gives it, with `verbose`. */
export interface SchemaError {
  readonly keyword: string;
  /** `/listener/protocol_port`. */
  readonly instancePath: string;
  readonly params: Readonly<Record<string, unknown>>;
  readonly message?: string;
  readonly data?: unknown;
}

/** What to tell the client of an error of the schema. */
export function schemaRefusal(dialect: Dialect, error: SchemaError, fields: Fields): Refusal {
  // Which of a list it was does not belong to the name of a field.
  const [, , name = '', ...inner] = error.instancePath.split('/').filter(part => !/^\d+$/.test(part));
  const { keyword, params } = error;
  if (keyword === 'additionalProperties') {
    const unknown = String(params.additionalProperty);
    if (name === '' && fields[unknown]?.fixed) return readOnly(dialect, unknown);
    if (name !== '') return wrongField(dialect, name, unknown, `Unknown attribute ${unknown}`);
    return badRequest(
      dialect === 'neutron' ? `Unrecognized attribute(s) '${unknown}'` : `Unknown attribute: ${unknown}`,
    );
  }
  if (keyword === 'required') {
    const missing = [name, ...inner, String(params.missingProperty)].filter(part => part !== '').join('.');
    return dialect === 'neutron'
      ? badRequest(`Failed to parse request. Required attribute '${missing}' not specified`)
      : badRequest(`Invalid input for field/attribute ${missing}. Value: 'None'. Mandatory field missing.`);
  }
  const field = name === '' ? 'body' : [name, ...inner].join('.');
  return wrongField(dialect, field, shown(error.data), reason(error));
}

function readOnly(dialect: Dialect, name: string): Refusal {
  const text =
    dialect === 'neutron'
      ? `Cannot update read-only attribute ${name}`
      : `Attribute '${name}' is read-only and cannot be changed`;
  return badRequest(text);
}

function wrongField(dialect: Dialect, name: string, value: string, why: string): Refusal {
  return badRequest(
    dialect === 'neutron'
      ? `Invalid input for ${name}. Reason: '${value}': ${why}`
      : `Invalid input for field/attribute ${name}. Value: '${value}'. ${why}`,
  );
}

const SHOWN_MAX = 100;

function shown(data: unknown): string {
  const text = typeof data === 'string' ? data : (JSON.stringify(data) ?? 'None');
  return text.slice(0, SHOWN_MAX);
}

const REASONS: Readonly<Record<string, (params: Readonly<Record<string, unknown>>) => string>> = {
  maximum: ({ limit }) => `Value should be lower or equal to ${limit}`,
  minimum: ({ limit }) => `Value should be greater or equal to ${limit}`,
  maxLength: ({ limit }) => `Value should have a maximum character requirement of ${limit}`,
  maxItems: ({ limit }) => `There should be ${limit} of them at most`,
  enum: ({ allowedValues }) => `Value should be one of: ${(allowedValues as readonly unknown[]).join(', ')}`,
  pattern: ({ pattern }) => `Value should match the pattern ${pattern}`,
  type: ({ type }) => `Value should be of type ${type}`,
};

function reason({ keyword, params, message }: SchemaError): string {
  return REASONS[keyword]?.(params) ?? message ?? 'Value is not valid';
}
