/** Fetches that are known and refused for now. */
import { type FetchRow, laterFetch } from './row.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** HAProxy's own scheduler and buffers, of which there is no like; streams of HTTP/2; what compiles for others bring. */
const OTHERS = words(`51d.all bs.debug_str bs.id cpu_calls cpu_ns_avg cpu_ns_tot fs.debug_str fs.id
  lat_ns_avg lat_ns_tot term_events internal.htx.data internal.htx.free internal.htx.free_data internal.htx.has_eom
  internal.htx.nbblks internal.htx.size internal.htx.used internal.htx_blk.size internal.htx_blk.type internal.htx_blk.data
  internal.htx_blk.hdrname internal.htx_blk.hdrval internal.htx_blk.start_line internal.strm.is_htx`);

export const LATER_FETCHES: readonly FetchRow[] = [...OTHERS.map(name => laterFetch(name, 'Not known here yet.'))];
