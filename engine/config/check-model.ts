/** How servers are checked, as it stands in the model (model.ts): a script of steps. */
import type { Address } from '../io/contract.ts';
import type { Format } from '../log/format-text.ts';
import type { Expression } from '../sample/expression.ts';
import type { Variable } from '../sample/variable.ts';

/** `connect`: nothing was said, a connection is enough. */
export type CheckType =
  | 'connect'
  | 'tcp'
  | 'http'
  | 'ssl-hello'
  | 'smtp'
  | 'mysql'
  | 'pgsql'
  | 'redis'
  | 'ldap'
  | 'spop'
  | 'external'
  | 'agent';

/** How servers are checked: steps done one after the other, each as good as the last, until one fails. */
export interface Check {
  readonly type: CheckType;
  /** Empty for `external`. The first one is always a `connect`, but for variables that are set before it. */
  readonly steps: readonly CheckStep[];
  /** HTTP: a server that answers 404 gets no new users. */
  readonly disableOn404: boolean;
  /** HTTP: requests tell the server its state. */
  readonly sendState: boolean;
  /** The program of an external check; null for the others. */
  readonly external: ExternalCheck | null;
}

interface ExternalCheck {
  readonly command: string;
  /** Value of its PATH; '' = the default. */
  readonly path: string;
}

export type CheckStep = ConnectStep | SendStep | RequestStep | ExpectStep | VariableStep;

/** A text, or a format that is evaluated each time. */
export type CheckValue = string | Format;

interface AnyStep {
  /** Its number in messages; 0 = it was not written. */
  readonly id: number;
  readonly comment: string;
}

export interface ConnectStep extends AnyStep {
  readonly kind: 'connect';
  /** 0 and null = where the server line says. */
  readonly port: number;
  readonly address: Address | null;
  readonly sendProxy: boolean;
  readonly viaSocks4: boolean;
  /** Ends with FIN, not RST. */
  readonly linger: boolean;
  /** Over TLS; with the name that is sent ('' = none) and the protocols that are offered. */
  readonly tls: boolean;
  readonly sni: string;
  readonly alpn: readonly string[];
  /** What the server line says (PROXY header, SOCKS, TLS) holds too. */
  readonly asServer: boolean;
}

export interface SendStep extends AnyStep {
  readonly kind: 'send';
  readonly bytes: Uint8Array | Format;
  /** What the format gives is hexadecimal. */
  readonly hex: boolean;
}

/** Sets a variable, or forgets it. */
export interface VariableStep extends AnyStep {
  readonly kind: 'variable';
  readonly variable: Variable;
  readonly conditions: readonly string[];
  readonly value: Expression | Format | null;
}

/** One HTTP request. */
export interface RequestStep extends AnyStep {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: CheckValue;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: CheckValue])[];
  readonly body: CheckValue;
}

/** What an expectation looks at and how. `mysql-...`, `ldap-bind`, `spop-hello` and `agent` know their protocol. */
export type MatchKind =
  | 'string'
  | 'rstring'
  | 'binary'
  | 'rbinary'
  | 'status'
  | 'rstatus'
  | 'body'
  | 'rbody'
  | 'hdr'
  | 'fhdr'
  | 'mysql-hello'
  | 'mysql-ok'
  | 'ldap-bind'
  | 'spop-hello'
  | 'agent';

export interface ExpectStep extends AnyStep {
  readonly kind: 'expect';
  readonly match: MatchKind;
  readonly negate: boolean;
  /** A text, a regular expression, a list of statuses; `binary`: one character per byte; hdr, fhdr: the value. */
  readonly pattern: CheckValue;
  /** hdr and fhdr only. */
  readonly header: HeaderMatch | null;
  /** Bytes without which nothing is decided; -1 = none, and a mismatch waits for more. */
  readonly minRecv: number;
  /** Names of check statuses; '' = the usual one. */
  readonly okStatus: string;
  readonly errorStatus: string;
  readonly toutStatus: string;
  readonly onSuccess: CheckText | null;
  readonly onError: CheckText | null;
  /** The status code is the number that the response begins with. */
  readonly codeFromResponse: boolean;
  /** The status code is what this finds; null = the usual one. */
  readonly statusCode: Expression | null;
}

export type MatchMethod = 'str' | 'beg' | 'end' | 'sub' | 'reg';

export interface HeaderMatch {
  readonly name: CheckValue;
  readonly nameMethod: MatchMethod;
  /** null = any value (`pattern` means nothing). */
  readonly valueMethod: MatchMethod | null;
}

/** What a check says: a text, a format, or a piece of the response from a byte on to the end of the line or to a zero byte. */
export type CheckText = { readonly text: CheckValue } | { readonly responseFrom: number };
