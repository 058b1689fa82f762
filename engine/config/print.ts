/**
 * Diagnostics as HAProxy's start-up messages. Below the first line stand the line as written, the marked word and
 * the hint, in the way HAProxy continues a message; a suggestion ends the first line, as HAProxy's do:
 *
 *     [ALERT]    (4711) : config : parsing [a.cfg:3] : unknown keyword 'bnd' in 'listen' section; did you mean 'bind' maybe ?
 *        |     bnd :80
 *        |     ^^^
 */
import { VERSION } from '../version.ts';
import type { Diagnostic, Severity } from './diagnostics.ts';

const LABELS: Readonly<Record<Severity, string>> = {
  alert: '[ALERT]   ',
  warning: '[WARNING] ',
  notice: '[NOTICE]  ',
  diag: '[DIAG]    ',
};

const MORE = '   | ';
const SUGGESTS = 'did you mean';
/** Longer lines are shown without their mark: it would not be seen. */
const SOURCE_MAX = 400;

/** HAProxy stops at as many errors. */
const ALERTS_MAX = 50;

interface PrintOptions {
  readonly pid: number;
  /** The path of the program, said before the first warning or alert; null = say nothing of the program. */
  readonly executable: string | null;
  /** `-dD`: show what is of level diag. */
  readonly diag: boolean;
}

/** One line of a start-up message: label, pid and text, ended by a line feed. */
export function startupMessage(severity: Severity, pid: number, text: string): string {
  return `${LABELS[severity]} (${pid}) : ${text}\n`;
}

/** One diagnostic, each line ended by a line feed. */
export function formatDiagnostic(diagnostic: Diagnostic, pid: number): string {
  const { severity, place, source, column, width, hint } = diagnostic;
  const [first = '', ...more] = diagnostic.message.split('\n');
  const where = place === null ? '' : `parsing [${place.file}:${place.line}] : `;
  const suggests = more.length === 0 && hint !== null && hint.startsWith(SUGGESTS);
  const end = suggests ? `; ${hint}` : more.length > 0 || /[.!?:]$/.test(first) ? '' : '.';
  if (source !== null && column > 0 && width > 0 && column + width <= SOURCE_MAX) {
    more.push(printable(source.slice(0, SOURCE_MAX)), mark(source, column, width));
  }
  if (hint !== null && !suggests) more.push(hint);
  const tail = more.map(text => `${MORE}${text}\n`.replace(/ +\n$/, '\n')).join('');
  return startupMessage(severity, pid, `config : ${where}${first}${end}`) + tail;
}

/** All diagnostics of a configuration from its top to its end, and HAProxy's closing lines when it cannot be used. */
export function formatDiagnostics(list: readonly Diagnostic[], options: PrintOptions): string {
  const { pid, executable, diag } = options;
  let text = '';
  let introduced = executable === null;
  let shown = 0;
  for (const diagnostic of inFileOrder(list)) {
    if (diagnostic.severity === 'diag' && !diag) continue;
    if (diagnostic.severity === 'alert' && ++shown > ALERTS_MAX) {
      text += startupMessage('alert', pid, `config : too many fatal errors (${ALERTS_MAX}), stopping now.`);
      break;
    }
    if (!introduced && (diagnostic.severity === 'alert' || diagnostic.severity === 'warning')) {
      text += startupMessage('notice', pid, `haproxy version is ${VERSION}`);
      text += startupMessage('notice', pid, `path to executable is ${executable}`);
      introduced = true;
    }
    text += formatDiagnostic(diagnostic, pid);
  }
  const alerts = list.filter(diagnostic => diagnostic.severity === 'alert');
  if (alerts.length === 0) return text;
  for (const file of new Set(alerts.map(({ place }) => place?.file))) {
    if (file === undefined) continue;
    text += startupMessage('alert', pid, `config : Error(s) found in configuration file : ${file}`);
  }
  return text + startupMessage('alert', pid, 'config : Fatal errors found in configuration.');
}

/** Sorted by file and line; what has no place stays before the rest (files not found) or after it (whole proxies). */
function inFileOrder(list: readonly Diagnostic[]): Diagnostic[] {
  const files = [...new Set(list.map(({ place }) => place?.file))].filter(file => file !== undefined);
  const begin = list.findIndex(({ place }) => place !== null);
  const keyed = list.map((diagnostic, i) => {
    const { place } = diagnostic;
    const file = place === null ? (i < begin ? -1 : files.length) : files.indexOf(place.file);
    return { diagnostic, file, line: place?.line ?? 0 };
  });
  return keyed.sort((a, b) => a.file - b.file || a.line - b.line).map(({ diagnostic }) => diagnostic);
}

/** The blanks before the marked characters, tabs kept so that the mark stands below them, and the mark. */
function mark(source: string, column: number, width: number): string {
  return source.slice(0, column - 1).replace(/[^\t]/g, ' ') + '^'.repeat(width);
}

/** Control characters would move the mark, or worse: each is shown as one dot. */
function printable(source: string): string {
  return Array.from(source, c => ((c < ' ' && c !== '\t') || c === '\x7f' ? '.' : c)).join('');
}
