/** JSON that comes in pieces. A long list of objects is parsed object by object: its text is never held as a whole. */

type Item = (value: unknown) => unknown;

/**
 * Parses a JSON text. Objects of a list are parsed as they come, if the list is the whole value or one property of it.
 * Throws SyntaxError.
 *
 * @param item what becomes of each of these objects; default: it stays as it is
 * @example
 * ```ts
 * import { readJson } from '@scanflow/runtime/json';
 *
 * const pieces = ['[{"id": 1}, {"i', 'd": 2}]'].map((piece) => Buffer.from(piece));
 * await readJson(pieces, (one) => (one as { id: number }).id); // → [1, 2]
 * ```
 */
export async function readJson(
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  item: Item = (value) => value,
): Promise<unknown> {
  const reader = new Pieces(item);
  for await (const piece of pieces)
    reader.take(Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength));
  return reader.end();
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [LIST, LIST_END, OBJECT, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d];

/** Stands in the frame for an object that was parsed. No other object is left in these lists. */
interface Place {
  readonly place: number;
}

class Pieces {
  readonly #item: Item;
  readonly #items: unknown[] = [];
  /** The text without the objects of its lists. */
  #frame = '';
  /** The beginning of what is not decoded yet, from earlier pieces. */
  #begun: Buffer[] = [];
  #depth = 0;
  /** What the two outermost levels are: `[` or `{`. */
  readonly #outer: [number, number] = [0, 0];
  /** Depth at which the current object of a list began; 0: there is none. */
  #within = 0;
  #inString = false;
  #escaped = false;

  constructor(item: Item) {
    this.#item = item;
  }

  take(piece: Buffer): void {
    let from = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const byte = piece[at] ?? 0;
      if (this.#inString) this.#stringByte(byte);
      else if (byte === QUOTE) this.#inString = true;
      else if (byte === OBJECT || byte === LIST) {
        if (this.#begins(byte)) {
          this.#frame += this.#decoded(piece, from, at);
          from = at;
        }
      } else if ((byte === OBJECT_END || byte === LIST_END) && this.#ends()) {
        this.#add(this.#decoded(piece, from, at + 1));
        from = at + 1;
      }
    }
    // a copy: whoever reads may use the piece again
    if (from < piece.length) this.#begun.push(Buffer.from(piece.subarray(from)));
  }

  /** One level deeper. Whether an object of a list begins with it. */
  #begins(byte: number): boolean {
    const begins = byte === OBJECT && this.#within === 0 && this.#isInList();
    if (this.#depth < 2) this.#outer[this.#depth] = byte;
    this.#depth += 1;
    if (begins) this.#within = this.#depth;
    return begins;
  }

  /** One level up. Whether an object of a list ends with it. */
  #ends(): boolean {
    this.#depth -= 1;
    if (this.#within === 0 || this.#depth >= this.#within) return false;
    this.#within = 0;
    return true;
  }

  end(): unknown {
    const whole: unknown = JSON.parse(this.#frame + this.#decoded(Buffer.alloc(0), 0, 0));
    if (Array.isArray(whole)) return this.#filled(whole);
    if (typeof whole !== 'object' || whole === null) return whole;
    return Object.fromEntries(
      Object.entries(whole).map(([key, value]) => [key, Array.isArray(value) ? this.#filled(value) : value]),
    );
  }

  #stringByte(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === BACKSLASH) this.#escaped = true;
    else if (byte === QUOTE) this.#inString = false;
  }

  #isInList(): boolean {
    const [first, second] = this.#outer;
    return this.#depth === 1 ? first === LIST : this.#depth === 2 && first === OBJECT && second === LIST;
  }

  /** Text up to here, with what earlier pieces had of it. */
  #decoded(piece: Buffer, from: number, to: number): string {
    if (this.#begun.length === 0) return piece.toString('utf8', from, to);
    const all = Buffer.concat([...this.#begun, piece.subarray(from, to)]);
    this.#begun = [];
    return all.toString('utf8');
  }

  #add(text: string): void {
    this.#items.push(this.#item(JSON.parse(text)));
    const place: Place = { place: this.#items.length - 1 };
    this.#frame += JSON.stringify(place);
  }

  #filled(list: readonly unknown[]): unknown[] {
    return list.map((one) => (isPlace(one) ? this.#items[one.place] : one));
  }
}

const isPlace = (value: unknown): value is Place =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Pieces are joined up to so many characters. */
const PIECE = 64 * 1024;

/**
 * The text of `JSON.stringify(value, null, 1)` with a line's end behind it, in pieces: lists of the value come object by
 * object.
 */
export function* jsonPieces(value: object): Generator<string, void, undefined> {
  let piece = '';
  for (const part of parts(value)) {
    piece += part;
    if (piece.length < PIECE) continue;
    yield piece;
    piece = '';
  }
  yield piece;
}

function* parts(value: object): Generator<string, void, undefined> {
  let before = '{\n ';
  for (const [key, one] of Object.entries(value) as [string, unknown][]) {
    if (one === undefined) continue;
    yield `${before}${JSON.stringify(key)}: `;
    before = ',\n ';
    if (Array.isArray(one) && one.length > 0) yield* listParts(one);
    else yield indented(one, 1);
  }
  yield before === '{\n ' ? '{}\n' : '\n}\n';
}

function* listParts(list: readonly unknown[]): Generator<string, void, undefined> {
  let before = '[\n  ';
  for (const one of list) {
    yield `${before}${indented(one ?? null, 2)}`;
    before = ',\n  ';
  }
  yield '\n ]';
}

/** No string of JSON has a line's end in it. */
const indented = (value: unknown, by: number): string =>
  JSON.stringify(value, null, 1).replaceAll('\n', `\n${' '.repeat(by)}`);
