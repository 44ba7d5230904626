/** The splice while a file passes: nothing of it is held but the head that tells where the tag goes. */
import { defined } from '@scanflow/failure/defined';
import { deflating, InflateError, inflating } from './deflated.ts';
import { applyEdits, planSplice, refuse, type Edit, type Refused, type SplicePlan } from './splice.ts';
import type { PrivateTag } from './splice-tag.ts';

/** The first bytes of a file, as `planSplice` and `readAttributes` take them. */
interface FileHead {
  readonly bytes: Uint8Array;
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Length of the whole file in bytes, where known. */
  readonly fileSize?: number;
}

export interface TagStreamOptions {
  readonly fileSize?: number;
  /** The longest head to hold, in bytes; 64 MiB by default. */
  readonly maxHead?: number;
  /** How many bytes a deflated data set may inflate to: 8 GiB by default, twice the longest value there is. */
  readonly maxInflated?: number;
  /** Is shown the head, ever longer, until it asks for no more: how many bytes it needs. */
  readonly look?: (head: FileHead) => number | undefined;
  /** The outcome alone is wanted: the file passes as it is. */
  readonly leave?: boolean;
}

type TagOutcome = { readonly kind: 'tagged' } | { readonly kind: 'already' } | Refused;

/** A deflated file turned out broken with part of it tagged already: start again, and let it pass as it is. */
export class CannotTag extends Error {
  override name = 'CannotTag';
  readonly refusal: Refused;
  constructor(refusal: Refused) {
    super(refusal.message);
    this.refusal = refusal;
  }
}

const MAX_INFLATED = 8 * 1024 ** 3;
const MAX_HEAD = 64 * 1024 * 1024;

type Source = AsyncIterator<Uint8Array>;
type Settled = Exclude<SplicePlan, { kind: 'needMore' }>;

/** One file on its way through. */
export class TagStream {
  readonly #tag: PrivateTag | undefined;
  readonly #options: TagStreamOptions;
  #plan: Settled | undefined;

  /** Without a tag, the file passes as it is. Throws RangeError, while it passes, for a tag that cannot be. */
  constructor(tag: PrivateTag | undefined, options: TagStreamOptions = {}) {
    this.#tag = tag;
    this.#options = options;
  }

  /** Known once the first bytes have come out; undefined without a tag. */
  get outcome(): TagOutcome | undefined {
    return this.#plan?.kind === 'splice' ? { kind: 'tagged' } : this.#plan;
  }

  /** The file's bytes with the tag, or as they are where it is not to be tagged. Throws what `chunks` throws, CannotTag. */
  async *through(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
    const source = chunks[Symbol.asyncIterator]();
    try {
      const head = await this.#gather(source);
      const plan = this.#options.leave === true ? undefined : this.#plan;
      if (plan?.kind === 'splice' && plan.deflatedFrom !== undefined) {
        yield* this.#deflated(head, plan.deflatedFrom, plan.edits, source);
        return;
      }
      if (plan?.kind !== 'splice') yield head;
      else if (head.length <= LARGE) yield applyEdits(head, plan.edits);
      else yield* inPieces(head, plan.edits);
      for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
    } finally {
      await source.return?.();
    }
  }

  /** Reads until all that has to be known of the file is known. */
  async #gather(source: Source): Promise<Uint8Array> {
    const { fileSize } = this.#options;
    let held: Uint8Array[] = [];
    let size = 0;
    let wanted = 0;
    for (let ended = false; ;) {
      const next = await source.next();
      if (next.done === true) ended = true;
      else {
        held.push(next.value);
        size += next.value.length;
      }
      const complete = ended || (fileSize !== undefined && size >= fileSize);
      if (size < wanted && !complete) continue;
      const bytes = held.length === 1 ? (held[0] ?? new Uint8Array()) : Buffer.concat(held);
      held = [bytes];
      const more = this.#look({ bytes, complete, ...defined({ fileSize }) });
      if (more === undefined || ended) return bytes;
      // twice as much each time: the head is walked anew
      wanted = Math.max(more, 2 * size);
    }
  }

  /** How many bytes more are needed. */
  #look(head: FileHead): number | undefined {
    if (this.#tag !== undefined && this.#plan === undefined) {
      const { bytes, complete, fileSize } = head;
      const { maxHead = MAX_HEAD } = this.#options;
      const options = fileSize === undefined ? { maxHead } : { maxHead, fileSize };
      const plan = planSplice(bytes, this.#tag, complete, options);
      if (plan.kind === 'needMore') return plan.atLeast;
      this.#plan = plan;
    }
    return this.#options.look?.(head);
  }

  async *#deflated(
    head: Uint8Array,
    start: number,
    edits: readonly Edit[],
    source: Source,
  ): AsyncGenerator<Uint8Array, void, undefined> {
    yield head.subarray(0, start);
    const inner = edits.map((edit) => ({ ...edit, offset: edit.offset - start }));
    const inflated = inflating(
      following(head.subarray(start), source),
      this.#options.maxInflated ?? MAX_INFLATED,
    );
    try {
      yield* deflating(edited(inflated, inner));
    } catch (error) {
      if (!(error instanceof InflateError)) throw error;
      const refusal = refuse('TAG_INFLATE_FAILED', error.message);
      this.#plan = refusal;
      throw new CannotTag(refusal);
    }
  }
}

/** A head larger than this is not copied once more; a smaller one is better written at once. */
const LARGE = 1024 * 1024;

function* inPieces(head: Uint8Array, edits: readonly Edit[]): Generator<Uint8Array, void, undefined> {
  let from = 0;
  for (const { offset, remove, insert } of edits) {
    yield head.subarray(from, offset);
    yield insert;
    from = offset + remove;
  }
  yield head.subarray(from);
}

async function* following(first: Uint8Array, source: Source): AsyncGenerator<Uint8Array, void, undefined> {
  yield first;
  for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
}

/** Applies edits to what passes; what comes before the last of them is held. */
async function* edited(
  chunks: AsyncIterable<Uint8Array>,
  edits: readonly Edit[],
): AsyncGenerator<Uint8Array, void, undefined> {
  const last = edits.at(-1);
  const needed = last === undefined ? 0 : last.offset + last.remove;
  const held: Uint8Array[] = [];
  let size = 0;
  let done = false;
  for await (const chunk of chunks) {
    if (done) {
      yield chunk;
      continue;
    }
    held.push(chunk);
    size += chunk.length;
    if (size < needed) continue;
    done = true;
    yield applyEdits(Buffer.concat(held), edits);
    held.length = 0;
  }
  if (!done) yield applyEdits(Buffer.concat(held), edits);
}
