/** Fetches that are known and refused for now: HTTP/2 and the kernel's counters of a connection. */
import { type FetchRow, laterFetch } from './row.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** Rules, logs and captures bring these; the rest wants HTTP/2, the kernel's view of a connection, or a cache. */
const OTHERS = words(`51d.all bc_glitches bc_settings_streams_limit bs.aborted bs.debug_str bs.id bs.rst_code cpu_calls
  cpu_ns_avg cpu_ns_tot distcc_body distcc_param fc_glitches
  fc_settings_streams_limit fs.aborted fs.debug_str fs.id fs.rst_code lat_ns_avg lat_ns_tot
  res.cache_hit res.cache_name term_events internal.htx.data
  internal.htx.free internal.htx.free_data internal.htx.has_eom internal.htx.nbblks internal.htx.size internal.htx.used
  internal.htx_blk.size internal.htx_blk.type internal.htx_blk.data internal.htx_blk.hdrname internal.htx_blk.hdrval
  internal.htx_blk.start_line internal.strm.is_htx`);

export const LATER_FETCHES: readonly FetchRow[] = [...OTHERS.map(name => laterFetch(name, 'Not known here yet.'))];
