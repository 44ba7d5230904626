/** The parts of Orthanc's REST interface that services use, typed. Bytes come as they are: without compression. */
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
} from './answers.ts';
import { bodyOf, type InstanceBody } from './image.ts';
import { orthancClient, type OrthancAccess, type OrthancClient, transcodeFault } from './client.ts';
import { isNoted, METADATA, notesOf, originOf, attachmentOf, versionsIn } from './notes.ts';

/** Opens the typed client. Nothing is sent yet. */
export function createOrthanc(access: OrthancAccess): Orthanc & { readonly close: () => void } {
  const client = orthancClient(access);
  const { get, remove, json, put, url } = client;
  return {
    close: client.close,
    system: async (signal) => systemInfo(object(await json('/system', signal))),
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

/** By the note on the instance, else by the note on its series, else as Orthanc saw it. */
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
