/** What Orthanc has of a series, in the order in which it is pulled. */
import { failureOf } from '../model/failure.ts';
import type { InstanceListing, Orthanc } from '../ports.ts';

/** Nothing where Orthanc no longer has the series. */
export async function listInstances(
  series: string,
  orthanc: Orthanc,
  signal: AbortSignal,
): Promise<readonly InstanceListing[]> {
  try {
    return inOrder(await orthanc.instances(series, signal));
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return [];
    throw error;
  }
}

/** By InstanceNumber, so that a folder fills in an order that people expect. */
function inOrder(listed: readonly InstanceListing[]): InstanceListing[] {
  const numberOf = ({ tags }: InstanceListing): number => Number(tags['InstanceNumber'] ?? Number.NaN);
  const keyed = listed.map((listing) => ({ listing, number: numberOf(listing) }));
  keyed.sort((a, b) => {
    const difference =
      (Number.isNaN(a.number) ? Infinity : a.number) - (Number.isNaN(b.number) ? Infinity : b.number);
    if (!Number.isNaN(difference) && difference !== 0) return difference;
    if (a.listing.id === b.listing.id) return (a.listing.version ?? 0) - (b.listing.version ?? 0);
    return a.listing.id < b.listing.id ? -1 : 1;
  });
  return keyed.map(({ listing }) => listing);
}
