/**
 * What was sent again with other bytes: the receiver keeps it as attachments of the instance, and marks the series before it
 * does (docs/decisions/0017-who-receives.md).
 */
import { failureOf } from '../model/failure.ts';
import type { FileOfInstance, InstanceListing, Orthanc } from '../ports.ts';
import { array, id, instanceOf, integer, isMarked, METADATA, object, text } from './answers.ts';
import type { Connection } from './connection.ts';

/** Attachments that hold versions, in the order in which they came. As in services/receiver/src/versions.ts. */
const FIRST_VERSION = 5110;
const MOST_VERSIONS = 40;
/** Requests at the same time: each takes one of Orthanc's threads. */
const AT_ONCE = 4;

/** The name of the attachment with the bytes of this file. */
export const attachmentOf = ({ version }: FileOfInstance): string =>
  version === undefined ? 'dicom' : String(FIRST_VERSION + version - 1);

/** The part of Orthanc's client that knows of versions. */
export function versionsIn({
  json,
  put,
  remove,
}: Pick<Connection, 'json' | 'put' | 'remove'>): Pick<
  Orthanc,
  'instances' | 'versions' | 'hasVersions' | 'noteLeaving'
> {
  const versions: Orthanc['versions'] = async (instance, signal) => {
    const names = array(await json(`/instances/${id(instance)}/attachments`, signal));
    return names
      .map((name) => Number(name) - FIRST_VERSION + 1)
      .filter((version) => version >= 1 && version <= MOST_VERSIONS)
      .toSorted((a, b) => a - b)
      .map((version) => ({ id: instance, version }));
  };
  const hasVersions: Orthanc['hasVersions'] = async (series, signal) =>
    isMarked(object(await json(`/series/${id(series)}/metadata?expand`, signal)));
  const listed = async (own: InstanceListing, signal: AbortSignal): Promise<InstanceListing[]> => {
    const kept = await versions(own.id, signal).catch((error: unknown) => {
      // an instance that is deleted at this moment is no reason to think that of its series
      if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
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
      // looked at first: what is kept after that shows as a change
      const marked = await hasVersions(series, signal);
      const own = array(await json(`/series/${id(series)}/instances`, signal)).map((one) =>
        instanceOf(object(one)),
      );
      return marked ? inTurn(own, (one) => listed(one, signal)) : own;
    },
    noteLeaving: async (series, since, signal) => {
      const path = `/series/${id(series)}/metadata/${METADATA.leaving.number}`;
      if (since !== undefined) return put(path, since, signal);
      // gone with the series, or never there: that is what was wanted
      await remove(path, signal).catch((error: unknown) => {
        if (failureOf(error).code !== 'ORTHANC_GONE') throw error;
      });
    },
  };
}

/** What each becomes, in the same order; a few at the same time. */
async function inTurn<T>(
  all: readonly InstanceListing[],
  work: (one: InstanceListing) => Promise<readonly T[]>,
): Promise<T[]> {
  const results: (readonly T[])[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    for (let at = next++; at < all.length; at = next++) {
      const one = all[at];
      if (one !== undefined) results[at] = await work(one);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return results.flat();
}
