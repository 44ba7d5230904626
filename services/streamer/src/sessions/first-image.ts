/** Reads a series' first image, which names its session long before the series is stored. */
import { failureOf } from '../model/failure.ts';
import type { Attributes } from '../store/place/route.ts';
import { JOIN_KEYWORDS } from '../joining/rule.ts';
import type { FirstImages, Orthanc } from '../ports.ts';
import { readSeries } from '../store/place/read-series.ts';
import type { Settings } from '../model/settings.ts';

export interface FirstImageDeps {
  readonly orthanc: Orthanc;
  readonly settings: Settings;
}

/** Reads one image of each of these series. Leaves out a series that Orthanc deleted meanwhile. */
export async function readFirst(
  series: readonly string[],
  deps: FirstImageDeps,
  signal: AbortSignal,
): Promise<FirstImages> {
  const read = new Map<string, Attributes>();
  for (const id of series) {
    const attributes = await firstOf(id, deps, signal);
    if (attributes !== undefined) read.set(id, attributes);
  }
  return read;
}

async function firstOf(
  series: string,
  deps: FirstImageDeps,
  signal: AbortSignal,
): Promise<Attributes | undefined> {
  try {
    const [instance] = (await deps.orthanc.series(series, signal)).instances;
    if (instance === undefined) return undefined;
    const first = await deps.orthanc.instance(instance, signal);
    const further = deps.settings.join === undefined ? [] : JOIN_KEYWORDS;
    // a file that Orthanc cannot serve must not block the series behind it
    return await readSeries(series, first, deps, signal, further).catch(() =>
      deps.orthanc.seriesTags(series, signal),
    );
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}
