/** What a PROXY header of version 2 tells a server beside addresses. */
import { parseFormat, type Use } from '../log/format-text.ts';
import { partOf } from '../sample/expression.ts';
import type { ServerDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { ProxyOption } from './proxy-model.ts';

/** What each option asks for: those about TLS want its details at all. */
const OPTIONS: Readonly<Record<ProxyOption, readonly ProxyOption[]>> = {
  ssl: ['ssl'],
  'cert-cn': ['ssl', 'cert-cn'],
  'ssl-cipher': ['ssl', 'ssl-cipher'],
  'cert-sig': ['ssl', 'cert-sig'],
  'cert-key': ['ssl', 'cert-key'],
  authority: ['authority'],
  crc32c: ['crc32c'],
  'unique-id': ['unique-id'],
};

function want(draft: ServerDraft, option: ProxyOption): void {
  draft.proxyOptions = [...new Set([...draft.proxyOptions, ...OPTIONS[option]])];
}

/** `send-proxy-v2-ssl` and its kin. */
function sends(name: string, doc: string, option: ProxyOption): Keyword<ServerDraft> {
  return supported({
    ...{ where: '', name, doc, args: '', good: [name], bad: [] },
    parse(_cursor, draft) {
      draft.sendProxy = 2;
      want(draft, option);
    },
  });
}

/** `no-send-proxy-v2-ssl` and its kin: no header at all, as in HAProxy. */
function sendsNone(name: string, doc: string): Keyword<ServerDraft> {
  return supported({
    ...{ where: '', name, doc, args: '', good: [name], bad: [] },
    parse(_cursor, draft) {
      draft.sendProxy = 0;
      draft.proxyOptions = [];
    },
  });
}

const isOption = (text: string): text is ProxyOption => Object.hasOwn(OPTIONS, text);

/** The type in `set-proxy-v2-tlv-fmt(0x20)`; null = it is none. */
function typeIn(keyword: string): number | null {
  const [, text] = /\((0x[0-9a-f]{1,2}|\d{1,3})\)$/i.exec(keyword) ?? [];
  const type = text === undefined ? 256 : Number(text);
  return type > 255 ? null : type;
}

const TLV_FORMAT = 'set-proxy-v2-tlv-fmt';
const VALUE: Use = { spaces: 'kept', mandatory: false, http: false, point: null };

const OWN_FIELD = supported<ServerDraft>({
  ...{ where: '', name: TLV_FORMAT, doc: 'A field of the PROXY header of version 2.', args: '(<type>) <format>' },
  good: [`${TLV_FORMAT}(0x20) %[fc_pp_tlv(0x20)]`, `${TLV_FORMAT}(234) text`],
  parse(cursor, draft, { resources }) {
    const type = typeIn(cursor.current.text);
    if (type === null) {
      cursor.error(`'${TLV_FORMAT}' expects a type between 0 and 255 in parentheses, as in '${TLV_FORMAT}(0xea)'`);
      return;
    }
    const word = cursor.expectWord(TLV_FORMAT);
    if (word === null) return;
    const format = parseFormat(word.text, VALUE, resources);
    if ('message' in format)
      cursor.error(format.message, format.hint ?? undefined, partOf(word, format.at, format.width));
    else draft.proxyFields = [...draft.proxyFields, { type, format }];
  },
  bad: [
    [`${TLV_FORMAT} x`, `'${TLV_FORMAT}' expects a type between 0 and 255 in parentheses, as in '${TLV_FORMAT}(0xea)'`],
    [
      `${TLV_FORMAT}(256) x`,
      `'${TLV_FORMAT}' expects a type between 0 and 255 in parentheses, as in '${TLV_FORMAT}(0xea)'`,
    ],
  ],
});

export const PROXY_ROWS: readonly Keyword<ServerDraft>[] = [
  sends('send-proxy-v2-ssl', 'Sends a PROXY header that tells of TLS.', 'ssl'),
  sends('send-proxy-v2-ssl-cn', "The same, with the name in the client's certificate.", 'cert-cn'),
  OWN_FIELD,
  sendsNone('no-send-proxy-v2-ssl', 'Sends no PROXY header that tells of TLS.'),
  sendsNone('no-send-proxy-v2-ssl-cn', 'The same.'),
  supported<ServerDraft>({
    ...{ where: '', name: 'proxy-v2-options', doc: 'What a PROXY header of version 2 tells.', args: '<option>,...' },
    good: ['proxy-v2-options ssl,cert-cn,authority,crc32c'],
    parse(cursor, draft) {
      const word = cursor.next();
      if (word === null) {
        cursor.error("'proxy-v2-options' expects <option>[,<option>]*");
        return;
      }
      for (const option of word.text.split(',')) {
        if (isOption(option)) want(draft, option);
        else cursor.error(`'proxy-v2-options' has no option '${option}'`, undefined, word);
      }
    },
    bad: [
      ['proxy-v2-options', "'proxy-v2-options' expects <option>[,<option>]*"],
      ['proxy-v2-options foo', "'proxy-v2-options' has no option 'foo'"],
    ],
  }),
];
