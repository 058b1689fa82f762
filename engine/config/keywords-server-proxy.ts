/** What a PROXY header of version 2 tells a server beside addresses. */
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

export const PROXY_ROWS: readonly Keyword<ServerDraft>[] = [
  sends('send-proxy-v2-ssl', 'Sends a PROXY header that tells of TLS.', 'ssl'),
  sends('send-proxy-v2-ssl-cn', "The same, with the name in the client's certificate.", 'cert-cn'),
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
