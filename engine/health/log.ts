/** What checks and state changes say: one line, without a date; the control worker sends it to the proxy's logs. */

/**
 * `level` is a syslog severity (0..7), `proxy` an index in `model.proxies`. `mailLevel`: the one that `email-alert level` is
 * compared with, where it is another; NO_MAIL = it is not for mails.
 */
export type Log = (level: number, proxy: number, text: string, mailLevel?: number) => void;

export const LOG_EMERG = 0;
export const LOG_ALERT = 1;
export const LOG_WARNING = 4;
export const LOG_NOTICE = 5;
export const LOG_INFO = 6;
export const NO_MAIL = 8;
