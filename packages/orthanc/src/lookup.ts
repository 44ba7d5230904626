/** Which images a study or series has, by Orthanc's identifier or by UID. */
import { codeOf } from '@scanflow/failure';
import { array, attributes, id, isId, object, text, type Tags } from './answers.ts';
import type { OrthancClient } from './client.ts';

export type Level = 'study' | 'series';

export interface RemoteSeries {
  /** Orthanc's identifier. */
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly studyId: string;
  readonly seriesNumber: number | undefined;
  readonly seriesDescription: string;
  /** When an image last came; undefined if Orthanc does not say. */
  readonly updated: string | undefined;
  /** Orthanc's identifiers. */
  readonly instances: readonly string[];
}

export interface RemoteResource {
  /** Such as `/studies/9f293fd9-…`. */
  readonly path: string;
  readonly series: readonly RemoteSeries[];
}

const UID = /^[0-9][0-9.]{0,63}$/;

/** Whether a study or series may be called so: by Orthanc's identifier, or by UID. */
export const isName = (name: string): boolean => isId(name) || UID.test(name);

/**
 * Everything of that name: several if one UID stands under several patients; none if Orthanc does not have it.
 * Throws FailureError `ORTHANC_…`.
 */
export async function findImages(
  client: OrthancClient,
  level: Level,
  name: string,
  signal: AbortSignal,
): Promise<RemoteResource[]> {
  const ids = isId(name) ? [name] : await lookUp(client, level, name, signal);
  const found = await Promise.all(ids.map((id) => resource(client, level, id, signal)));
  return found.flatMap((one) => one ?? []);
}

async function lookUp(
  client: OrthancClient,
  level: Level,
  uid: string,
  signal: AbortSignal,
): Promise<string[]> {
  const answer = array(await client.json('/tools/lookup', signal, uid)).map(object);
  return answer
    .filter(({ Type: type }) => type === (level === 'study' ? 'Study' : 'Series'))
    .map((one) => id(one['ID']));
}

async function resource(
  client: OrthancClient,
  level: Level,
  name: string,
  signal: AbortSignal,
): Promise<RemoteResource | undefined> {
  const path = level === 'study' ? `/studies/${name}` : `/series/${name}`;
  const ask = (rest = ''): Promise<unknown> => client.json(`${path}${rest}`, signal);
  try {
    const own = object(await ask());
    const study = level === 'study' ? own : object(await ask('/study'));
    const series = level === 'study' ? array(await ask('/series')).map(object) : [own];
    const all = series.map((one) => seriesOf(one, tagsOf(study)));
    return { path, series: all.sort((a, b) => (a.seriesNumber ?? 0) - (b.seriesNumber ?? 0)) };
  } catch (error) {
    // not there, or deleted between two requests
    if (codeOf(error) === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}

function seriesOf(series: Record<string, unknown>, study: Tags): RemoteSeries {
  const own = tagsOf(series);
  const number = Number.parseInt(own['SeriesNumber'] ?? '', 10);
  return {
    id: text(series['ID']),
    seriesInstanceUid: own['SeriesInstanceUID'] ?? '',
    studyInstanceUid: study['StudyInstanceUID'] ?? '',
    studyId: study['StudyID'] ?? '',
    seriesNumber: Number.isNaN(number) ? undefined : number,
    seriesDescription: own['SeriesDescription'] ?? '',
    updated: typeof series['LastUpdate'] === 'string' ? series['LastUpdate'] : undefined,
    instances: array(series['Instances']).map(id),
  };
}

const tagsOf = ({ MainDicomTags: main }: Record<string, unknown>): Tags => attributes(object(main));
