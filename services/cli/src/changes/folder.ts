/** What lies in a data folder, of any version, looked at and never written. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseExamRecord, parseBookingRecord } from '@scanflow/booking';
import { codeOf } from '@scanflow/failure';
import { readBounded } from '@scanflow/runtime';
import { parseKeeps, parseRejected, Past, type Keeps, type Rejected } from '@scanflow/identity';
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

const MAX_BYTES = 67_108_864;
const RECORD = /^[0-9A-HJKMNP-TV-Z]{16}\.json$/;

/** Throws CalendarError where there is none. */
export async function openDataFolder(data: string): Promise<DataFolder> {
  const bookings = join(data, 'bookings');
  const past = new Past();
  for (const name of (await namesIn(bookings)).filter((one) => RECORD.test(one))) {
    const parsed = parseBookingRecord(await textOf(join(bookings, name)));
    if (parsed.ok) past.set(parsed.record);
  }
  return {
    past,
    rejected: parseRejected(await textOf(join(bookings, 'rejected.json'))),
    ...(await examsIn(join(data, 'performed'))),
    body: (calendar) => readFile(join(data, 'cal2wl', `${calendar}.ics`)).catch(() => undefined),
    keeps: async (calendar) => parseKeeps(await textOf(join(data, 'cal2wl/identities', `${calendar}.json`))),
  };
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw new CalendarError(
      `there are no bookings in ${folder} (${codeOf(error) ?? 'unknown'}): name the configuration whose data folder it is, or the folder by --data`,
    );
  }
}

const textOf = (path: string): Promise<string> => readFile(path, 'utf8').catch(() => '');

async function examsIn(folder: string): Promise<{ exams: Set<string>; running: Set<string> }> {
  const [exams, running] = [new Set<string>(), new Set<string>()];
  for (const name of await readdir(folder).catch((): string[] => [])) {
    const bytes = await readBounded(join(folder, name), MAX_BYTES).catch(() => undefined);
    const parsed = bytes === undefined ? undefined : parseExamRecord(bytes.toString('utf8'));
    if (parsed?.ok !== true) continue;
    const { state, links, items } = parsed.record;
    for (const { accessionNumber } of [...links, ...items]) {
      exams.add(accessionNumber);
      if (state === 'IN PROGRESS') running.add(accessionNumber);
    }
  }
  return { exams, running };
}
