/** Fetches that are known and refused for now: TLS, HTTP/2 and the kernel's counters of a connection. */
import { type FetchRow, laterFetch } from './row.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

/** Of the certificates: `c` the client's, `f` ours, `s` the server's. */
const CERTIFICATE = 'chain_der der i_dn key_alg notafter notbefore s_dn serial sha1 sig_alg version';
const BOTH_SIDES =
  'client_early_traffic_secret client_handshake_traffic_secret client_random client_traffic_secret_0 curve early_exporter_secret exporter_secret npn server_handshake_traffic_secret server_random server_traffic_secret_0 session_id session_key unique_id';

const TLS = [
  ...['ssl_bc', 'ssl_fc'].flatMap(prefix => words(BOTH_SIDES).map(name => `${prefix}_${name}`)),
  ...['ssl_c', 'ssl_f', 'ssl_s'].flatMap(prefix => words(CERTIFICATE).map(name => `${prefix}_${name}`)),
  'ssl_bc_sni',
  ...words(`ssl_c_policies ssl_c_r_dn ssl_c_san
    ssl_fc_cipherlist_bin ssl_fc_cipherlist_hex ssl_fc_cipherlist_str ssl_fc_cipherlist_xxh ssl_fc_crtname ssl_fc_ecformats_bin
    ssl_fc_eclist_bin ssl_fc_extlist_bin ssl_fc_has_early ssl_fc_protocol_hello_id
    ssl_fc_sigalgs_bin ssl_fc_supported_versions_bin`),
];

/** Rules, logs and captures bring these; the rest wants HTTP/2, the kernel's view of a connection, or a cache. */
const OTHERS = words(`51d.all bc_glitches bc_settings_streams_limit bs.aborted bs.debug_str bs.id bs.rst_code cpu_calls
  cpu_ns_avg cpu_ns_tot distcc_body distcc_param fc_glitches fc_pp_authority fc_pp_tlv fc_pp_unique_id fc_saved_syn
  fc_settings_streams_limit fs.aborted fs.debug_str fs.id fs.rst_code lat_ns_avg lat_ns_tot
  res.cache_hit res.cache_name res.comp res.comp_algo term_events internal.htx.data
  internal.htx.free internal.htx.free_data internal.htx.has_eom internal.htx.nbblks internal.htx.size internal.htx.used
  internal.htx_blk.size internal.htx_blk.type internal.htx_blk.data internal.htx_blk.hdrname internal.htx_blk.hdrval
  internal.htx_blk.start_line internal.strm.is_htx`);

export const LATER_FETCHES: readonly FetchRow[] = [
  ...TLS.map(name => laterFetch(name, 'What a TLS connection tells.')),
  ...OTHERS.map(name => laterFetch(name, 'Not known here yet.')),
];
