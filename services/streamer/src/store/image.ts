/** What the first bytes of an image tell: of the image, and of its series. */
import { number, readAttributes, text } from '@scanflow/dicom';
import type { InstanceBody, InstanceListing, Orthanc } from '@scanflow/orthanc';
import type { Attributes } from '../model/series.ts';
import { failureOf, unlessGone } from '../model/failure.ts';
import { keywordsOf } from './place/layout.ts';
import { ROUTE_KEYWORDS } from './place/route.ts';
import type { Settings } from '../model/settings.ts';
import { JOIN_KEYWORDS } from '../joining/rule.ts';
import type { FirstImages } from '../ledger/rows.ts';

/** Keywords that are read of every series, for the record, the API and the destinations' conditions. */
const SERIES_KEYWORDS = [
  'AccessionNumber',
  'Modality',
  'PatientID',
  'ProtocolName',
  'SeriesDescription',
  'SeriesInstanceUID',
  'SeriesNumber',
  'StudyDescription',
  'StudyID',
  'StudyInstanceUID',
] as const;

/** A head that says nothing within this many bytes is not read further. */
const MAX_HEAD = 64 * 1024 * 1024;

export interface Head {
  readonly bytes: Uint8Array;
  /** The head is the whole file. */
  readonly complete: boolean;
  /** Length of the whole file, where known. */
  readonly fileSize?: number;
}

export interface ImageFacts {
  readonly transferSyntax: string;
  readonly sopClassUid: string;
  /** Those of the keywords that the file has and that can be read. */
  readonly attributes: Attributes;
}

type More = { readonly needMore: number };

/** Reads the attributes; undefined where the file cannot be read that far. */
export function imageFacts(
  { bytes, ...options }: Head,
  keywords: readonly string[],
): { readonly facts: ImageFacts | undefined } | More {
  const result = readAttributes(bytes, ['SOPClassUID', ...keywords], options);
  if (result.kind === 'needMore') return more(result.atLeast, options.complete) ?? { facts: undefined };
  if (result.kind === 'refused') return { facts: undefined };
  const { dataSet, header } = result;
  const attributes = Object.fromEntries(
    keywords.flatMap((keyword) => {
      const value = text(dataSet, keyword) ?? number(dataSet, keyword)?.toString();
      return value === undefined ? [] : [[keyword, value]];
    }),
  );
  // what a C-STORE names, and storage commitment after it (PS3.4 B.2.1)
  const sopClassUid = text(dataSet, 'SOPClassUID') || header.sopClassUid;
  return { facts: { transferSyntax: header.transferSyntax, sopClassUid, attributes } };
}

/** Asking ends with the file and with the limit. */
function more(atLeast: number, complete: boolean): More | undefined {
  return complete || atLeast > MAX_HEAD ? undefined : { needMore: atLeast };
}

interface ReadDeps {
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

/** Reads one image of each of these series. Leaves out a series that Orthanc deleted meanwhile. */
export async function readFirst(
  series: readonly string[],
  deps: FirstImageDeps,
  signal: AbortSignal,
): Promise<FirstImages> {
  const read = new Map<string, Attributes>();
  for (const id of series) {
    const attributes = await unlessGone(firstOf(id, deps, signal));
    if (attributes !== undefined) read.set(id, attributes);
  }
  return read;
}

interface FirstImageDeps {
  readonly orthanc: Orthanc;
  readonly settings: Settings;
}

async function firstOf(
  series: string,
  deps: FirstImageDeps,
  signal: AbortSignal,
): Promise<Attributes | undefined> {
  const [instance] = (await deps.orthanc.series(series, signal)).instances;
  if (instance === undefined) return undefined;
  const first = await deps.orthanc.instance(instance, signal);
  const further = deps.settings.join === undefined ? [] : JOIN_KEYWORDS;
  // a file that Orthanc cannot serve must not block the series behind it
  return readSeries(series, first, deps, signal, further).catch(() =>
    deps.orthanc.seriesTags(series, signal),
  );
}
