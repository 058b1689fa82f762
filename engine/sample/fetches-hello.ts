/** Fetches of what a client's hello offers (manual 7.3.4, `tune.ssl.capture-buffer-size`). */
import { type HelloLists, withoutGrease } from '../tls/hello-lists.ts';
import { cipherName } from '../tls/names.ts';
import type { SampleContext } from './context.ts';
import { type FetchRow, fetch, plain } from './row.ts';
import { bytesOf, type Sample, type TypeName } from './sample.ts';
import { bin, front, str, tlsOf } from './tls-ends.ts';

function listsOf(ctx: SampleContext): HelloLists | null {
  return front(ctx)?.hello?.lists ?? null;
}

type Show = (list: Uint8Array, out: Sample, ctx: SampleContext) => boolean;

/** A list of 16-bit numbers; the argument 1 leaves out those of RFC 8701. */
function list(name: string, type: TypeName, doc: string, field: ListField, show: Show): FetchRow {
  return fetch(name, '[filter:int]', type, 'clientSession', doc, args => {
    const filtered = args.int(0) === 1;
    return (ctx, out) => {
      const lists = listsOf(ctx);
      if (lists === null) return false;
      return show(filtered ? withoutGrease(lists[field]) : lists[field], out, ctx);
    };
  });
}

type ListField = 'ciphers' | 'extensions' | 'groups' | 'versions' | 'signatures';

const asBytes: Show = (bytes, out) => bin(out, bytes);
const asHex: Show = (bytes, out) => str(out, bytesOf(Buffer.from(bytes).toString('hex').toUpperCase()));

const asNames: Show = (bytes, out, ctx) => {
  const tls = tlsOf(front(ctx));
  if (tls === null) return false;
  const names: string[] = [];
  for (let at = 0; at + 1 < bytes.length; at += 2) names.push(cipherName(tls, bytes.slice(at, at + 2)));
  return str(out, bytesOf(names.join()));
};

export const HELLO_FETCHES: readonly FetchRow[] = [
  list('ssl_fc_cipherlist_bin', 'bin', 'Ciphers that the client offers.', 'ciphers', asBytes),
  list('ssl_fc_cipherlist_hex', 'str', 'Ciphers that the client offers, in hexadecimal.', 'ciphers', asHex),
  list('ssl_fc_cipherlist_str', 'str', 'Names of the ciphers that the client offers.', 'ciphers', asNames),
  list('ssl_fc_extlist_bin', 'bin', "Extensions of the client's hello.", 'extensions', asBytes),
  list('ssl_fc_eclist_bin', 'bin', 'Groups that the client supports.', 'groups', asBytes),
  list('ssl_fc_supported_versions_bin', 'bin', 'TLS versions that the client supports.', 'versions', asBytes),
  list('ssl_fc_sigalgs_bin', 'bin', 'Signature algorithms that the client supports.', 'signatures', asBytes),
  plain('ssl_fc_ecformats_bin', 'bin', 'clientSession', 'Point formats that the client supports.', (ctx, out) => {
    return bin(out, listsOf(ctx)?.formats ?? null);
  }),
  plain('ssl_fc_cipherlist_xxh', 'sint', 'clientSession', 'A hash (XXH64) of the ciphers.', (ctx, out) => {
    const lists = listsOf(ctx);
    return lists !== null && out.setWide(lists.ciphersHash);
  }),
  plain('ssl_fc_protocol_hello_id', 'sint', 'clientSession', "The version in the client's hello.", (ctx, out) => {
    const lists = listsOf(ctx);
    return lists !== null && out.setInt(lists.version);
  }),
];
