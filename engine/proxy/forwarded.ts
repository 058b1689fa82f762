/** The Forwarded header (RFC 7239) of `option forwarded`: one element per proxy, in the order proto, host, by, for. */
import type { Forwarded } from '../config/proxy-model.ts';
import { ipText } from '../io/ip.ts';
import { evaluate } from '../rules/values.ts';
import { compileExpression } from '../sample/compile.ts';
import { type Env, type Fetch, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { IPV4, IPV6, type Sample, SINT, STR } from '../sample/sample.ts';
import { front } from '../sample/tls-ends.ts';
import type { Stream } from './stream.ts';

const HERE = new Standpoint();
const UNKNOWN = 'unknown';
/** Identifiers that tell nobody's address (RFC 7239 6.3). */
const OBFUSCATED = /^_[\w.-]+$/;
const V4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
/** What may stand in a quoted string, escaped where it must be (RFC 9110 5.6.4). */
const QUOTABLE = /^[\t\x20-\x7e\x80-\xff]+$/;
const PORT_MAX = 65_535;

type Write = (stream: Stream) => string;

/** A function that gives the header's value for a stream; '' = there is nothing to tell. */
export function compileForwarded(forwarded: Forwarded, env: Env): Write {
  const parts: Write[] = [
    ...(forwarded.proto ? [proto] : []),
    ...(forwarded.host === null ? [] : [host(forwarded.host, env)]),
    ...(forwarded.by === null ? [] : [node('by', forwarded.by, forwarded.byPort, env)]),
    ...(forwarded.for === null ? [] : [node('for', forwarded.for, forwarded.forPort, env)]),
  ];
  return stream => {
    let value = '';
    for (const write of parts) {
      const part = write(stream);
      if (part !== '') value += value === '' ? part : `;${part}`;
    }
    return value;
  };
}

function proto(stream: Stream): string {
  return front(HERE.at(stream)) === null ? 'proto=http' : 'proto=https';
}

function host(expression: Expression, env: Env): Write {
  const fetch = compileExpression(expression, env);
  return stream => {
    const text = evaluate(fetch, HERE.at(stream), STR)?.text() ?? '';
    return QUOTABLE.test(text) ? `host="${text.replace(/["\\]/g, '\\$&')}"` : '';
  };
}

/** `for=192.0.2.1`, `for="[2001:db8::1]:4711"`, `by=_name`. The port goes with a name only. */
function node(parameter: 'by' | 'for', name: Expression, port: Expression | null, env: Env): Write {
  const nameOf = compileExpression(name, env);
  const portOf: Fetch | null = port === null ? null : compileExpression(port, env);
  return stream => {
    const at = HERE.at(stream);
    const text = nodeName(evaluate(nameOf, at, 0));
    const suffix = portOf === null ? '' : nodePort(evaluate(portOf, at, 0));
    // A token has no colons and brackets (RFC 9110 5.6.2).
    return suffix !== '' || text.startsWith('[') ? `${parameter}="${text}${suffix}"` : `${parameter}=${text}`;
  };
}

function nodeName(sample: Sample | null): string {
  if (sample === null) return UNKNOWN;
  if (sample.type === IPV4) return ipText(sample.copy());
  if (sample.type === IPV6) return `[${ipText(sample.copy())}]`;
  const text = textOf(sample);
  if (text === UNKNOWN || V4.test(text)) return text;
  return obfuscated(text) ?? UNKNOWN;
}

/** With its colon; '' = there is none to tell. */
function nodePort(sample: Sample | null): string {
  if (sample === null) return '';
  const text = textOf(sample);
  if (/^\d{1,5}$/.test(text)) return Number(text) > 0 && Number(text) <= PORT_MAX ? `:${text}` : '';
  const name = obfuscated(text);
  return name === null ? '' : `:${name}`;
}

function textOf(sample: Sample): string {
  return sample.type === SINT ? String(sample.int) : sample.text();
}

function obfuscated(text: string): string | null {
  if (OBFUSCATED.test(text)) return text;
  return OBFUSCATED.test(`_${text}`) ? `_${text}` : null;
}
