/** HTML of the statistics page: escaping, numbers, ages, and what unfolds under the pointer. */
import type { Out } from './out.ts';

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text as HTML: in elements and in quoted attributes. Control characters become spaces. */
export function escapeHtml(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is to be replaced
  return text.replace(/[&<>"']/g, c => ESCAPES[c]!).replace(/[\x00-\x1f\x7f]/g, ' ');
}

/** Digits in groups of three; the gap is style, so that copying a number copies a number. */
export function writeNumber(out: Out, n: number): void {
  const digits = String(n);
  const first = digits.length % 3 || 3;
  for (let at = 0, end = first; at < digits.length; at = end, end += 3) {
    const group = digits.slice(at, end);
    out.text(end < digits.length ? `<i>${group}</i>` : group);
  }
}

/** The two greatest units: `3d2h`, `2h5m`, `4m46s`, `12s`. */
export function age(seconds: number): string {
  if (seconds < 60) return `${seconds}s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes}m${seconds % 60 ? `${seconds % 60}s` : ''}`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return `${hours}h${minutes % 60 ? `${minutes % 60}m` : ''}`;
  return `${Math.floor(hours / 24)}d${hours % 24 ? `${hours % 24}h` : ''}`;
}

/** Writes `visible`, which unfolds `hidden` while the pointer is on it. Either writes HTML. */
export function writeTip(out: Out, visible: () => void, hidden: () => void): void {
  out.text('<span class="t">');
  visible();
  out.text('<span>');
  hidden();
  out.text('</span></span>');
}
