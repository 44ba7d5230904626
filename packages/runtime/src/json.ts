/** JSON in pieces: the text of a long list is never held as a whole. */
import { JSONParser } from '@streamparser/json';
import { messageOf } from '@scanflow/failure';

/**
 * Parses a JSON text. Throws SyntaxError.
 *
 * @param item what becomes of each object of a list that is the whole value, as soon as it has come
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
  item?: (value: unknown) => unknown,
): Promise<unknown> {
  const parser = new JSONParser({ paths: item === undefined ? ['$'] : ['$', '$.*'] });
  let whole: unknown;
  let refused: Error | undefined;
  let thrown: { readonly error: unknown } | undefined;
  parser.onValue = ({ value, key, parent, stack }) => {
    if (stack.length === 0) whole = value;
    else if (item !== undefined && Array.isArray(parent) && isObject(value))
      try {
        parent[Number(key)] = item(value) as never;
      } catch (error) {
        thrown ??= { error };
      }
  };
  parser.onError = (error) => (refused ??= error);
  for await (const piece of pieces) {
    parser.write(piece);
    if (thrown !== undefined) throw thrown.error;
    if (refused !== undefined) break;
  }
  if (refused === undefined && !parser.isEnded) parser.end();
  if (whole === undefined) refused ??= new Error('there is no value');
  if (refused !== undefined) throw new SyntaxError(messageOf(refused), { cause: refused });
  return whole;
}

const isObject = (value: unknown): boolean =>
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
