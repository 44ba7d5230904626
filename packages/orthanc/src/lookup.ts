/** Which images a study or series in Orthanc has, by Orthanc's identifier or by UID. */
import { codeOf } from '@scanflow/failure';
import type { OrthancClient } from './client.ts';
import { unclear } from './faults.ts';

export type Level = 'study' | 'series';

export interface RemoteSeries {
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly studyId: string;
  readonly seriesNumber: number | undefined;
  readonly seriesDescription: string;
  /** When an image last came; undefined where Orthanc does not say. */
  readonly updated: string | undefined;
  /** Orthanc's identifiers. */
  readonly instances: readonly string[];
}

export interface RemoteResource {
  /** Such as `/studies/9f293fd9-…`. */
  readonly path: string;
  readonly series: readonly RemoteSeries[];
}

const ORTHANC_ID = /^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/;
const UID = /^[0-9][0-9.]{0,63}$/;

export const isName = (name: string): boolean => ORTHANC_ID.test(name) || UID.test(name);

/**
 * Everything of that name: several, where one UID stands under several patients; none, where Orthanc does not have it.
 * Throws FailureError ORTHANC_….
 */
export async function findImages(
  client: OrthancClient,
  level: Level,
  name: string,
  signal: AbortSignal,
): Promise<RemoteResource[]> {
  const ids = ORTHANC_ID.test(name) ? [name] : await lookUp(client, level, name, signal);
  const found = await Promise.all(ids.map((id) => resource(client, level, id, signal)));
  return found.flatMap((one) => one ?? []);
}

async function lookUp(
  client: OrthancClient,
  level: Level,
  uid: string,
  signal: AbortSignal,
): Promise<string[]> {
  const answer = list(await client.json('/tools/lookup', signal, uid)).map(object);
  return answer
    .filter(({ Type: type }) => type === (level === 'study' ? 'Study' : 'Series'))
    .map(({ ID: id }) => identifier(id));
}

async function resource(
  client: OrthancClient,
  level: Level,
  id: string,
  signal: AbortSignal,
): Promise<RemoteResource | undefined> {
  const path = level === 'study' ? `/studies/${id}` : `/series/${id}`;
  const ask = (rest = ''): Promise<unknown> => client.json(`${path}${rest}`, signal);
  try {
    const own = object(await ask());
    const study = level === 'study' ? own : object(await ask('/study'));
    const series = level === 'study' ? list(await ask('/series')).map(object) : [own];
    const all = series.map((one) => seriesOf(one, tags(study)));
    return { path, series: all.sort((a, b) => (a.seriesNumber ?? 0) - (b.seriesNumber ?? 0)) };
  } catch (error) {
    // not there, or deleted between two questions
    if (codeOf(error) === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}

function seriesOf(series: Record<string, unknown>, study: Tags): RemoteSeries {
  const own = tags(series);
  const number = Number.parseInt(own['SeriesNumber'] ?? '', 10);
  return {
    seriesInstanceUid: own['SeriesInstanceUID'] ?? '',
    studyInstanceUid: study['StudyInstanceUID'] ?? '',
    studyId: study['StudyID'] ?? '',
    seriesNumber: Number.isNaN(number) ? undefined : number,
    seriesDescription: own['SeriesDescription'] ?? '',
    updated: typeof series['LastUpdate'] === 'string' ? series['LastUpdate'] : undefined,
    instances: list(series['Instances']).map(identifier),
  };
}

type Tags = Readonly<Record<string, string>>;

const tags = ({ MainDicomTags: main }: Record<string, unknown>): Tags =>
  Object.fromEntries(
    Object.entries(object(main)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string' && entry[1] !== '',
    ),
  );

/** An identifier goes into a path, so it must look like one. */
function identifier(value: unknown): string {
  if (typeof value !== 'string' || !ORTHANC_ID.test(value)) throw unclear('an identifier of a strange form');
  return value;
}

function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unclear('an object was expected');
  return value as Record<string, unknown>;
}

function list(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw unclear('a list was expected');
  return value;
}
