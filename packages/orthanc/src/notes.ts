/** What Scanflow notes at Orthanc, as metadata and attachments: written by receiver and streamer, read by both. */
import { object } from './answers.ts';
import type { Notes, Origin } from './types.ts';

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

export const isMarked = (metadata: Record<string, unknown>): boolean =>
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
    ...(time === undefined ? {} : { received: time }),
    // Orthanc itself saw only who handed it on
    ...(told ?? native),
    ...(uploaded ? { uploaded } : {}),
  };
}

export function notesOf(metadata: Record<string, unknown>): Notes {
  const decision = noteOf(metadata, METADATA.decision);
  return decision === undefined ? {} : { decision };
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
