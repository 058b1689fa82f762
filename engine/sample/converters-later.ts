/** Converters that are known and refused for now. */
import { type ConverterRow, laterConverter } from './row.ts';

const words = (text: string): string[] => text.split(/\s+/).filter(word => word !== '');

const JWT = words(`jwt_decrypt_jwk jwt_decrypt_cert jwt_decrypt_secret jwt_header_query jwt_payload_query jwt_verify
  jwt_verify_cert`);
const OTHERS = words('51d.single da-csv-conv map_match map_match_output protobuf ungrpc');

export const LATER_CONVERTERS: readonly ConverterRow[] = [
  ...JWT.map(name => laterConverter(name, 'Tokens.')),
  ...OTHERS.map(name => laterConverter(name, 'Not known here yet.')),
];
