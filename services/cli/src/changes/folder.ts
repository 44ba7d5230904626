/** What lies in a data folder, of any version, looked at and never written. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDerivedAccession, type Rejected } from '@scanflow/booking';
import { codeOf } from '@scanflow/failure';
import { parseKeeps, Past, type Keeps } from '@scanflow/identity';
import { bookingFiles, examFiles, readRejected } from '@scanflow/records';
import { CalendarError } from '../bookings/fetch.ts';

export interface DataFolder {
  readonly past: Past;
  readonly rejected: readonly Rejected[];
  /** Accession numbers of exams on record, and of those that have not ended. */
  readonly exams: ReadonlySet<string>;
  readonly running: ReadonlySet<string>;
  /** The last good copy of a calendar, where there is one. */
  body(calendar: string): Promise<Uint8Array | undefined>;
  /** What cal2wl has decided since the update. */
  keeps(calendar: string): Promise<Keeps | undefined>;
}

/** Throws CalendarError where there is none. */
export async function openDataFolder(data: string): Promise<DataFolder> {
  const bookings = join(data, 'bookings');
  await mustExist(bookings);
  const past = new Past();
  for await (const record of bookingFiles(bookings).all())
    if (isDerivedAccession(record.accessionNumber)) past.set(record);
  return {
    past,
    rejected: await readRejected(bookings),
    ...(await examsIn(join(data, 'performed'))),
    body: (calendar) => readFile(join(data, 'cal2wl', `${calendar}.ics`)).catch(() => undefined),
    keeps: async (calendar) => parseKeeps(await textOf(join(data, 'cal2wl/identities', `${calendar}.json`))),
  };
}

async function mustExist(folder: string): Promise<void> {
  try {
    await readdir(folder);
  } catch (error) {
    throw new CalendarError(
      `there are no bookings in ${folder} (${codeOf(error) ?? 'unknown'}): name the configuration whose data folder it is, or the folder by --data`,
    );
  }
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

async function examsIn(folder: string): Promise<{ exams: Set<string>; running: Set<string> }> {
  const [exams, running] = [new Set<string>(), new Set<string>()];
  for await (const { state, links, items } of examFiles(folder).all())
    for (const { accessionNumber } of [...links, ...items]) {
      exams.add(accessionNumber);
      if (state === 'IN PROGRESS') running.add(accessionNumber);
    }
  return { exams, running };
}
