/**
 * Kinds of variables of log formats, by what their values are. Each makes a row: the row makes the writer that puts the value
 * into a line; the flags of its item are settled then, so that writing a line asks no questions.
 */
import type { Mode } from '../config/proxy-model.ts';
import { hostText } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import type { Captured } from '../proxy/notes.ts';
import type { Stream } from '../proxy/stream.ts';
import type { ItemFlags } from './format-text.ts';
import { bytesOf, type Line } from './line.ts';
import type { Scene, StreamScene } from './scene.ts';

/** Puts one value into the line. There is a stream when a variable is written. */
export type Write = (line: Line, scene: StreamScene) => void;

/** What an item says, and `partial` = `option logasap`: totals have a `+` before them. */
export interface Flags extends ItemFlags {
  readonly partial: boolean;
  /** The value goes on to an encoder: nothing stands around it. */
  readonly bare?: boolean;
}

/** When a value is known: as the stream begins, when the server has answered (TCP: is connected), at the end. */
export const START = 0;
export const EARLY = 1;
export const END = 2;
export type Moment = typeof START | typeof EARLY | typeof END;

export interface Variable {
  readonly name: string;
  /** 'http' = reserved for HTTP proxies. */
  readonly mode: Mode;
  readonly known: Moment;
  readonly doc: string;
  /** What it is where a line is encoded. */
  readonly type: 'str' | 'sint';
  readonly writer: (flags: Flags) => Write;
  /** A list where a line is encoded: one text per element, '' where nothing was captured. */
  readonly list?: (stream: Stream) => readonly Captured[];
  /** Where there is no stream: what it is of the check, or of the process; undefined = nothing. */
  readonly streamless?: (flags: Flags) => (line: Line, scene: Scene) => void;
}

const QUOTE = 34;
export const DASH = 45;
export const PLUS = 43;
const SPACE = 32;
const BAR = 124;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/** Text of our own: a name from the configuration, or nothing. `alone`: what it is where there is no stream. */
export function text(
  name: string,
  mode: Mode,
  known: Moment,
  doc: string,
  of: (scene: StreamScene) => Uint8Array | null,
  alone?: (scene: Scene) => Uint8Array | null,
): Variable {
  const writer = textWriter(of);
  const row: Variable = { name, mode, known, doc, type: 'str', writer };
  return alone === undefined ? row : { ...row, streamless: textWriter(alone) };
}

function textWriter<S extends Scene>(of: (scene: S) => Uint8Array | null) {
  return ({ quote, escape, mandatory }: Flags) => {
    return (line: Line, scene: S): void => {
      const value = of(scene);
      if (quote) line.byte(QUOTE);
      if (value === null) {
        if (mandatory && !quote) line.byte(DASH);
      } else if (escape) line.escaped(value, 0, value.length);
      else line.raw(value);
      if (quote) line.byte(QUOTE);
    };
  };
}

/** Text of a client: a part of its request line. */
export function sent(
  name: string,
  doc: string,
  write: (line: Line, stream: Stream, escape: boolean) => void,
): Variable {
  const writer = ({ quote, escape }: Flags): Write => {
    return (line, scene) => {
      if (quote) line.byte(QUOTE);
      write(line, scene.stream, escape);
      if (quote) line.byte(QUOTE);
    };
  };
  return { name, mode: 'http', known: EARLY, doc, type: 'str', writer };
}

/**
 * A whole number. `hexDigits`: its width under `+X`; 0 = `+X` does not change it. `digits`: its width otherwise. `alone`: what
 * it is where there is no stream.
 */
export function number(
  name: string,
  mode: Mode,
  known: Moment,
  doc: string,
  of: (scene: StreamScene) => number,
  { hexDigits = 0, digits = 1, alone = () => 0 }: NumberOptions = {},
): Variable {
  const writer = <S extends Scene>(value: (scene: S) => number) => {
    return ({ hex }: Flags) => {
      if (hex && hexDigits > 0) return (line: Line, scene: S): void => line.hex(value(scene), hexDigits);
      return (line: Line, scene: S): void => line.number(value(scene), digits);
    };
  };
  return { name, mode, known, doc, type: 'sint', writer: writer(of), streamless: writer(alone) };
}

interface NumberOptions {
  readonly hexDigits?: number;
  readonly digits?: number;
  /** What it is where there is no stream. */
  readonly alone?: (scene: Scene) => number;
}

/** A number that still grows when the line is written early. */
export function growing(name: string, mode: Mode, doc: string, of: (stream: Stream) => number): Variable {
  const writer = ({ partial }: Flags): Write => {
    return (line, scene) => {
      if (partial) line.byte(PLUS);
      line.number(of(scene.stream));
    };
  };
  return { name, mode, known: END, doc, type: 'sint', writer, streamless: () => line => line.number(0) };
}

/** A date in one of the forms of log lines; where there is no stream that of now. `of`: milliseconds since the epoch. */
export function date(
  name: string,
  mode: Mode,
  doc: string,
  form: 'utc' | 'local' | 'millis',
  of: (scene: StreamScene) => number,
): Variable {
  return {
    ...{ name, mode, known: START, doc, type: 'str' },
    writer: () => (line, scene) => scene.dates[form](line, of(scene)),
    streamless: () => (line, scene) => scene.dates[form](line, scene.wall()),
  };
}

export function address(name: string, known: Moment, doc: string, of: (stream: Stream) => Address | null): Variable {
  const writer = ({ quote, hex, mandatory }: Flags): Write => {
    return (line, scene) => {
      const value = of(scene.stream);
      if (quote) line.byte(QUOTE);
      if (value !== null) writeAddress(line, value, hex);
      else if (mandatory && !quote) line.byte(DASH);
      if (quote) line.byte(QUOTE);
    };
  };
  return { name, mode: 'tcp', known, doc, type: 'str', writer };
}

const UNIX = bytesOf('unix');
const DOT = 46;

function writeAddress(line: Line, { family, bytes }: Address, hex: boolean): void {
  if (family === 1) line.raw(UNIX);
  else if (hex) for (let i = 0; i < bytes.length; i++) line.hex(bytes[i]!, 2);
  else if (family === 6) line.raw(bytesOf(hostText({ family, bytes, port: 0 })));
  else {
    for (let i = 0; i < 4; i++) {
      if (i > 0) line.byte(DOT);
      line.number(bytes[i]!);
    }
  }
}

/** A port; of a unix socket the number of the listener. */
export function port(name: string, known: Moment, doc: string, of: (stream: Stream) => Address | null): Variable {
  const writer = ({ hex, mandatory }: Flags): Write => {
    return (line, { stream }) => {
      const value = of(stream);
      if (value === null) {
        if (mandatory) line.byte(DASH);
      } else if (value.family === 1) line.number(stream.session.listener.bind.id);
      else if (hex) line.hex(value.port, 4);
      else line.number(value.port);
    };
  };
  return { name, mode: 'tcp', known, doc, type: 'sint', writer };
}

/** A value that `capture cookie` keeps: as it came, also where other text of clients is encoded. */
export function captured(name: string, doc: string, of: (stream: Stream) => Captured): Variable {
  const writer = ({ quote, escape, mandatory }: Flags): Write => {
    return (line, { stream }) => {
      const value = of(stream);
      if (quote) line.byte(QUOTE);
      if (value === null) {
        if (mandatory && !quote) line.byte(DASH);
      } else if (escape) line.escaped(value, 0, value.length);
      else line.raw(value);
      if (quote) line.byte(QUOTE);
    };
  };
  return { name, mode: 'http', known: EARLY, doc, type: 'str', writer };
}

/**
 * The slots of captures: `{a|b}`, in quotes with `+Q`; or in CLF a list of which each has its quotes, and without them `-` where
 * nothing was captured. Nothing at all when the frontend has none.
 */
export function captures(
  name: string,
  doc: string,
  clf: boolean,
  of: (stream: Stream) => readonly Captured[],
): Variable {
  const writer = ({ quote, escape }: Flags): Write => {
    return (line, { stream }) => {
      const slots = of(stream);
      if (slots.length === 0) return;
      if (quote && !clf) line.byte(QUOTE);
      if (!clf) line.byte(OPEN_BRACE);
      for (let i = 0; i < slots.length; i++) {
        if (i > 0) line.byte(clf ? SPACE : BAR);
        if (quote && clf) line.byte(QUOTE);
        const value = slots[i];
        if (value != null) line.header(value, escape);
        else if (clf && !quote) line.byte(DASH);
        if (quote && clf) line.byte(QUOTE);
      }
      if (!clf) line.byte(CLOSE_BRACE);
      if (quote && !clf) line.byte(QUOTE);
    };
  };
  const row: Variable = { name, mode: 'tcp', known: EARLY, doc, type: 'str', writer };
  return clf ? { ...row, list: of } : row;
}
