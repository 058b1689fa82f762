/**
 * The OpenSSL inside Node, declared once through `node:ffi`: the only file that knows its functions and constants. Who
 * calls one of them owns no pointer of its own: pointers live in handles (handle.ts).
 *
 * Sizes are declared `i32`, where C has `size_t` or `int`: no BigInt is made, and none here comes near 2^31. Results are
 * OpenSSL's own: mostly 1 = done, 0 or less = failed with the reason in the error queue (errors.ts).
 */
import ffi from 'node:ffi';

const SIGNATURES = {
  OpenSSL_version: { return: 'pointer', arguments: ['i32'] },

  // Contexts.
  TLS_method: { return: 'pointer', arguments: [] },
  SSL_CTX_new: { return: 'pointer', arguments: ['pointer'] },
  SSL_CTX_free: { return: 'void', arguments: ['pointer'] },
  SSL_CTX_ctrl: { return: 'i64', arguments: ['pointer', 'i32', 'i64', 'pointer'] },
  SSL_CTX_callback_ctrl: { return: 'i64', arguments: ['pointer', 'i32', 'pointer'] },
  SSL_CTX_set_options: { return: 'u64', arguments: ['pointer', 'u64'] },
  SSL_CTX_set_security_level: { return: 'void', arguments: ['pointer', 'i32'] },
  SSL_CTX_set_cipher_list: { return: 'i32', arguments: ['pointer', 'string'] },
  SSL_CTX_set_ciphersuites: { return: 'i32', arguments: ['pointer', 'string'] },
  SSL_CTX_use_certificate: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_CTX_use_PrivateKey: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_CTX_use_serverinfo_ex: { return: 'i32', arguments: ['pointer', 'u32', 'pointer', 'i32'] },
  SSL_CTX_set0_tmp_dh_pkey: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_CTX_set_verify: { return: 'void', arguments: ['pointer', 'i32', 'pointer'] },
  SSL_CTX_set1_cert_store: { return: 'void', arguments: ['pointer', 'pointer'] },
  SSL_CTX_add_client_CA: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_CTX_set_session_id_context: { return: 'i32', arguments: ['pointer', 'buffer', 'i32'] },
  SSL_CTX_set_alpn_select_cb: { return: 'void', arguments: ['pointer', 'pointer', 'pointer'] },
  SSL_CTX_set_alpn_protos: { return: 'i32', arguments: ['pointer', 'buffer', 'i32'] },
  SSL_CTX_set_tlsext_ticket_key_evp_cb: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_CTX_set_keylog_callback: { return: 'void', arguments: ['pointer', 'pointer'] },
  SSL_CTX_set_max_early_data: { return: 'i32', arguments: ['pointer', 'u32'] },
  SSL_CTX_set_timeout: { return: 'i64', arguments: ['pointer', 'i64'] },

  // Connections.
  SSL_new: { return: 'pointer', arguments: ['pointer'] },
  SSL_free: { return: 'void', arguments: ['pointer'] },
  SSL_set_bio: { return: 'void', arguments: ['pointer', 'pointer', 'pointer'] },
  SSL_set_accept_state: { return: 'void', arguments: ['pointer'] },
  SSL_set_connect_state: { return: 'void', arguments: ['pointer'] },
  SSL_do_handshake: { return: 'i32', arguments: ['pointer'] },
  SSL_read: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
  SSL_write: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
  SSL_read_early_data: { return: 'i32', arguments: ['pointer', 'pointer', 'i32', 'pointer'] },
  SSL_write_early_data: { return: 'i32', arguments: ['pointer', 'pointer', 'i32', 'pointer'] },
  SSL_get_early_data_status: { return: 'i32', arguments: ['pointer'] },
  SSL_set_info_callback: { return: 'void', arguments: ['pointer', 'pointer'] },
  SSL_state_string_long: { return: 'pointer', arguments: ['pointer'] },
  SSL_set_shutdown: { return: 'void', arguments: ['pointer', 'i32'] },
  SSL_shutdown: { return: 'i32', arguments: ['pointer'] },
  SSL_key_update: { return: 'i32', arguments: ['pointer', 'i32'] },
  SSL_get_error: { return: 'i32', arguments: ['pointer', 'i32'] },
  SSL_ctrl: { return: 'i64', arguments: ['pointer', 'i32', 'i64', 'pointer'] },
  SSL_set1_host: { return: 'i32', arguments: ['pointer', 'string'] },
  SSL_set_alpn_protos: { return: 'i32', arguments: ['pointer', 'buffer', 'i32'] },
  SSL_version: { return: 'i32', arguments: ['pointer'] },
  SSL_get_version: { return: 'pointer', arguments: ['pointer'] },
  SSL_get_current_cipher: { return: 'pointer', arguments: ['pointer'] },
  SSL_CIPHER_get_name: { return: 'pointer', arguments: ['pointer'] },
  SSL_CIPHER_find: { return: 'pointer', arguments: ['pointer', 'pointer'] },
  SSL_CIPHER_get_bits: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_session_reused: { return: 'i32', arguments: ['pointer'] },
  SSL_get_verify_result: { return: 'i32', arguments: ['pointer'] },
  SSL_get0_alpn_selected: { return: 'void', arguments: ['pointer', 'pointer', 'pointer'] },
  SSL_get0_peer_certificate: { return: 'pointer', arguments: ['pointer'] },
  SSL_get1_peer_certificate: { return: 'pointer', arguments: ['pointer'] },
  SSL_get_peer_cert_chain: { return: 'pointer', arguments: ['pointer'] },
  SSL_get0_verified_chain: { return: 'pointer', arguments: ['pointer'] },
  SSL_get_servername: { return: 'pointer', arguments: ['pointer', 'i32'] },
  SSL_get_session: { return: 'pointer', arguments: ['pointer'] },
  SSL_get_finished: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
  SSL_get_peer_finished: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
  SSL_get_client_random: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
  SSL_get_server_random: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },
  SSL_group_to_name: { return: 'pointer', arguments: ['pointer', 'i32'] },
  /** 0 for every connection of ours: stands for a callback that answers SSL_TLSEXT_ERR_OK. */
  SSL_is_dtls: { return: 'i32', arguments: ['pointer'] },

  // Sessions.
  SSL_set_session: { return: 'i32', arguments: ['pointer', 'pointer'] },
  SSL_get1_session: { return: 'pointer', arguments: ['pointer'] },
  SSL_SESSION_is_resumable: { return: 'i32', arguments: ['pointer'] },
  SSL_SESSION_free: { return: 'void', arguments: ['pointer'] },
  SSL_CTX_sess_set_new_cb: { return: 'void', arguments: ['pointer', 'pointer'] },
  SSL_CTX_sess_set_get_cb: { return: 'void', arguments: ['pointer', 'pointer'] },
  i2d_SSL_SESSION: { return: 'i32', arguments: ['pointer', 'pointer'] },
  d2i_SSL_SESSION: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  SSL_SESSION_get_max_early_data: { return: 'u32', arguments: ['pointer'] },
  SSL_SESSION_get_id: { return: 'pointer', arguments: ['pointer', 'pointer'] },
  SSL_SESSION_get_master_key: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },

  // BIOs.
  BIO_new: { return: 'pointer', arguments: ['pointer'] },
  BIO_s_mem: { return: 'pointer', arguments: [] },
  BIO_new_mem_buf: { return: 'pointer', arguments: ['pointer', 'i32'] },
  BIO_up_ref: { return: 'i32', arguments: ['pointer'] },
  BIO_free: { return: 'i32', arguments: ['pointer'] },
  BIO_get_data: { return: 'pointer', arguments: ['pointer'] },
  BIO_ctrl: { return: 'i64', arguments: ['pointer', 'i32', 'i64', 'pointer'] },
  BIO_read: { return: 'i32', arguments: ['pointer', 'pointer', 'i32'] },

  // Certificates and keys.
  d2i_X509: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  i2d_X509: { return: 'i32', arguments: ['pointer', 'pointer'] },
  d2i_X509_NAME: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  X509_NAME_free: { return: 'void', arguments: ['pointer'] },
  X509_NAME_print_ex: { return: 'i32', arguments: ['pointer', 'pointer', 'i32', 'u64'] },
  d2i_GENERAL_NAME: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  GENERAL_NAME_free: { return: 'void', arguments: ['pointer'] },
  GENERAL_NAME_print: { return: 'i32', arguments: ['pointer', 'pointer'] },
  OBJ_txt2nid: { return: 'i32', arguments: ['string'] },
  OBJ_nid2ln: { return: 'pointer', arguments: ['i32'] },
  OBJ_nid2sn: { return: 'pointer', arguments: ['i32'] },
  X509_free: { return: 'void', arguments: ['pointer'] },
  d2i_AutoPrivateKey: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  EVP_PKEY_get_bits: { return: 'i32', arguments: ['pointer'] },
  EVP_PKEY_free: { return: 'void', arguments: ['pointer'] },
  PEM_read_bio_Parameters: { return: 'pointer', arguments: ['pointer', 'pointer'] },
  EVP_PKEY_CTX_new_from_name: { return: 'pointer', arguments: ['pointer', 'string', 'pointer'] },
  EVP_PKEY_CTX_free: { return: 'void', arguments: ['pointer'] },
  EVP_PKEY_paramgen_init: { return: 'i32', arguments: ['pointer'] },
  EVP_PKEY_CTX_set_group_name: { return: 'i32', arguments: ['pointer', 'string'] },
  EVP_PKEY_paramgen: { return: 'i32', arguments: ['pointer', 'pointer'] },
  d2i_X509_CRL: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  X509_CRL_free: { return: 'void', arguments: ['pointer'] },
  X509_STORE_new: { return: 'pointer', arguments: [] },
  X509_STORE_free: { return: 'void', arguments: ['pointer'] },
  X509_STORE_add_cert: { return: 'i32', arguments: ['pointer', 'pointer'] },
  X509_STORE_add_crl: { return: 'i32', arguments: ['pointer', 'pointer'] },
  X509_STORE_set_flags: { return: 'i32', arguments: ['pointer', 'u64'] },
  X509_STORE_CTX_get0_cert: { return: 'pointer', arguments: ['pointer'] },
  X509_STORE_CTX_get_error: { return: 'i32', arguments: ['pointer'] },
  X509_STORE_CTX_get_error_depth: { return: 'i32', arguments: ['pointer'] },
  X509_verify_cert_error_string: { return: 'pointer', arguments: ['i64'] },
  OPENSSL_sk_num: { return: 'i32', arguments: ['pointer'] },
  OPENSSL_sk_value: { return: 'pointer', arguments: ['pointer', 'i32'] },
  OPENSSL_sk_new_null: { return: 'pointer', arguments: [] },
  OPENSSL_sk_push: { return: 'i32', arguments: ['pointer', 'pointer'] },
  OPENSSL_sk_free: { return: 'void', arguments: ['pointer'] },
  d2i_PKCS12: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  PKCS12_parse: { return: 'i32', arguments: ['pointer', 'string', 'pointer', 'pointer', 'pointer'] },
  PKCS12_free: { return: 'void', arguments: ['pointer'] },
  i2d_PrivateKey: { return: 'i32', arguments: ['pointer', 'pointer'] },

  // Session tickets under several keys.
  EVP_aes_128_cbc: { return: 'pointer', arguments: [] },
  EVP_aes_256_cbc: { return: 'pointer', arguments: [] },
  EVP_EncryptInit_ex: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'] },
  EVP_DecryptInit_ex: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'] },
  EVP_MAC_CTX_set_params: { return: 'i32', arguments: ['pointer', 'pointer'] },
  RAND_bytes: { return: 'i32', arguments: ['pointer', 'i32'] },
  CRYPTO_malloc: { return: 'pointer', arguments: ['i32', 'string', 'i32'] },

  // Answers of authorities about certificates (OCSP).
  d2i_OCSP_RESPONSE: { return: 'pointer', arguments: ['pointer', 'pointer', 'i64'] },
  OCSP_RESPONSE_free: { return: 'void', arguments: ['pointer'] },
  OCSP_RESPONSE_print: { return: 'i32', arguments: ['pointer', 'pointer', 'u64'] },
  OCSP_response_status: { return: 'i32', arguments: ['pointer'] },
  OCSP_response_get1_basic: { return: 'pointer', arguments: ['pointer'] },
  OCSP_BASICRESP_free: { return: 'void', arguments: ['pointer'] },
  OCSP_basic_verify: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'u64'] },
  OCSP_resp_count: { return: 'i32', arguments: ['pointer'] },
  OCSP_resp_get0: { return: 'pointer', arguments: ['pointer', 'i32'] },
  OCSP_SINGLERESP_get0_id: { return: 'pointer', arguments: ['pointer'] },
  OCSP_single_get0_status: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer', 'pointer', 'pointer'] },
  OCSP_check_validity: { return: 'i32', arguments: ['pointer', 'pointer', 'i64', 'i64'] },
  ASN1_TIME_to_tm: { return: 'i32', arguments: ['pointer', 'pointer'] },
  i2d_OCSP_CERTID: { return: 'i32', arguments: ['pointer', 'pointer'] },

  // Where algorithms come from, for all threads of the process.
  OSSL_PROVIDER_load: { return: 'pointer', arguments: ['pointer', 'string'] },
  OSSL_PROVIDER_set_default_search_path: { return: 'i32', arguments: ['pointer', 'pointer'] },
  EVP_set_default_properties: { return: 'i32', arguments: ['pointer', 'string'] },
  OSSL_PROVIDER_do_all: { return: 'i32', arguments: ['pointer', 'pointer', 'pointer'] },
  OSSL_PROVIDER_get0_name: { return: 'pointer', arguments: ['pointer'] },

  // The error queue of the thread.
  ERR_get_error: { return: 'u64', arguments: [] },
  ERR_clear_error: { return: 'void', arguments: [] },
  ERR_reason_error_string: { return: 'pointer', arguments: ['u64'] },
} as const;

/** Node's own binary has the library in it; one that was built against the system's finds it there. */
function library() {
  try {
    return ffi.dlopen(null, SIGNATURES);
  } catch {
    return ffi.dlopen('libssl.so.3', SIGNATURES);
  }
}

const { lib, functions } = library();

export const openssl = functions;

/** A pointer to a C function that is `call` in this thread: native code may call it in this thread only. */
export function callback(
  args: readonly ('pointer' | 'i32' | 'u32')[],
  call: (...args: never[]) => number | bigint,
  result: 'i32' | 'pointer' = 'i32',
): bigint {
  return lib.registerCallback({ return: result, arguments: args }, call as never);
}

/** The address of a function of OpenSSL itself. */
export function addressOf(name: keyof typeof SIGNATURES): bigint {
  return lib.getSymbol(name);
}

/** Where the memory of an array lies. It must be kept alive as long as native code uses it. */
export function pointerTo(memory: ArrayBuffer | Uint8Array): bigint {
  return ffi.getRawPointer(memory as ArrayBuffer);
}

/** A view of `bytes` bytes of native memory. */
export function view(pointer: bigint, bytes: number): ArrayBuffer {
  return ffi.toArrayBuffer(pointer, bytes, false);
}

/** Writes into native memory. */
export const { setUint8, setInt32, setUint64, getInt32 } = ffi;

/** The text at a C string; '' for a null pointer. */
export function textAt(pointer: bigint): string {
  return pointer === 0n ? '' : (ffi.toString(pointer) ?? '');
}

/** `SSL_CTX_ctrl` and `SSL_ctrl` (openssl/ssl.h, SSL_CTRL_...). */
export const CTRL = {
  mode: 33,
  readAhead: 41,
  sessionCacheMode: 44,
  maxSendFragment: 52,
  serverName: 55,
  ticketKeys: 59,
  serverNameCallback: 53,
  statusCallback: 63,
  statusType: 65,
  statusResponse: 71,
  chainCertificate: 89,
  groups: 92,
  signatures: 98,
  clientSignatures: 102,
  peerTemporaryKey: 109,
  minVersion: 123,
  maxVersion: 124,
  negotiatedGroup: 134,
} as const;

/** `SSL_CTX_set_options` (SSL_OP_...). */
export const OPTION = {
  noTicket: 1n << 14n,
  noResumptionOnRenegotiation: 1n << 16n,
  noCompression: 1n << 17n,
  prioritizeChacha: 1n << 21n,
  serverPreference: 1n << 22n,
  noRenegotiation: 1n << 30n,
  noCaNames: 1n << 9n,
  noAntiReplay: 1n << 24n,
} as const;

/** SSL_MODE_ENABLE_PARTIAL_WRITE would only be in the way: the output BIO takes everything. */
export const MODE_RELEASE_BUFFERS = 0x10n;
/** Send the certificates of the file and no others: what peers are verified against is nobody else's concern. */
export const MODE_NO_AUTO_CHAIN = 0x8n;

export const SESSION_CACHE = { off: 0n, client: 1n, server: 2n, noInternal: 0x300n } as const;

/** `SSL_CTX_set_verify` (SSL_VERIFY_...). */
export const VERIFY = { none: 0, peer: 1, failIfNone: 2, clientOnce: 4 } as const;

/** `SSL_read_early_data` (SSL_READ_EARLY_DATA_...). */
export const EARLY = { error: 0, success: 1, finish: 2 } as const;

/** `SSL_get_early_data_status` (SSL_EARLY_DATA_...). */
export const EARLY_REJECTED = 1;

/** `SSL_get_error` (SSL_ERROR_...). */
export const ERROR = { none: 0, ssl: 1, wantRead: 2, wantWrite: 3, syscall: 5, closed: 6 } as const;

/** `BIO_ctrl`. */
export const BIO = { info: 3, memory: 115, endOfFile: 130 } as const;

/** `X509_STORE_set_flags`: revocation is checked for all of the chain. */
export const CRL_CHECK = 0x4n | 0x8n;

/** `X509_STORE_set_flags`: whoever is in it is trusted, roots or not (X509_V_FLAG_PARTIAL_CHAIN). */
export const PARTIAL_CHAIN = 0x80000n;

/** `OCSP_basic_verify`: who is among the certificates given is trusted (OCSP_TRUSTOTHER). */
export const TRUST_OTHER = 0x200n;

/** `X509_V_OK`. */
export const X509_OK = 0;

/** What TLS versions are called in the protocol. */
export const VERSION = {
  SSLv3: 0x300,
  'TLSv1.0': 0x301,
  'TLSv1.1': 0x302,
  'TLSv1.2': 0x303,
  'TLSv1.3': 0x304,
} as const;
