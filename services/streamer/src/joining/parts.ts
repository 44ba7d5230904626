/** The parts of a joined series: which images belong to it, what `series.json` says of them, and Orthanc with all parts as one series. */
import { defined, given } from '@scanflow/failure/defined';
import type { InstanceListing, Orthanc } from '@scanflow/orthanc';
import { digestOfFiles } from '../store/record.ts';
import type { Settings } from '../model/settings.ts';
import type { Ledger } from '../ledger/tx.ts';
import type { SeriesRecord, StoredInstance } from '../store/types.ts';
import type { FirstImages } from '../ledger/rows.ts';
import { apart, traitsOf, type Joinable, type Joined, type Member, type RecordedTraits } from './rule.ts';
import { membersOf, partGroups } from '../ledger/joined.ts';
import { unlessGone } from '../model/failure.ts';

interface Parts {
  /** Those of the listed images that belong to the series. */
  readonly listed: readonly InstanceListing[];
  readonly members: readonly Member[];
  /** Of the images of each part. */
  readonly digests: ReadonlyMap<string, string>;
}

/** Series that only seemed to be parts of this one become series of their own. */
export async function partsOf(
  series: string,
  listed: readonly InstanceListing[],
  ledger: Ledger,
  now: number,
): Promise<Parts> {
  const all = await ledger.read(membersOf, series);
  const bySeries = Map.groupBy(listed, (image) => image.series ?? series);
  const digests = new Map(
    all.map((one) => [one.series, digestOfFiles(bySeries.get(one.series) ?? [])] as const),
  );
  if (all.length < 2) return { listed, members: all, digests };
  const [own = [], ...others] = apart(
    all.map((one) => ({
      series: one.series,
      stored: one.series === series || one.digest !== undefined,
      numbers: (bySeries.get(one.series) ?? []).flatMap(numberOf),
    })),
  );
  if (others.length > 0) await ledger.write(partGroups, others, now);
  const members = all.filter((one) => own.includes(one.series));
  return {
    listed: listed.filter((image) => own.includes(image.series ?? series)),
    members,
    digests: new Map([...digests].filter(([id]) => own.includes(id))),
  };
}

function numberOf({ tags }: InstanceListing): string[] {
  const number = (tags['InstanceNumber'] ?? '').trim();
  return number === '' ? [] : [`${(tags['AcquisitionNumber'] ?? '').trim()} ${number}`];
}

const BECAUSE =
  'Accession number, patient, day, series number, description, scanner, frame of reference and kind of image are the same, the times follow each other, and no image number comes twice (arrivals.join).';

/** For the record; undefined where the series came under one UID. */
export function joinedOf(
  series: string,
  members: readonly Member[],
  instances: readonly Pick<StoredInstance, 'series'>[],
): Joined | undefined {
  if (members.length < 2) return undefined;
  const counts = Map.groupBy(instances, (image) => image.series ?? series);
  const alike = members.find(({ traits }) => traits !== undefined)?.traits?.alike;
  return {
    because: BECAUSE,
    ...defined({ alike }),
    series: members.map((one) => ({
      orthancSeries: one.series,
      studyInstanceUid: one.study,
      seriesInstanceUid: one.uid,
      ...defined({ begun: given(one.traits, (traits) => begunAt(traits.at)) }),
      images: counts.get(one.series)?.length ?? 0,
    })),
  };
}

/** For the record of a series that came under one UID so far; undefined where nothing is joined, or it is in parts. */
export function joinableBy(members: readonly Member[]): RecordedTraits | undefined {
  const [one, ...others] = members;
  return one?.traits === undefined || others.length > 0
    ? undefined
    : { alike: one.traits.alike, begun: begunAt(one.traits.at) };
}

/** What a new ledger needs to know of a recorded series. */
export function membersIn({
  orthancSeries,
  joined,
  joinable,
  attributes,
}: SeriesRecord): Omit<Member, 'digest'>[] {
  const alone = {
    orthancSeries,
    studyInstanceUid: attributes['StudyInstanceUID'] ?? '',
    seriesInstanceUid: attributes['SeriesInstanceUID'] ?? '',
    begun: joinable?.begun,
  };
  const alike = joined === undefined ? joinable?.alike : joined.alike;
  const parts = joined?.series ?? (joinable === undefined ? [] : [alone]);
  return parts.map((one) => ({
    series: one.orthancSeries,
    study: one.studyInstanceUid,
    uid: one.seriesInstanceUid,
    traits: recordedTraits(alike, one.begun),
  }));
}

const begunAt = (at: number): string =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO('UTC').toPlainDateTime().toString();

/** Undefined also for a moment that is none: people may write anything into series.json. */
function recordedTraits(alike: string | undefined, begun: string | undefined): Member['traits'] {
  if (alike === undefined || begun === undefined) return undefined;
  try {
    return { alike, at: Temporal.PlainDateTime.from(begun).toZonedDateTime('UTC').epochMilliseconds };
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** What arrives, as far as it may be a part of another series; undefined where nothing is joined. */
export function joinableOf(first: FirstImages, { join }: Pick<Settings, 'join'>): Joinable | undefined {
  if (join === undefined) return undefined;
  const traits = [...first].flatMap(([id, attributes]) => {
    const found = traitsOf(attributes);
    return found === undefined ? [] : [[id, found] as const];
  });
  return { traits: new Map(traits), withinMs: join.withinMs };
}

/** Everything else is as Orthanc has it. One part may be gone from Orthanc, and the others not. */
export function joiningOrthanc<O extends Orthanc>(orthanc: O, ledger: Ledger): O {
  const parts = async (series: string): Promise<readonly Member[]> => {
    const all = await ledger.read(membersOf, series);
    return all.length > 1 ? all : [];
  };
  return {
    ...orthanc,
    instances: async (series, signal) => {
      const all = await parts(series);
      if (all.length === 0) return orthanc.instances(series, signal);
      const listed: InstanceListing[] = [];
      for (const one of all) {
        const images = (await unlessGone(orthanc.instances(one.series, signal))) ?? [];
        listed.push(
          ...images.map((image) => (one.series === series ? image : { ...image, series: one.series })),
        );
      }
      return listed;
    },
    series: async (series, signal) => {
      const all = await parts(series);
      if (all.length === 0) return orthanc.series(series, signal);
      const instances: string[] = [];
      for (const one of all) {
        const found = await unlessGone(orthanc.series(one.series, signal));
        instances.push(...(found?.instances ?? []));
      }
      return { id: series, uid: all[0]?.uid ?? '', instances };
    },
    // what is sent again comes under the UID of its part
    noteLeaving: async (series, since, signal) => {
      const all = await parts(series);
      if (all.length === 0) return orthanc.noteLeaving(series, since, signal);
      for (const one of all) await unlessGone(orthanc.noteLeaving(one.series, since, signal));
    },
  };
}
