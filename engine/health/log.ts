/** What checks and state changes say: one line, without a date; the control worker sends it to the proxy's logs. */

/** `level` is a syslog severity (0..7), `proxy` an index in `model.proxies`. */
export type Log = (level: number, proxy: number, text: string) => void;

export const LOG_EMERG = 0;
export const LOG_ALERT = 1;
export const LOG_NOTICE = 5;
