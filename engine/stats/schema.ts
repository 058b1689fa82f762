/** `show schema json`, `;json-schema`: what the JSON formats look like, as a JSON schema (draft 4). */
import { NATURES, ORIGINS, SCOPES } from './fields.ts';
import { OBJECTS } from './json.ts';
import { type Dump, textDump } from './out.ts';

const natural = { type: 'integer', minimum: 0 };

function strings(...values: string[]): object {
  return { type: 'string', enum: values };
}

function object(properties: Readonly<Record<string, object>>): object {
  return { type: 'object', properties, required: Object.keys(properties) };
}

/** A value of one type with its name beside it. */
function typed(type: string, value: object): object {
  return object({ type: strings(type), value });
}

const MARKED = {
  field: object({ pos: natural, name: { type: 'string' } }),
  processNum: { type: 'integer', minimum: 1 },
  tags: object({
    origin: strings(...Object.values(ORIGINS)),
    nature: strings(...Object.values(NATURES)),
    scope: strings(...Object.values(SCOPES)),
  }),
  value: {
    oneOf: [
      typed('s32', { type: 'integer', minimum: -(2 ** 31), maximum: 2 ** 31 - 1 }),
      typed('u32', { type: 'integer', minimum: 0, maximum: 2 ** 32 - 1 }),
      typed('u64', { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER }),
      typed('flt', { type: 'number' }),
      typed('str', { type: 'string' }),
    ],
  },
};

const SCHEMA = {
  $schema: 'http://json-schema.org/draft-04/schema#',
  oneOf: [
    { title: 'Info', type: 'array', items: object(MARKED) },
    {
      title: 'Stat',
      type: 'array',
      items: {
        type: 'array',
        items: object({ objType: strings(...Object.values(OBJECTS)), proxyId: natural, id: natural, ...MARKED }),
      },
    },
  ],
};

export function dumpSchema(): Dump {
  return textDump(`${JSON.stringify(SCHEMA)}\n`);
}
