/** Where a series came from and through what it went, for `series.json`. */
import { failureOf } from '../model/failure.ts';
import type { Orthanc, Origin, Provenance, SeriesRecord, StoredInstance, SystemInfo } from '../ports.ts';
import { VERSION } from '../version.ts';

/**
 * What Orthanc noted of the first of the images that were pulled; nothing where it is gone by now, or not told. The images
 * are there by then: nothing that is only good to know may hold them up. Where it is `needed`, as a destination's rule
 * asks for it, a failure of Orthanc is thrown, to be tried again.
 */
export async function originOf(
  images: readonly StoredInstance[],
  series: string,
  orthanc: Pick<Orthanc, 'origin'>,
  signal: AbortSignal,
  needed = false,
): Promise<Origin> {
  const [first] = images;
  if (first === undefined) return {};
  try {
    return await orthanc.origin(first.orthancId, series, signal);
  } catch (error) {
    if (signal.aborted || (needed && failureOf(error).code !== 'ORTHANC_GONE')) throw error;
    return {};
  }
}

/** The provenance with the increments that these images are. */
export function provenanceOf(
  { provenance: before, updated }: SeriesRecord,
  images: readonly StoredInstance[],
  origin: Origin,
  system: SystemInfo | undefined,
  now: string,
): Provenance {
  const known = before?.increments ?? [];
  const numbers = new Set(images.map(({ increment }) => increment));
  for (const { increment } of known) numbers.delete(increment);
  const fresh = [...numbers]
    .toSorted((a, b) => a - b)
    .map((increment) => {
      const own = images.filter((image) => image.increment === increment);
      const bytes = own.reduce((sum, image) => sum + image.bytes, 0);
      return { increment, images: own.length, bytes, ...origin, stored: now };
    });
  return {
    scanflow: VERSION,
    ...(system === undefined ? versionsOf(before) : { orthanc: system.version }),
    ...(system?.database === undefined ? {} : { orthancDatabase: system.database }),
    begun: before?.begun ?? updated ?? now,
    increments: [...known, ...fresh],
  };
}

/** Orthanc did not answer since the streamer began: what was known of it before. */
const versionsOf = (before: Provenance | undefined): Pick<Provenance, 'orthanc' | 'orthancDatabase'> => ({
  ...(before?.orthanc === undefined ? {} : { orthanc: before.orthanc }),
  ...(before?.orthancDatabase === undefined ? {} : { orthancDatabase: before.orthancDatabase }),
});
