/**
 * The images of one sending. A carrier gets files as they are stored, or with the tag spliced in while they are sent; then the
 * tally: what became of each, and which go first the next time.
 */
import { createHash } from 'node:crypto';
import { readBounded } from '@scanflow/runtime';
import { CannotTag, fileLayout, planSplice, privateTagOf, TagStream, type PrivateTag } from '@scanflow/dicom';
import type { Look, LookedAt, StoreItem } from '@scanflow/dimse';
import { type Failure, permanent } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';
import type { SeriesRecord, Store, StoredInstance } from '../store/types.ts';
import type { OriginalImage, SendItem, SendOutcome } from './types.ts';
import type { LegWork, Progress } from '../ledger/rows.ts';

/** One item for each image; the tag is the one that the series' record names, so that each attempt sends the same. */
export async function* itemsOf(
  todo: readonly StoredInstance[],
  { tag: recorded }: SeriesRecord,
  work: LegWork,
  store: Store,
): AsyncGenerator<SendItem> {
  const whole = recorded === undefined ? undefined : privateTagOf(recorded);
  const tag = recorded?.apply === 'forwarded' ? whole : undefined;
  for (const image of todo) {
    const { file, sha256, transferSyntax } = image;
    const original = originalOf(image, whole);
    const item = { id: file, path: store.pathOf(work.path, file), sha256, original };
    // one that cannot be tagged goes as it came, and the record says why
    if (tag === undefined || image.tagged || image.untagged !== undefined) yield item;
    else if (fileLayout(transferSyntax) === 'deflated')
      yield { ...(await deflatedItem(item, tag)), original };
    else yield { ...item, look: (looked) => splice(looked, tag) };
  }
}

/** Whatever the stored one carries, Orthanc's is without the tag; where it could not be put in, it cannot be now. */
const originalOf = (
  { orthancId, fileUuid, sopClassUid, sopInstanceUid, untagged, version }: StoredInstance,
  tag: PrivateTag | undefined,
): OriginalImage | undefined => {
  // Orthanc transcodes an instance's own file, not what is kept beside it
  if (version !== undefined) return undefined;
  // a data set that came without file meta information: nothing says what a copy would have to be
  if (sopClassUid === '' || sopInstanceUid === '') return undefined;
  const look = tag === undefined || untagged !== undefined ? {} : { look: spliceOf(tag) };
  return { orthancId, fileUuid, sopClassUid, sopInstanceUid, ...look };
};

const spliceOf =
  (tag: PrivateTag) =>
  (looked: LookedAt): Look =>
    splice(looked, tag);

const MAX_HEAD = 64 * 1024 * 1024;

function splice({ head, complete, size }: LookedAt, tag: PrivateTag): Look {
  const plan = planSplice(head, tag, complete, { fileSize: size, maxHead: MAX_HEAD });
  switch (plan.kind) {
    case 'splice':
      return { edits: plan.edits };
    case 'already':
      return { edits: [] };
    case 'needMore':
      return { needMore: plan.atLeast };
    case 'refused':
      return { failure: untaggable(plan.message) };
  }
}

const untaggable = (why: string): Failure =>
  permanent(
    'FORWARD_UNTAGGABLE',
    `An image was not sent: it cannot get the tag now, although it could when it was stored. ${why}`,
  );

/** What a deflated file may have on disk: it is inflated and deflated anew, and held for that. */
const MAX_DEFLATED = 64 * 1024 * 1024;

async function deflatedItem(
  item: StoreItem & { readonly path: string; readonly sha256: string },
  tag: PrivateTag,
): Promise<StoreItem> {
  const refused = (failure: Failure): StoreItem => ({ ...item, look: () => ({ failure }) });
  let stored: Uint8Array;
  try {
    stored = await readBounded(item.path, MAX_DEFLATED);
  } catch {
    // sending it meets the same, and says so
    return item;
  }
  if (stored.length > MAX_DEFLATED)
    return refused(untaggable('It is deflated and larger than 64 MiB; use tag.apply: stored+forwarded.'));
  if (createHash('sha256').update(stored).digest('hex') !== item.sha256)
    return refused(permanent('FILE_CHANGED', 'The file has changed: it has another SHA-256.'));
  const stream = new TagStream(tag, { fileSize: stored.length });
  try {
    const bytes = Buffer.concat(await Array.fromAsync(stream.through(once(stored))));
    return { id: item.id, bytes };
  } catch (error) {
    if (!(error instanceof CannotTag)) throw error;
    return refused(untaggable(error.message));
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield await Promise.resolve(bytes);
}

/** What became of the instances of one attempt. */
export class Tally {
  sent = 0;
  warnings = 0;
  /** Why the first of those that were not sent, and may be, was not. */
  left: Failure | undefined;
  /** How long the destination wants to be left alone, in milliseconds. */
  askedMs = 0;
  /** Why the first of those that were given up was. */
  refused: Failure | undefined;
  /** Some were not sent because it is not the time for it. */
  paused = false;
}

/** The row to record; undefined if the instance has to be tried again. */
export function judge(outcome: SendOutcome, tally: Tally): Progress | undefined {
  switch (outcome.result) {
    case 'sent':
      tally.sent += 1;
      return {
        instance: outcome.id,
        outcome: 'done',
        detail: '',
        ...defined({ transcoded: outcome.transcoded }),
      };
    case 'warning':
      tally.sent += 1;
      tally.warnings += 1;
      return {
        instance: outcome.id,
        outcome: 'done',
        detail: outcome.meaning,
        ...defined({ transcoded: outcome.transcoded }),
      };
    case 'failed': {
      const { failure } = outcome;
      if (failure.code === 'SEND_HELD') {
        tally.paused = true;
        return undefined;
      }
      if (failure.kind !== 'permanent') {
        tally.left ??= failure;
        return undefined;
      }
      tally.refused ??= failure;
      return { instance: outcome.id, outcome: 'failed', detail: JSON.stringify(failure) };
    }
  }
}

export function failureIn(progress: readonly Progress[]): Failure | undefined {
  const refused = progress.find(({ outcome }) => outcome === 'failed');
  return refused === undefined ? undefined : (JSON.parse(refused.detail) as Failure);
}

/**
 * What stood in the way last time is at the front: it goes behind the others, one place more with each attempt that
 * got nowhere. So an image at which a destination always breaks off keeps no other from being sent.
 */
export function inTurn<T>(items: readonly T[], attempts: number): readonly T[] {
  const from = items.length === 0 ? 0 : attempts % items.length;
  return [...items.slice(from), ...items.slice(0, from)];
}
