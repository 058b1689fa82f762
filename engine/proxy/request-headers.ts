/** Headers that a request gets on its way to a server: `option forwarded`, `option forwardfor`, `option originalto`, Connection. */
import type { ForwardHeader } from '../config/proxy-model.ts';
import { latin1 } from '../http/chars.ts';
import { keepTrailersOnly, setRequestConnection } from '../http/hop.ts';
import { hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { FAILED_REWRITES } from '../shm/counters.ts';
import { chunkRequest } from './chunker.ts';
import { prepareCompression } from './compression.ts';
import { inNetwork } from './networks.ts';
import { uniqueId } from './notes.ts';
import type { Stream } from './stream.ts';
import { isEarly } from './tls-handshake.ts';

/**
 * Makes the request head ready for the backend. Done once, when the stream enters it: retries send the same head. False when
 * there was no room: a server that does not learn who the client is must not be asked.
 */
export function prepareRequest(stream: Stream): boolean {
  const head = stream.requestHead;
  const { proxy } = stream.backend!;
  const front = stream.frontend.proxy;
  let ok = true;
  if (front.uniqueIdHeader !== null) {
    const id = uniqueId(stream);
    if (id !== null) ok = head.add(front.uniqueIdHeader, id);
  }
  // RFC 8470 5.1: the server says 425 where it does not take that.
  if (isEarly(stream.session.conn)) ok = head.add('early-data', '1') && ok;
  const forwarded = stream.backend!.rules.forwarded?.(stream) ?? '';
  if (forwarded !== '') ok = head.add('forwarded', forwarded) && ok;
  ok = addAddress(stream, front.forwardFor, proxy.forwardFor, stream.session.source()) && ok;
  ok = addAddress(stream, front.originalTo, proxy.originalTo, stream.session.destination()) && ok;
  ok = keepTrailersOnly(head) && ok;
  ok = setRequestConnection(head, stream.serverMode === 'keep-alive' || proxy.options.httpPretendKeepalive) && ok;
  if (stream.frontend.filters !== null || stream.backend!.filters !== null) prepareCompression(stream);
  ok = chunkRequest(stream) && ok;
  if (!ok) stream.count(FAILED_REWRITES);
  return ok;
}

/** The backend names the header; an `except` of either holds, `if-none` only where both that have the option say it. */
function addAddress(
  { requestHead }: Stream,
  front: ForwardHeader | null,
  back: ForwardHeader | null,
  address: Address | null,
): boolean {
  const option = back ?? front;
  if (option === null || address === null || address.family === 1) return true;
  if (excepts(front, address) || excepts(back, address)) return true;
  const ifNone = (front ?? option).ifNone && option.ifNone;
  if (ifNone && requestHead.findLast(latin1(option.header)) >= 0) return true;
  return requestHead.add(option.header, hostText(address));
}

function excepts(option: ForwardHeader | null, address: Address): boolean {
  return option?.except.some(({ address: network, prefixBits }) => inNetwork(address, network, prefixBits)) ?? false;
}

/** `http-send-name-header`: the request tells the server that it goes to now who it is. False when there is no room. */
export function nameServer({ requestHead, server }: Stream, header: string): boolean {
  const name = latin1(header);
  const last = requestHead.findLast(name);
  for (let i = requestHead.findName(name); i >= 0 && i < last; i = requestHead.findName(name, i + 1))
    requestHead.remove(i);
  return last < 0 ? requestHead.add(name, server!.config.name) : requestHead.setValue(last, server!.config.name);
}
