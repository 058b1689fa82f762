/** Headers that a request gets on its way to a server: `option forwardfor`, `option originalto`, Connection. */
import type { ForwardHeader } from '../config/model.ts';
import { setRequestConnection } from '../http/hop.ts';
import { hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { FAILED_REWRITES } from '../shm/counters.ts';
import { prepareCompression } from './compression.ts';
import { inNetwork } from './networks.ts';
import { uniqueId } from './notes.ts';
import type { Stream } from './stream.ts';

/** Makes the request head ready for the backend. Done once, when the stream enters it: retries send the same head. */
export function prepareRequest(stream: Stream): void {
  const head = stream.requestHead;
  const { proxy } = stream.backend!;
  const front = stream.frontend.proxy;
  const forwardFor = proxy.forwardFor ?? front.forwardFor;
  const originalTo = proxy.originalTo ?? front.originalTo;
  let ok = true;
  if (front.uniqueIdHeader !== null) {
    const id = uniqueId(stream);
    if (id !== null) ok = head.add(front.uniqueIdHeader, id);
  }
  if (forwardFor !== null) ok = addAddress(stream, forwardFor, stream.session.source()) && ok;
  if (originalTo !== null) ok = addAddress(stream, originalTo, stream.session.destination()) && ok;
  ok = setRequestConnection(head, stream.serverMode === 'keep-alive') && ok;
  if (!ok) stream.count(FAILED_REWRITES);
  if (stream.frontend.filters !== null || stream.backend!.filters !== null) prepareCompression(stream);
}

function addAddress(stream: Stream, option: ForwardHeader, address: Address | null): boolean {
  if (address === null || address.family === 1) return true;
  if (option.except.some(network => inNetwork(address, network.address, network.prefixBits))) return true;
  if (option.ifNone && stream.header(option.header) !== null) return true;
  return stream.requestHead.add(option.header, hostText(address));
}
