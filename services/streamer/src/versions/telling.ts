/** Which of all the files of a series tells where it belongs. Pure. */
import type { InstanceListing } from '../ports.ts';

/** The images that tell where a series belongs. */
export interface TellingImages {
  /** Its first image; where images were sent again, the version that came last of the first of those. */
  readonly first: InstanceListing;
  /** Where only some were sent again: the first of the others. */
  readonly uncorrected?: InstanceListing | undefined;
}

/** What tells of a series, out of all files that Orthanc has of it. */
export function tellingImages(listed: readonly [InstanceListing, ...InstanceListing[]]): TellingImages {
  const files = [...Map.groupBy(listed, ({ id }) => id).values()];
  const corrected = files.find((group) => group.length > 1);
  const [latest] = (corrected ?? []).toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0));
  if (latest === undefined) return { first: listed[0] };
  return { first: latest, uncorrected: files.find((group) => group.length === 1)?.[0] };
}
