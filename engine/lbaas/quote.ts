/** Words of a configuration that may hold anything. */

/** In strong quotes, where nothing has a meaning but the quote that ends them. */
export function quote(text: string): string {
  return /^[\w./:@%+,()-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** `name(argument)` as one word: inside of it quotes have a meaning a second time. */
export function fetchOf(name: string, argument: string): string {
  return quote(`${name}(${argument.replaceAll(/['"\\]/g, '\\$&')})`);
}
