/** Orthanc's answers as typed values. Any other form throws FailureError ORTHANC_UNCLEAR. */
import { unclear } from './faults.ts';
import type { Change, InstanceListing, SeriesListing, SystemInfo, Tags } from './types.ts';

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

export const attributes = (value: unknown): Tags =>
  Object.fromEntries(
    Object.entries(value === undefined ? {} : object(value)).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** Whether it has the form of Orthanc's identifiers. */
export const isId = (value: string): boolean => ORTHANC_ID.test(value);

/** An identifier goes into a path, so it must look like one. */
export function id(value: unknown): string {
  if (typeof value !== 'string' || !isId(value)) throw unclear('an identifier of a strange form');
  return value;
}

export function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unclear('an object was expected');
  return value as Record<string, unknown>;
}

export function array(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw unclear('a list was expected');
  return value;
}

export function text(value: unknown): string {
  if (typeof value !== 'string') throw unclear('a text was expected');
  return value;
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unclear('a whole number was expected');
  return value as number;
}
