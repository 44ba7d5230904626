/** Orthanc's REST interface. Every byte is asked for as it is: no compression, length and MD5 known beforehand. */
import type { IncomingMessage } from 'node:http';
import { Fault } from '../model/failure.ts';
import type { InstanceBody, Orthanc } from '../ports.ts';
import { attachmentOf, versionsIn } from './versions.ts';
import {
  array,
  attributes,
  changeOf,
  id,
  instanceOf,
  integer,
  isNoted,
  METADATA,
  notesOf,
  object,
  originOf,
  seriesOf,
  systemInfo,
  text,
} from './answers.ts';
import { chunksOf, connection, type Connection, type OrthancOptions } from './connection.ts';
import { transcodeFault, unclear } from './faults.ts';

export interface OrthancClient extends Orthanc {
  close(): void;
}

/** Orthanc 1.12.7 records it for instances of 2 GiB and more: there, the length alone tells. */
const MD5_OF_NOTHING = 'd41d8cd98f00b204e9800998ecf8427e';

export function createOrthanc(options: OrthancOptions): OrthancClient {
  const { get, remove, json, put, post, close } = connection(options);
  return {
    close,
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
      const bytes = lengthOf(response);
      // the ETag is "<revision>-<MD5 of the uncompressed file>", from the database and not from the bytes
      const md5 = /^"\d+-([0-9a-f]{32})"$/.exec(response.headers.etag ?? '')?.[1];
      return { bytes, md5: md5 === MD5_OF_NOTHING ? undefined : md5, chunks: chunksOf(response, bytes) };
    },
    transcode: (instance, transferSyntax, signal) => transcode(post, id(instance), transferSyntax, signal),
  };
}

/** By the note on the instance, else by that on its series, else as Orthanc saw it. */
async function originIn(
  json: Connection['json'],
  ...[instance, series, signal]: Parameters<Orthanc['origin']>
): ReturnType<Orthanc['origin']> {
  const own = object(await json(`/instances/${id(instance)}/metadata?expand`, signal));
  if (isNoted(own)) return originOf(own);
  return originOf(own, object(await json(`/series/${id(series)}/metadata?expand`, signal)));
}

async function transcode(
  post: Connection['post'],
  instance: string,
  transferSyntax: string,
  signal: AbortSignal,
): Promise<InstanceBody> {
  // Force: keeping the UID is meant. GET …/file?transcode= came only with 1.12.2
  const order = { Transcode: transferSyntax, Keep: ['SOPInstanceUID'], Force: true };
  const response = await post(`/instances/${instance}/modify`, order, transcodeFault, signal);
  const bytes = lengthOf(response);
  return { bytes, md5: undefined, chunks: chunksOf(response, bytes) };
}

/** Throws Fault where it is not told. */
function lengthOf(response: IncomingMessage): number {
  const bytes = Number(response.headers['content-length'] ?? Number.NaN);
  if (Number.isSafeInteger(bytes)) return bytes;
  response.destroy();
  throw new Fault(unclear('an instance came without its length'));
}
