/** Fetches that are known and refused for now: stick tables, TLS, HTTP/2 and the kernel's counters of a connection. */
import { type FetchRow, laterFetch } from './row.ts';

/** What a tracked counter tells, by name; in front of it stands `sc0_`, `sc1_`, `sc2_`, `sc_` or `src_`. */
const COUNTERS =
  'bytes_in_rate bytes_out_rate clr_gpc0 clr_gpc1 conn_cnt conn_cur conn_rate get_gpc0 get_gpc1 get_gpt0 glitch_cnt glitch_rate gpc0_rate gpc1_rate http_err_cnt http_err_rate http_fail_cnt http_fail_rate http_req_cnt http_req_rate inc_gpc0 inc_gpc1 kbytes_in kbytes_out sess_cnt sess_rate';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

const STICK = [
  ...['sc0', 'sc1', 'sc2', 'sc', 'src'].flatMap(prefix => words(COUNTERS).map(name => `${prefix}_${name}`)),
  ...['sc0', 'sc1', 'sc2', 'sc'].flatMap(prefix => words('key tracked trackers').map(name => `${prefix}_${name}`)),
  ...['sc', 'src'].flatMap(prefix =>
    words('clr_gpc get_gpc get_gpt gpc_rate inc_gpc').map(name => `${prefix}_${name}`),
  ),
  ...words('src_updt_conn_cnt table_avl table_cnt'),
];

/** Rules, logs and captures bring these; the rest wants HTTP/2, the kernel's view of a connection, or a cache. */
const OTHERS = words(`51d.all bc_glitches bc_settings_streams_limit bs.aborted bs.debug_str bs.id bs.rst_code cpu_calls
  cpu_ns_avg cpu_ns_tot distcc_body distcc_param fc_glitches fc_pp_authority fc_pp_tlv fc_pp_unique_id fc_saved_syn
  fc_settings_streams_limit fs.aborted fs.debug_str fs.id fs.rst_code lat_ns_avg lat_ns_tot res.body res.body_len
  res.cache_hit res.cache_name res.comp res.comp_algo term_events internal.htx.data
  internal.htx.free internal.htx.free_data internal.htx.has_eom internal.htx.nbblks internal.htx.size internal.htx.used
  internal.htx_blk.size internal.htx_blk.type internal.htx_blk.data internal.htx_blk.hdrname internal.htx_blk.hdrval
  internal.htx_blk.start_line internal.strm.is_htx`);

export const LATER_FETCHES: readonly FetchRow[] = [
  ...STICK.map(name => laterFetch(name, 'What a stick table counts.')),
  ...OTHERS.map(name => laterFetch(name, 'Not known here yet.')),
];
