/** Words of a configuration that may hold anything. */

/** In strong quotes, where nothing has a meaning but the quote that ends them. */
export function quote(text: string): string {
  return /^[\w./:@%+,()-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
