/** Fetches of what a client's PROXY header tells beside addresses (manual 7.3.3). */
import { TLV, valuesOf } from '../proxy/proxy-fields.ts';
import { type FetchRow, fetch, plain } from './row.ts';
import { str } from './tls-ends.ts';

/** Longer values are not shown. */
const VALUE_BYTES_MAX = 1024;
const TYPES: Readonly<Record<string, number>> = TLV;

function first(name: string, doc: string, type: number): FetchRow {
  return plain(name, 'str', 'client', doc, ({ session: { proxyFields } }, out) => {
    return str(out, proxyFields === null ? null : (valuesOf(proxyFields, type)[0] ?? null));
  });
}

/** A number, decimal or with `0x`, or a name; null = it is none. */
function typeOf(text: string): number | null {
  const type = TYPES[text] ?? (/^(0x[0-9a-f]+|\d+)$/i.test(text) ? Number(text) : -1);
  return type >= 0 && type <= 255 ? type : null;
}

const NO_TYPE = 'Invalid TLV ID';

export const PROXY_HEADER_FETCHES: readonly FetchRow[] = [
  first('fc_pp_authority', 'The host name in the PROXY header.', TLV.AUTHORITY),
  first('fc_pp_unique_id', 'The unique id in the PROXY header.', TLV.UNIQUE_ID),
  fetch(
    'fc_pp_tlv',
    'type:str',
    'str',
    'client',
    'Fields of the PROXY header of that type, one after the other.',
    args => {
      const type = typeOf(args.text(0)) ?? 0;
      return ({ session: { proxyFields } }, out) => {
        if (proxyFields === null) return false;
        const values = valuesOf(proxyFields, type).filter(({ length }) => length <= VALUE_BYTES_MAX);
        const value = values[out.slot++];
        out.more = out.iterate && out.slot < values.length;
        return value !== undefined && out.setStr(value, 0, value.length);
      };
    },
    {
      check: ([type]) => (typeof type === 'string' && typeOf(type) !== null ? null : NO_TYPE),
      good: ['fc_pp_tlv(0x20)', 'fc_pp_tlv(32)', 'fc_pp_tlv(AUTHORITY)'],
      bad: [['fc_pp_tlv(256)', `invalid args in fetch method 'fc_pp_tlv' : ${NO_TYPE}`]],
    },
  ),
];
