/** `series.json`: how it grows. */
import { createHash } from 'node:crypto';

/** What of an image decides how the record grows. */
export interface Entry {
  readonly orthancId: string;
  readonly fileUuid: string;
  readonly sopInstanceUid: string;
  readonly file: string;
  readonly sha256: string;
  readonly increment: number;
  readonly differsFrom?: string;
}

/**
 * The record's entries with those that were pulled. The same file with the same bytes is the same entry, whatever
 * copy of Orthanc's it came from; the same SOP Instance UID with other bytes is kept beside the first and says so.
 */
export function grown<E extends Entry>(known: readonly E[], pulled: readonly E[]): E[] {
  const byFile = new Map(known.map((entry) => [entry.file, entry]));
  const firsts = new Map<string, E>();
  for (const entry of known) if (!firsts.has(entry.sopInstanceUid)) firsts.set(entry.sopInstanceUid, entry);
  for (const entry of pulled) {
    const same = byFile.get(entry.file);
    if (same !== undefined && same.sha256 === entry.sha256) {
      byFile.set(entry.file, { ...same, fileUuid: entry.fileUuid, orthancId: entry.orthancId });
      continue;
    }
    const first = entry.sopInstanceUid === '' ? undefined : firsts.get(entry.sopInstanceUid);
    if (first === undefined) firsts.set(entry.sopInstanceUid, entry);
    byFile.set(entry.file, first === undefined ? entry : { ...entry, differsFrom: first.file });
  }
  return [...byFile.values()];
}

/** An image as Orthanc lists it, or as the record names it. */
type Named = { readonly fileUuid: string } & ({ readonly id: string } | { readonly orthancId: string });

/** The same for an image and for the entry that it became. Other bytes under its id have another. */
export const keyOf = (named: Named): string =>
  `${'id' in named ? named.id : named.orthancId} ${named.fileUuid}`;

/** Instances that the record does not account for. */
export function missing<L extends { readonly id: string; readonly fileUuid: string }>(
  listed: readonly L[],
  known: readonly Pick<Entry, 'orthancId' | 'fileUuid'>[],
): L[] {
  const accounted = new Set(known.map(keyOf));
  return listed.filter((listing) => !accounted.has(keyOf(listing)));
}

/** Images of which neither file nor a copy under another name is there: an image that was sent again is not gone. */
export function stillGone<
  E extends Pick<Entry, 'sopInstanceUid'> & { readonly original: { readonly md5: string } },
>(gone: readonly E[], there: readonly E[]): E[] {
  const bytesOf = ({ sopInstanceUid, original }: E): string => `${sopInstanceUid} ${original.md5}`;
  const found = new Set(there.map(bytesOf));
  return [...new Map(gone.map((image) => [bytesOf(image), image])).values()].filter(
    (image) => !found.has(bytesOf(image)),
  );
}

/** One text for a set of instances, to tell whether it is still the same. */
export function digestOf(instances: readonly string[]): string {
  return createHash('sha256')
    .update([...instances].sort().join('\n'))
    .digest('base64url');
}
