/** Orthanc, with joined series as one: whoever asks for the images of a series gets those of all its parts. */
import { failureOf } from '../model/failure.ts';
import type { InstanceListing, Orthanc } from '../ports.ts';
import type { Ledger } from '../ports.ts';
import type { Member } from './types.ts';
import { membersOf } from './sql.ts';

/** Everything else is as Orthanc has it. */
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
        const images = await orNone(orthanc.instances(one.series, signal));
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
        const found = await orNone(orthanc.series(one.series, signal).then((listing) => [listing]));
        instances.push(...found.flatMap((listing) => listing.instances));
      }
      return { id: series, uid: all[0]?.uid ?? '', instances };
    },
    // what is sent again comes under the UID of its part
    noteLeaving: async (series, since, signal) => {
      const all = await parts(series);
      if (all.length === 0) return orthanc.noteLeaving(series, since, signal);
      for (const one of all) await orNone(orthanc.noteLeaving(one.series, since, signal).then(() => []));
    },
  };
}

/** One part may be gone from Orthanc, and the others not. */
async function orNone<T>(asked: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await asked;
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return [];
    throw error;
  }
}
