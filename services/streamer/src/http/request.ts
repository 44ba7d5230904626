/** Reads what people ask of the API: bodies, the id of a series, who asks. */
import type { Ledger } from '../ledger/tx.ts';
import type { SeriesView } from '../ledger/rows.ts';
import { matching } from '../ledger/views.ts';

/** An error that the API answers with this status and its message. */
export class Answer extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** Finds a series by its ID or the beginning of it. Throws Answer. */
export async function find(id: string, ledger: Ledger): Promise<SeriesView> {
  if (!/^[0-9a-f][0-9a-f-]{3,43}$/.test(id))
    throw new Answer(400, 'expected the id of a series, or at least four characters of its beginning');
  const [series, another] = await ledger.read(matching, id);
  if (series === undefined) throw new Answer(404, `there is no series ${id}`);
  if (another !== undefined && series.id !== id)
    throw new Answer(400, `several series begin with ${id}; give more of the id`);
  return series;
}

/** Throws Answer where the body is no object. */
export function fieldIn(body: unknown, key: string): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw new Answer(400, 'expected a JSON object');
  return (body as Record<string, unknown>)[key];
}

export function textIn(body: unknown, key: string): string | undefined {
  const value = fieldIn(body, key);
  if (value === undefined || typeof value === 'string') return value;
  throw new Answer(400, `expected a text as ${key}`);
}

/** What a person says about an order: 1 to 500 characters in one line. `use`: what becomes of it. `otherwise`: where none is given. */
export function reasonIn(body: unknown, use: string, otherwise?: string): string {
  const reason = textIn(body, 'reason')?.trim() ?? '';
  if (reason === '' && otherwise !== undefined) return otherwise;
  if (reason === '' || reason.length > 500 || /\p{Cc}/u.test(reason))
    throw new Answer(400, `expected a reason: 1 to 500 characters${use === '' ? '' : `; ${use}`}`);
  return reason;
}

/** One of a subject's labels. Throws Answer. */
export function labelIn(body: unknown, name: string, unwanted?: RegExp): string {
  const value = textIn(body, name)?.trim() ?? '';
  if (value === '' || value.length > 64 || unwanted?.test(value) === true)
    throw new Answer(400, `expected ${name}: 1 to 64 characters`);
  return value;
}

/** Who says so is not verified: it is who used this machine's command. */
export function byWhom(body: unknown, from: string): { by: string; from: string } {
  const by = textIn(body, 'by') ?? '';
  return { by: /^[\w.@-]{1,64}$/.test(by) ? by : 'unknown', from };
}

/** Most rows of a page. */
const MOST_ROWS = 10_000;

/** How many rows a page should have: `?limit=`, else `otherwise`. Throws Answer. */
export function rowsOf({ limit }: { readonly limit?: string | undefined }, otherwise: number): number {
  if (limit === undefined) return otherwise;
  if (!/^\d{1,9}$/.test(limit)) throw new Answer(400, `expected limit: a whole number up to ${MOST_ROWS}`);
  return Math.min(Math.max(Number(limit), 1), MOST_ROWS);
}

/** One of these words, where there is any. Throws Answer for another one: what it should leave out would be shown. */
export function oneOf<Word extends string>(
  words: readonly Word[],
  name: string,
  text: string | undefined,
): Word | undefined {
  const found = words.find((one) => one === text);
  if (text !== undefined && found === undefined)
    throw new Answer(400, `expected ${name}: one of ${words.join(', ')}`);
  return found;
}
