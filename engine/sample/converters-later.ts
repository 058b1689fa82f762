/** Converters that are known and refused for now. */
import { type ConverterRow, laterConverter } from './row.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

const TABLE =
  words(`bytes_in_rate bytes_out_rate clr_gpc clr_gpc0 clr_gpc1 conn_cnt conn_cur conn_rate expire glitch_cnt
  glitch_rate gpc gpc0 gpc0_rate gpc1 gpc1_rate gpc_rate gpt gpt0 http_err_cnt http_err_rate http_fail_cnt http_fail_rate
  http_req_cnt http_req_rate idle inc_gpc inc_gpc0 inc_gpc1 kbytes_in kbytes_out server_id sess_cnt sess_rate trackers`);
const JWT = words(`jwt_decrypt_jwk jwt_decrypt_cert jwt_decrypt_secret jwt_header_query jwt_payload_query jwt_verify
  jwt_verify_cert x509_v_err_str`);
const OTHERS = words('51d.single capture-req capture-res da-csv-conv debug map_match map_match_output protobuf ungrpc');

export const LATER_CONVERTERS: readonly ConverterRow[] = [
  ...['in_table', ...TABLE.map(name => `table_${name}`)].map(name =>
    laterConverter(name, 'Looks up in a stick table.'),
  ),
  ...JWT.map(name => laterConverter(name, 'Tokens and certificates.')),
  ...OTHERS.map(name => laterConverter(name, 'Not known here yet.')),
];
