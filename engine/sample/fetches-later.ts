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

/** Of the certificates: `c` the client's, `f` ours, `s` the server's. */
const CERTIFICATE = 'chain_der der i_dn key_alg notafter notbefore s_dn serial sha1 sig_alg version';
const BOTH_SIDES =
  'alg_keysize alpn cipher client_early_traffic_secret client_handshake_traffic_secret client_random client_traffic_secret_0 curve early_exporter_secret err err_str exporter_secret is_resumed npn protocol server_handshake_traffic_secret server_random server_traffic_secret_0 session_id session_key sni unique_id use_keysize';

const TLS = [
  ...['ssl_bc', 'ssl_fc'],
  ...['ssl_bc', 'ssl_fc'].flatMap(prefix => words(BOTH_SIDES).map(name => `${prefix}_${name}`)),
  ...['ssl_c', 'ssl_f', 'ssl_s'].flatMap(prefix => words(CERTIFICATE).map(name => `${prefix}_${name}`)),
  ...words(`ssl_c_ca_err ssl_c_ca_err_depth ssl_c_err ssl_c_policies ssl_c_r_dn ssl_c_san ssl_c_used ssl_c_verify
    ssl_fc_cipherlist_bin ssl_fc_cipherlist_hex ssl_fc_cipherlist_str ssl_fc_cipherlist_xxh ssl_fc_crtname ssl_fc_ecformats_bin
    ssl_fc_eclist_bin ssl_fc_extlist_bin ssl_fc_has_crt ssl_fc_has_early ssl_fc_has_sni ssl_fc_protocol_hello_id
    ssl_fc_sigalgs_bin ssl_fc_supported_versions_bin`),
];

/** Rules, logs and captures bring these; the rest wants HTTP/2, the kernel's view of a connection, or a cache. */
const OTHERS = words(`51d.all bc_be_queue bc_err bc_err_name bc_err_str bc_glitches bc_nb_streams bc_rtt bc_rttvar
  bc_settings_streams_limit bc_srv_queue bs.aborted bs.debug_str bs.id bs.rst_code cpu_calls
  cpu_ns_avg cpu_ns_tot distcc_body distcc_param fc_err fc_err_name fc_err_str fc_fackets fc_glitches fc_lost fc_nb_streams
  fc_pp_authority fc_pp_tlv fc_pp_unique_id fc_reordering fc_retrans fc_rtt fc_rttvar fc_sacked fc_saved_syn
  fc_settings_streams_limit fc_unacked fs.aborted fs.debug_str fs.id fs.rst_code last_entity last_rule_file last_rule_line
  lat_ns_avg lat_ns_tot  req.bytes_out res.body res.body_len res.bytes_in res.cache_hit res.cache_name
  term_events txn.id32 txn.sess_term_state waiting_entity internal.htx.data
  internal.htx.free internal.htx.free_data internal.htx.has_eom internal.htx.nbblks internal.htx.size internal.htx.used
  internal.htx_blk.size internal.htx_blk.type internal.htx_blk.data internal.htx_blk.hdrname internal.htx_blk.hdrval
  internal.htx_blk.start_line internal.strm.is_htx`);

export const LATER_FETCHES: readonly FetchRow[] = [
  ...STICK.map(name => laterFetch(name, 'What a stick table counts.')),
  ...TLS.map(name => laterFetch(name, 'What a TLS connection tells.')),
  ...OTHERS.map(name => laterFetch(name, 'Not known here yet.')),
];
