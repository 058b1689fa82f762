/** Replacements with back references (manual 4.4, `replace-header`). */

/** `\1` is what the first group found, `\0` the whole match, `\x41` a byte; any other `\c` is `c`. */
export function expand(text: string, found: RegExpExecArray): string {
  return text.replace(/\\(?:([0-9])|x([0-9A-Fa-f]{2})|([\s\S]))/g, (_, group, hex, other) => {
    if (group !== undefined) return found[Number(group)] ?? '';
    return hex !== undefined ? String.fromCharCode(Number.parseInt(hex, 16)) : other;
  });
}
