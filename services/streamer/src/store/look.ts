/** What the record and the ledger say of a series' images, compared with the files that are there. */
import { stillGone } from './record.ts';
import type { Folder, Store, StoredInstance } from '../ports.ts';

export interface Found {
  /** Images of the record whose files are there. */
  readonly kept: readonly StoredInstance[];
  /** Images that the record does not name yet, and whose files are there. */
  readonly images: readonly StoredInstance[];
  /** Images that were stored, and whose files are not there. */
  readonly gone: readonly StoredInstance[];
}

/** How many images were stored before, by the ledger's count, of which neither file nor entry is left. */
export const lostOf = (stored: number, { kept, images, gone }: Found, failed = 0): number =>
  Math.max(0, stored - kept.length - images.length - gone.length - failed);

/**
 * @param images what was pulled, now or by an attempt that was interrupted
 * @param recorded entries of the record; all of them, and those that it calls missing, where left out
 */
export async function lookAt(
  { below, record }: Folder,
  images: readonly StoredInstance[],
  store: Pick<Store, 'absent'>,
  recorded: readonly StoredInstance[] = [...record.instances, ...(record.missing ?? [])],
): Promise<Found> {
  const absent = await store.absent(below, [...recorded, ...images]);
  const isThere = (image: StoredInstance): boolean => !absent.has(image);
  const kept = recorded.filter(isThere);
  const found = images.filter(isThere);
  const gone = [...recorded, ...images].filter((image) => !isThere(image));
  return { kept, images: found, gone: stillGone(gone, [...kept, ...found]) };
}
