/** Whether series of Orthanc are one series of the scanner that came under many UIDs. Pure. */
import { createHash } from 'node:crypto';
import type { Attributes } from '../model/series.ts';
import { plainTime } from '../store/place/reading.ts';

/** By what a series is known again. */
export interface JoinTraits {
  /** One text for all that has to be the same. */
  readonly alike: string;
  /** When it was begun, in milliseconds of the scanner's clock. */
  readonly at: number;
  readonly study: string;
  readonly uid: string;
}

/** What has to be the same: whose it is, of which day, what was scanned, by what, and where in the patient. */
const SAME = [
  'AccessionNumber',
  'PatientID',
  'StudyDate',
  'Modality',
  'SOPClassUID',
  'SeriesNumber',
  'SeriesDescription',
  'ProtocolName',
  'Manufacturer',
  'StationName',
  'DeviceSerialNumber',
  'FrameOfReferenceUID',
  'Rows',
  'Columns',
] as const;

/** The most telling first. */
const TIMES = [
  ['SeriesDate', 'SeriesTime'],
  ['AcquisitionDate', 'AcquisitionTime'],
  ['ContentDate', 'ContentTime'],
] as const;

export const JOIN_KEYWORDS: readonly string[] = [
  ...SAME,
  ...TIMES.flat(),
  'ImageType',
  'StudyInstanceUID',
  'SeriesInstanceUID',
];

/** Undefined where too little is known of it to take it for a part of another. */
export function traitsOf(attributes: Attributes): JoinTraits | undefined {
  const value = (keyword: string): string => (attributes[keyword] ?? '').trim();
  const at = momentOf(value);
  const named = value('SeriesDescription') !== '' || value('ProtocolName') !== '';
  if (at === undefined || !named || value('AccessionNumber') === '' || value('SeriesNumber') === '')
    return undefined;
  // original or derived, and of which kind; what follows may differ from image to image
  const kind = value('ImageType').split('\\').slice(0, 3).join('\\');
  const same = [...SAME.map(value), kind];
  return {
    alike: createHash('sha256').update(same.join('\n')).digest('base64url'),
    at,
    study: value('StudyInstanceUID'),
    uid: value('SeriesInstanceUID'),
  };
}

/** A time without its seconds is too coarse to tell parts by. */
const TO_THE_SECOND = /^\d{2}:?\d{2}:?\d{2}/;

/** Only distances are looked at, so the zone does not matter. */
function momentOf(value: (keyword: string) => string): number | undefined {
  for (const [date, time] of TIMES) {
    const at = TO_THE_SECOND.test(value(time)) ? plainTime(value(date), value(time)) : undefined;
    if (at !== undefined) return at.toZonedDateTime('UTC').epochMilliseconds;
  }
  return undefined;
}

/** Series that are taken for one so far. */
interface JoinGroup {
  readonly lead: string;
  readonly from: number;
  readonly to: number;
}

/** The group that it continues: the nearest in time, and no further away than `withinMs`. */
export function groupFor(
  { at }: Pick<JoinTraits, 'at'>,
  groups: readonly JoinGroup[],
  withinMs: number,
): JoinGroup | undefined {
  const distance = ({ from, to }: JoinGroup): number => Math.max(from - at, at - to, 0);
  const [nearest] = groups.toSorted((a, b) => distance(a) - distance(b));
  return nearest !== undefined && distance(nearest) <= withinMs ? nearest : undefined;
}

/** One of the series that were taken for one. */
export interface Part {
  readonly series: string;
  /** It was stored with the others, so it stays. */
  readonly stored: boolean;
  /** What distinguishes its images: acquisition and instance number. */
  readonly numbers: readonly string[];
}

/**
 * Images of one series have numbers of their own, so a series with the number of another is another one: the same protocol once
 * more. Gives the series in groups, the first with the one that leads.
 */
export function apart(parts: readonly Part[]): string[][] {
  const groups: { readonly series: string[]; readonly numbers: Set<string> }[] = [];
  for (const { series, stored, numbers } of parts) {
    const [first] = groups;
    const fitting =
      stored && first !== undefined
        ? first
        : groups.find((group) => numbers.every((one) => !group.numbers.has(one)));
    const group = fitting ?? { series: [], numbers: new Set<string>() };
    if (fitting === undefined) groups.push(group);
    group.series.push(series);
    for (const number of numbers) group.numbers.add(number);
  }
  return groups.map(({ series }) => series);
}

/** What arrived and may be a part of another series; none where nothing is joined. */
export interface Joinable {
  readonly traits: ReadonlyMap<string, JoinTraits>;
  readonly withinMs: number;
}

/** A series of Orthanc's that counts for another one in the ledger, or leads such ones itself. */
export interface Member {
  readonly series: string;
  readonly study: string;
  readonly uid: string;
  /** digestOf() its own images when it was stored last. */
  readonly digest: string | undefined;
  /** By what further parts are known; undefined: there are none. */
  readonly traits: Pick<JoinTraits, 'alike' | 'at'> | undefined;
}

/** In `series.json`: the UIDs under which the images of the series came, and what was the same in all of them. */
export interface Joined {
  readonly because: string;
  /** One text for all that was the same: by it a part that comes later is known, also by a new ledger. */
  readonly alike?: string;
  readonly series: readonly {
    readonly orthancSeries: string;
    readonly studyInstanceUid: string;
    readonly seriesInstanceUid: string;
    /** By the scanner's clock. */
    readonly begun?: string;
    readonly images: number;
  }[];
}

/** In `series.json` of a series that came under one UID so far: by what a part that comes later is known. */
export interface RecordedTraits {
  readonly alike: string;
  readonly begun: string;
}
