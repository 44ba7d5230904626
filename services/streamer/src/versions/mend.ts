/** Several files of one image in Orthanc: the order to pull them in, and which one replaces a damaged one. Pure. */
import type { InstanceListing, StoredInstance } from '../ports.ts';
import type { Found } from '../store/look.ts';

const versionOf = ({ version = 0 }: Pick<InstanceListing, 'version'>): number => version;

/** Groups the files by image, each image's latest version first. */
export const newestFirst = (files: readonly InstanceListing[]): InstanceListing[][] =>
  [...Map.groupBy(files, ({ id }) => id).values()].map((group) =>
    group.toSorted((one, other) => versionOf(other) - versionOf(one)),
  );

/**
 * A file that Orthanc cannot serve as it came is mended by a later version of the same image that is stored: that version's
 * entry stands for both. `open`: those that nothing mends.
 */
export function mended<R extends { readonly listing: InstanceListing }>(
  found: Found,
  refused: readonly R[],
): { readonly found: Found; readonly open: readonly R[] } {
  const open: R[] = [];
  const also = new Map<StoredInstance, string[]>();
  const there = Map.groupBy([...found.kept, ...found.images], ({ orthancId }) => orthancId);
  for (const one of refused) {
    const { listing } = one;
    const later = (there.get(listing.id) ?? [])
      .filter((image) => versionOf(image) > versionOf(listing))
      .toSorted((a, b) => versionOf(b) - versionOf(a))
      .at(0);
    if (later === undefined) open.push(one);
    else also.set(later, [...(also.get(later) ?? later.also ?? []), listing.fileUuid]);
  }
  const standing = (image: StoredInstance): StoredInstance => {
    const uuids = also.get(image);
    return uuids === undefined ? image : { ...image, also: uuids };
  };
  return {
    found: { ...found, kept: found.kept.map(standing), images: found.images.map(standing) },
    open,
  };
}
