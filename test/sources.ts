/** What the sources import and use, read from their syntax trees. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { parseAst } from 'vitest/node';

export const ROOT = join(import.meta.dirname, '..');

export interface Source {
  /** From the root: `engine/io/net.ts`. */
  readonly path: string;
  /** What it imports, files as paths from the root. */
  readonly imports: readonly string[];
  /** Names that it uses and does not declare: `setTimeout`, `Date.now`, `new Date()`. */
  readonly uses: readonly string[];
}

/** All TypeScript below a folder of the project. */
export function sources(folder: string): Source[] {
  const paths = files(folder).filter(path => path.endsWith('.ts'));
  return paths.map(path => read(path, readFileSync(join(ROOT, path), 'utf8')));
}

/** All files below a folder, as paths from the root. */
export function files(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => relative(ROOT, join(entry.parentPath, entry.name)));
}

type Node = Record<string, unknown> & { readonly type: string };

/** What `text`, the source at `path`, imports and uses. */
export function read(path: string, text: string): Source {
  const imports: string[] = [];
  const uses: string[] = [];
  const declared = new Set<unknown>();
  visit(parseAst(text, { lang: 'ts' }) as unknown as Node);
  return { path, imports, uses: uses.filter(name => !declared.has(name)) };

  function visit(node: Node): void {
    const from = node.source as { value?: unknown } | null | undefined;
    if (typeof from?.value === 'string') imports.push(resolve(path, from.value));
    if (node.type === 'FunctionDeclaration') declared.add((node.id as Node | null)?.name);
    if (node.type === 'Identifier') uses.push(node.name as string);
    const written = compound(node);
    if (written !== null) uses.push(written);
    for (const [key, value] of Object.entries(node)) {
      if (NAMES_OF_OTHERS.has(key) && node.computed === false) continue;
      for (const child of [value].flat()) if (isNode(child)) visit(child);
    }
  }
}

/** `socket.setTimeout`, `{ setTimeout: 1 }`: no use of the global. */
const NAMES_OF_OTHERS = new Set(['property', 'key']);

/** `Date.now`, and `new Date()` without a time. */
function compound(node: Node): string | null {
  const { name } = (node.object ?? node.callee ?? {}) as { name?: string };
  if (node.type === 'MemberExpression' && node.computed === false) return `${name}.${(node.property as Node).name}`;
  if (node.type === 'NewExpression' && (node.arguments as Node[]).length === 0) return `new ${name}()`;
  return null;
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value;
}

function resolve(path: string, name: string): string {
  return name.startsWith('.') ? join(dirname(path), name) : name;
}
