/**
 * Images that were sent again with other bytes. The receiver marks the series, then keeps them as attachments of the
 * instance (docs/decisions/0017-who-receives.md).
 */
import { codeOf } from '@scanflow/failure';
import { pool } from '@scanflow/runtime/pool';
import { array, id, instanceOf, integer, object, text } from './answers.ts';
import type { OrthancClient } from './client.ts';
import { FIRST_VERSION, isMarked, METADATA, versionsAmong } from './notes.ts';
import type { FileOfInstance, InstanceListing, Orthanc } from './types.ts';

/** Requests at the same time: each takes one of Orthanc's threads. */
const AT_ONCE = 4;

/** The name of the attachment with the bytes of this file. */
export const attachmentOf = ({ version }: FileOfInstance): string =>
  version === undefined ? 'dicom' : String(FIRST_VERSION + version - 1);

/** The part of the client that knows versions. */
export function versionsIn({
  json,
  put,
  remove,
}: Pick<OrthancClient, 'json' | 'put' | 'remove'>): Pick<
  Orthanc,
  'instances' | 'versions' | 'hasVersions' | 'noteLeaving'
> {
  const versions: Orthanc['versions'] = async (instance, signal) => {
    const names = array(await json(`/instances/${id(instance)}/attachments`, signal));
    return versionsAmong(names)
      .toSorted((a, b) => a - b)
      .map((name) => ({ id: instance, version: name - FIRST_VERSION + 1 }));
  };
  const hasVersions: Orthanc['hasVersions'] = async (series, signal) =>
    isMarked(object(await json(`/series/${id(series)}/metadata?expand`, signal)));
  const listed = async (own: InstanceListing, signal: AbortSignal): Promise<InstanceListing[]> => {
    const kept = await versions(own.id, signal).catch((error: unknown) => {
      // only the instance was deleted, not its series
      if (codeOf(error) !== 'ORTHANC_GONE') throw error;
      return [];
    });
    const files = kept.map(async (file): Promise<InstanceListing> => {
      const info = await json(`/instances/${own.id}/attachments/${attachmentOf(file)}/info`, signal);
      const { Uuid, UncompressedSize } = object(info);
      return { ...own, ...file, fileUuid: text(Uuid), bytes: integer(UncompressedSize) };
    });
    return [own, ...(await Promise.all(files))];
  };
  return {
    versions,
    hasVersions,
    instances: async (series, signal) => {
      // first of all: a version that is kept later shows as a change
      const marked = await hasVersions(series, signal);
      const own = array(await json(`/series/${id(series)}/instances`, signal)).map((one) =>
        instanceOf(object(one)),
      );
      return marked ? (await pool(own, AT_ONCE, (one) => listed(one, signal))).flat() : own;
    },
    noteLeaving: async (series, since, signal) => {
      const path = `/series/${id(series)}/metadata/${METADATA.leaving.number}`;
      if (since !== undefined) return put(path, since, signal);
      // the note went with the series, or was never there
      await remove(path, signal).catch((error: unknown) => {
        if (codeOf(error) !== 'ORTHANC_GONE') throw error;
      });
    },
  };
}
