/** What Scanflow notes at Orthanc, as metadata and attachments: senders, decisions, and images that were sent again with other bytes. */
import { defined } from '@scanflow/failure/defined';
import { codeOf } from '@scanflow/failure';
import { pool } from '@scanflow/runtime/pool';
import {
  object,
  type Notes,
  type Origin,
  array,
  id,
  instanceOf,
  integer,
  text,
  type FileOfInstance,
  type InstanceListing,
  type Orthanc,
} from './answers.ts';
import type { OrthancClient } from './client.ts';

/** Metadata by number. Orthanc knows the name only if it is registered (`UserMetadata`). */
export const METADATA = {
  /** On a series, or on an instance that another node sent: who sent it to the receiver. */
  sender: { number: '5101', name: 'ScanflowSender' },
  /** On a series: what a person decided. */
  decision: { number: '5102', name: 'ScanflowDecision' },
  /** On a series: other bytes of one of its images were sent again, or are about to be kept. */
  versions: { number: '5103', name: 'ScanflowVersions' },
  /** On a series: since when the streamer is deleting it, noted anew every 5 minutes. */
  leaving: { number: '5104', name: 'ScanflowLeaving' },
} as const;

/** Attachments of an instance that hold other versions of it, in the order in which they came. */
export const FIRST_VERSION = 5110;
export const MOST_VERSIONS = 40;

/** The numbers of the versions among the names of an instance's attachments. */
export const versionsAmong = (attachments: readonly unknown[]): number[] =>
  attachments.map(Number).filter((name) => name >= FIRST_VERSION && name < FIRST_VERSION + MOST_VERSIONS);

const isMarked = (metadata: Record<string, unknown>): boolean =>
  noteOf(metadata, METADATA.versions) !== undefined;

const noteOf = (
  metadata: Record<string, unknown>,
  { number, name }: (typeof METADATA)[keyof typeof METADATA],
): string | undefined => {
  const value = metadata[number] ?? metadata[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Whether the receiver noted who sent the instance. */
export const isNoted = (metadata: Record<string, unknown>): boolean => senderIn(metadata) !== undefined;

/** @param series metadata of the series: its note counts for each instance without one */
export function originOf(metadata: Record<string, unknown>, series: Record<string, unknown> = {}): Origin {
  const { ReceptionDate: received, Origin: through } = metadata;
  // in UTC, as 20261122T100203
  const digits = typeof received === 'string' ? /^(\d{8}T\d{6})$/.exec(received)?.[1] : undefined;
  const time = digits?.replace(/^(....)(..)(..T..)(..)(..)$/, '$1-$2-$3:$4:$5Z');
  const told = senderIn(metadata) ?? senderIn(series);
  const native = sender(metadata['RemoteAET'], metadata['CalledAET'], metadata['RemoteIP']);
  // what came by DICOM has an AE title; the rest came from somebody who has Orthanc's password, or from Orthanc itself
  const uploaded = told === undefined && typeof through === 'string' && through !== 'DicomProtocol';
  return {
    ...defined({ received: time }),
    // Orthanc itself saw only who handed it on
    ...(told ?? native),
    ...(uploaded ? { uploaded } : {}),
  };
}

export function notesOf(metadata: Record<string, unknown>): Notes {
  const decision = noteOf(metadata, METADATA.decision);
  return defined({ decision });
}

function senderIn(metadata: Record<string, unknown>): Origin | undefined {
  const note = noteOf(metadata, METADATA.sender);
  if (note === undefined) return undefined;
  try {
    const { aet, called, address } = object(JSON.parse(note));
    return sender(aet, called, address);
  } catch {
    // another program's number, too
    return undefined;
  }
}

const sender = (from: unknown, called: unknown, address: unknown): Origin => ({
  ...(isText(from) ? { from } : {}),
  ...(isText(called) ? { called } : {}),
  ...(isText(address) ? { address } : {}),
});

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';

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
      // 50,000 instances take 35 MB: each becomes what is kept of it as it comes
      const own = array(
        await json(`/series/${id(series)}/instances`, signal, undefined, (one) => instanceOf(object(one))),
      ) as InstanceListing[];
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
