/** What a series says of itself, read from one of its images. */
import { failureOf } from '../../model/failure.ts';
import { imageFacts, SERIES_KEYWORDS } from '../image.ts';
import { keywordsOf } from './layout.ts';
import { ROUTE_KEYWORDS, type Attributes } from './route.ts';
import type { InstanceBody, InstanceListing, Orthanc } from '../../ports.ts';
import type { Settings } from '../../model/settings.ts';

export interface ReadDeps {
  readonly orthanc: Pick<Orthanc, 'open' | 'seriesTags'>;
  readonly settings: Settings;
}

/** Keywords that have to be read of the first image. */
export function seriesKeywords({ route: rules, layout, unmatched, homes = [], copy }: Settings): string[] {
  const labels = new Set(['project', 'subject', 'session']);
  const all = [
    ...SERIES_KEYWORDS,
    ...ROUTE_KEYWORDS,
    ...Object.keys(rules.patterns),
    ...keywordsOf(layout),
    ...(unmatched === undefined ? [] : keywordsOf(unmatched)),
    ...homes.flatMap((home) => keywordsOf(home.layout)),
    ...(copy === undefined ? [] : keywordsOf(copy)),
  ];
  return [...new Set(all.filter((keyword) => !labels.has(keyword)))];
}

/** From the first image's own bytes: Orthanc's database loses characters. Only where they tell nothing, from it. */
export async function readSeries(
  series: string,
  first: InstanceListing,
  { orthanc, settings }: ReadDeps,
  signal: AbortSignal,
  further: readonly string[] = [],
): Promise<Attributes> {
  const keywords = [...new Set([...seriesKeywords(settings), ...further])];
  try {
    const read = await attributesOf(await orthanc.open(first, signal), keywords);
    if (read !== undefined) return read;
  } catch (error) {
    // a file that cannot be read to its end shows again when it is pulled; a series is known by its database too
    if (signal.aborted || failureOf(error).code !== 'ORTHANC_TRUNCATED') throw error;
  }
  return { ...(await orthanc.seriesTags(series, signal)), ...first.tags };
}

/** What the first bytes of an image tell; undefined where they tell nothing. */
export async function attributesOf(
  { bytes, chunks }: Pick<InstanceBody, 'bytes' | 'chunks'>,
  keywords: readonly string[],
): Promise<Attributes | undefined> {
  const parts: Uint8Array[] = [];
  let held = 0;
  let wanted = 0;
  for await (const chunk of chunks) {
    parts.push(chunk);
    held += chunk.length;
    if (held < wanted) continue;
    const head = { bytes: Buffer.concat(parts), complete: held >= bytes, fileSize: bytes };
    const read = imageFacts(head, keywords);
    if (!('needMore' in read)) return read.facts?.attributes;
    wanted = Math.max(read.needMore, 2 * held);
  }
  return undefined;
}
