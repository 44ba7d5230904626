/** XML that strangers send, read piece by piece: nothing of it is kept but what the handler keeps. */
import { SaxesParser } from 'saxes';

export interface XmlHandler {
  /** Names without their prefix: `response` of `<d:response>`. */
  readonly open?: (name: string, attributes: Readonly<Record<string, string>>) => void;
  readonly close?: (name: string) => void;
  /** Text with its entities resolved, or what a CDATA section holds; a text may come in several pieces. */
  readonly text?: (text: string) => void;
}

export interface XmlLimits {
  /** Elements within each other. */
  readonly depth: number;
  /** Elements, attributes, texts and comments in all. */
  readonly parts: number;
  /** Characters without an end: one text, one tag, one comment. */
  readonly piece: number;
}

export class XmlError extends Error {
  override readonly name = 'XmlError';
  /** `cut`: it ends too early; `broken`: it is no XML, or has a document type; `too much`: beyond a limit. */
  readonly reason: 'cut' | 'broken' | 'too much';

  constructor(reason: XmlError['reason'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

export interface XmlReader {
  /** UTF-8. Throws XmlError, and whatever the handler throws. */
  write(piece: Uint8Array): void;
  /** Throws XmlError where the document is not whole. */
  end(): void;
}

/** Characters that are looked at at once. */
const SLICE = 65_536;

/** A reader of one document. A document type is refused: it has no place in the answers of DAV and DICOMweb. */
export function xmlReader(handler: XmlHandler, limits: XmlLimits): XmlReader {
  const decoder = new TextDecoder('utf-8');
  const parser = new SaxesParser({ xmlns: false, position: false });
  const bounds = new Bounds(limits);
  const calls = listen(parser, handler, bounds);
  const feed = (text: string, end: boolean): void => {
    try {
      for (let at = 0; at < text.length; at += SLICE) {
        const slice = text.slice(at, at + SLICE);
        parser.write(slice);
        bounds.more(slice.length);
      }
      if (end) parser.close();
    } catch (error) {
      // what the handler throws is its own
      if (calls.thrown !== undefined || error instanceof XmlError) throw calls.thrown ?? error;
      throw new XmlError(end ? 'cut' : 'broken', end ? 'it is cut off' : 'it is no XML', error);
    }
  };
  return {
    write(piece) {
      feed(decoder.decode(piece, { stream: true }), false);
    },
    end() {
      feed(decoder.decode(), true);
    },
  };
}

/** Passes on what the parser finds; `thrown` is what the handler, or a limit, threw. */
function listen(parser: SaxesParser, handler: XmlHandler, bounds: Bounds): { readonly thrown: unknown } {
  const calls: { thrown: unknown } = { thrown: undefined };
  const run = (work: () => void): void => {
    if (calls.thrown !== undefined) return;
    try {
      work();
    } catch (error) {
      calls.thrown = error;
      throw error;
    }
  };
  parser.on('opentag', ({ name, attributes }) => {
    run(() => {
      bounds.open(1 + Object.keys(attributes).length);
      handler.open?.(local(name), attributes);
    });
  });
  parser.on('closetag', ({ name }) => {
    run(() => {
      bounds.close();
      handler.close?.(local(name));
    });
  });
  for (const kind of ['text', 'cdata'] as const)
    parser.on(kind, (text) => {
      run(() => {
        bounds.count(1);
        handler.text?.(text);
      });
    });
  for (const kind of ['comment', 'processinginstruction'] as const)
    parser.on(kind, () => {
      run(() => {
        bounds.count(1);
      });
    });
  parser.on('doctype', () => {
    run(() => {
      throw new XmlError('broken', 'it has a document type');
    });
  });
  return calls;
}

/** Counts what a document has, and throws where it has too much. */
class Bounds {
  readonly #limits: XmlLimits;
  #depth = 0;
  #parts = 0;
  #unended = 0;

  constructor(limits: XmlLimits) {
    this.#limits = limits;
  }

  open(parts: number): void {
    this.#depth += 1;
    if (this.#depth > this.#limits.depth) throw tooMuch(`elements deeper than ${this.#limits.depth}`);
    this.count(parts);
  }

  close(): void {
    this.#depth -= 1;
    this.#unended = 0;
  }

  /** So many parts have come to their end. */
  count(parts: number): void {
    this.#unended = 0;
    this.#parts += parts;
    if (this.#parts > this.#limits.parts) throw tooMuch(`more than ${this.#limits.parts} parts`);
  }

  /** So many characters more; where nothing among them ended, they belong to one piece. */
  more(characters: number): void {
    this.#unended += characters;
    if (this.#unended > this.#limits.piece)
      throw tooMuch(`a text or tag of more than ${this.#limits.piece} characters`);
  }
}

const tooMuch = (what: string): XmlError => new XmlError('too much', `it holds ${what}`);

const local = (name: string): string => name.slice(name.indexOf(':') + 1);
