/** Orthanc's answers, believed only in the form that is expected. */
import { Fault } from '../model/failure.ts';
import type { Attributes } from '../store/place/route.ts';
import type { Change, InstanceListing, Notes, Origin, SeriesListing, SystemInfo } from '../ports.ts';
import { unclear } from './faults.ts';

const ORTHANC_ID = /^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/;

export function systemInfo(system: Record<string, unknown>): SystemInfo {
  const database = system['DatabaseServerIdentifier'];
  const limits = ['MaximumStorageSize', 'MaximumPatientCount'].filter((key) => Number(system[key] ?? 0) > 0);
  const recycles = limits.length > 0 && system['MaximumStorageMode'] !== 'Reject';
  return {
    version: text(system['Version']),
    database: typeof database === 'string' ? database : undefined,
    recycling: recycles ? limits.map((key) => `${key} ${String(system[key])}`).join(', ') : undefined,
  };
}

export const changeOf = (change: Record<string, unknown>): Change => ({
  seq: integer(change['Seq']),
  type: text(change['ChangeType']),
  id: text(change['ID']),
});

export const seriesOf = (series: Record<string, unknown>): SeriesListing => ({
  id: text(series['ID']),
  uid: attributes(series['MainDicomTags'])['SeriesInstanceUID'] ?? '',
  instances: array(series['Instances']).map(text),
});

export const instanceOf = (instance: Record<string, unknown>): InstanceListing => ({
  id: text(instance['ID']),
  fileUuid: text(instance['FileUuid']),
  bytes: integer(instance['FileSize']),
  tags: attributes(instance['MainDicomTags']),
});

export const attributes = (value: unknown): Attributes =>
  Object.fromEntries(
    Object.entries(value === undefined ? {} : object(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** An id goes into a path, so it must look like one. */
export function id(value: string): string {
  if (!ORTHANC_ID.test(value)) throw new Fault(unclear('an id of a strange form'));
  return value;
}

export function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Fault(unclear('an object was expected'));
  return value as Record<string, unknown>;
}

export function array(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new Fault(unclear('a list was expected'));
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw new Fault(unclear('a text was expected'));
  return value;
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw new Fault(unclear('a whole number was expected'));
  return value as number;
}

/** Metadata of users, by number: a name there is only where it is registered (`UserMetadata`). */
export const METADATA = {
  /** Who sent it, by what received it before Orthanc did; of an instance, or of its series. */
  sender: { number: '5101', name: 'ScanflowSender' },
  /** What a person decided of the series. */
  decision: { number: '5102', name: 'ScanflowDecision' },
  /** On a series: other bytes of one of its images were sent again, or are about to be kept. */
  versions: { number: '5103', name: 'ScanflowVersions' },
  /** On a series: since when it is being deleted. */
  leaving: { number: '5104', name: 'ScanflowLeaving' },
} as const;

export const isMarked = (metadata: Record<string, unknown>): boolean =>
  noteOf(metadata, METADATA.versions) !== undefined;

const noteOf = (
  metadata: Record<string, unknown>,
  { number, name }: (typeof METADATA)[keyof typeof METADATA],
): string | undefined => {
  const value = metadata[number] ?? metadata[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
};

/** Whether what received an instance before Orthanc did noted there who sent it. */
export const isNoted = (metadata: Record<string, unknown>): boolean => senderIn(metadata) !== undefined;

/** Orthanc notes the time in UTC, `20261122T100203`. `series`: what is noted on the series, for all that has no note of its own. */
export function originOf(metadata: Record<string, unknown>, series: Record<string, unknown> = {}): Origin {
  const { ReceptionDate: received, Origin: through } = metadata;
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
