/** Picks the files of a series that decide where it belongs. Pure. */
import type { InstanceListing } from '../ports.ts';

/** The images that decide where a series belongs. */
export interface TellingImages {
  /** Its first image; if images were sent again, the latest version of the first of those. */
  readonly first: InstanceListing;
  /** If only some were sent again: the first of the others. */
  readonly uncorrected?: InstanceListing | undefined;
}

/** Picks them from all files that Orthanc has of the series. */
export function tellingImages(listed: readonly [InstanceListing, ...InstanceListing[]]): TellingImages {
  const files = [...Map.groupBy(listed, ({ id }) => id).values()];
  const corrected = files.find((group) => group.length > 1);
  const [latest] = (corrected ?? []).toSorted((a, b) => (b.version ?? 0) - (a.version ?? 0));
  if (latest === undefined) return { first: listed[0] };
  return { first: latest, uncorrected: files.find((group) => group.length === 1)?.[0] };
}
