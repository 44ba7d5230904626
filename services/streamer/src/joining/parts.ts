/** The parts of a series when it is stored: what does not belong to it after all, and what `series.json` says of the rest. */
import { digestOfFiles } from '../store/record.ts';
import type { InstanceListing, StoredInstance } from '../ports.ts';
import { apart } from './rule.ts';
import type { Ledger } from '../ports.ts';
import type { Joined, Member } from './types.ts';
import { membersOf, partGroups } from './sql.ts';

export interface Parts {
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
  if (all.length < 2) return { listed, members: [], digests };
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
  return {
    because: BECAUSE,
    series: members.map((one) => ({
      orthancSeries: one.series,
      studyInstanceUid: one.study,
      seriesInstanceUid: one.uid,
      images: counts.get(one.series)?.length ?? 0,
    })),
  };
}
