/**
 * The parts of Orthanc's REST interface that services and the command use, typed: series, changes and files; and which images a
 * study or series has. Bytes come as they are: without compression.
 */
import { codeOf } from '@scanflow/failure';
import { bodyOf } from './image.ts';
import {
  array,
  attributes,
  changeOf,
  id,
  instanceOf,
  integer,
  object,
  seriesOf,
  systemInfo,
  text,
  type Orthanc,
  isId,
  type Tags,
  transcodeFault,
  type InstanceBody,
  type Server,
} from './answers.ts';
import { orthancClient, type OrthancClient, type Surveyed } from './client.ts';
import type { OrthancAccess } from './line.ts';
import { isNoted, METADATA, notesOf, originOf, attachmentOf, versionsIn } from './notes.ts';

/**
 * Opens the typed client. It sends nothing yet, and every call sends its own request.
 *
 * Calls throw FailureError ORTHANC_…: transient if Orthanc does not answer, ORTHANC_GONE if it does not have the resource,
 * ORTHANC_UNCLEAR if its answer is not as expected. `close` ends the kept connections.
 */
export function createOrthanc(access: OrthancAccess): Orthanc & { readonly close: () => void } {
  const client = orthancClient(access);
  const { get, remove, json, put, url } = client;
  return {
    close: client.close,
    system: async (signal) => systemInfo(object(await json('/system', signal))),
    address: () => client.url,
    servers: async (signal) => (await client.survey(signal)).map((one) => serverOf(one, client.url)),
    changes: async (since, limit, signal) => {
      const page = object(await json(`/changes?since=${since}&limit=${limit}`, signal));
      return {
        changes: array(page['Changes']).map((change) => changeOf(object(change))),
        last: integer(page['Last']),
        done: page['Done'] === true,
      };
    },
    lastChange: async (signal) => integer(object(await json('/changes?last', signal))['Last']),
    parentOf: async (instance, signal) =>
      text(object(await json(`/instances/${id(instance)}`, signal))['ParentSeries']),
    seriesWith: (sopInstanceUid, signal) => seriesWith(client, sopInstanceUid, signal),
    series: async (series, signal) => seriesOf(object(await json(`/series/${id(series)}`, signal))),
    seriesPage: async (since, limit, signal) =>
      array(await json(`/series?expand&since=${since}&limit=${limit}`, signal)).map((one) =>
        seriesOf(object(one)),
      ),
    instance: async (instance, signal) =>
      instanceOf(object(await json(`/instances/${id(instance)}`, signal))),
    remove: async (instance, signal) => remove(`/instances/${id(instance)}`, signal),
    ...versionsIn({ json, put, remove }),
    seriesTags: async (series, signal) => {
      const own = object(await json(`/series/${id(series)}`, signal));
      const study = object(await json(`/series/${id(series)}/study`, signal));
      return {
        ...attributes(study['PatientMainDicomTags']),
        ...attributes(study['MainDicomTags']),
        ...attributes(own['MainDicomTags']),
      };
    },
    origin: (...given) => originIn(json, ...given),
    notes: async (series, signal) =>
      notesOf(object(await json(`/series/${id(series)}/metadata?expand`, signal))),
    noteDecision: (series, decision, signal) =>
      put(`/series/${id(series)}/metadata/${METADATA.decision.number}`, decision, signal),
    open: async (file, signal) => {
      const response = await get(`/instances/${id(file.id)}/attachments/${attachmentOf(file)}/data`, signal);
      return bodyOf(response, url);
    },
    transcode: (instance, transferSyntax, signal) => transcode(client, id(instance), transferSyntax, signal),
  };
}

function serverOf({ url, system, failure }: Surveyed, used: string): Server {
  const { database } = failure === undefined ? systemInfo(object(system)) : {};
  return { url, used: url === used, database, failure };
}

async function seriesWith({ json }: OrthancClient, uid: string, signal: AbortSignal): Promise<string[]> {
  const found = array(await json('/tools/lookup', signal, uid)).map(object);
  const images = found.filter(({ Type: type }) => type === 'Instance').map((one) => id(one['ID']));
  const parents = images.map(async (image) =>
    text(object(await json(`/instances/${image}`, signal))['ParentSeries']),
  );
  return [...new Set(await Promise.all(parents))];
}

/** Who sent it: by the note on the instance, else by the note on its series, else as Orthanc saw it. */
async function originIn(
  json: OrthancClient['json'],
  ...[instance, series, signal]: Parameters<Orthanc['origin']>
): ReturnType<Orthanc['origin']> {
  const own = object(await json(`/instances/${id(instance)}/metadata?expand`, signal));
  if (isNoted(own)) return originOf(own);
  return originOf(own, object(await json(`/series/${id(series)}/metadata?expand`, signal)));
}

async function transcode(
  { post, url }: OrthancClient,
  instance: string,
  transferSyntax: string,
  signal: AbortSignal,
): Promise<InstanceBody> {
  // Force: keeping the UID is meant. GET …/file?transcode= came only with 1.12.2
  const order = JSON.stringify({ Transcode: transferSyntax, Keep: ['SOPInstanceUID'], Force: true });
  const response = await post(`/instances/${instance}/modify`, order, signal, transcodeFault);
  // an ETag here would be that of another file
  return { ...bodyOf(response, url), md5: undefined };
}

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
    const all = series.map((one) => remoteSeries(one, tagsOf(study)));
    return { path, series: all.sort((a, b) => (a.seriesNumber ?? 0) - (b.seriesNumber ?? 0)) };
  } catch (error) {
    // not there, or deleted between two requests
    if (codeOf(error) === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}

function remoteSeries(series: Record<string, unknown>, study: Tags): RemoteSeries {
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
