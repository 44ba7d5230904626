/** `scanflow bookings --changes`: what an update would change of what a data folder has published. Writes nothing. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isDerivedAccession, type Outcome, type Rejected } from '@scanflow/booking';
import { readIsolated, type CalendarContent, type Window } from '@scanflow/calendar';
import { codeOf } from '@scanflow/failure';
import { given } from '@scanflow/failure/defined';
import {
  adopt,
  calendarRenamed,
  fateOf,
  formerIdIn,
  formerName,
  keepIdentities,
  parseKeeps,
  Past,
  spanOf,
  type CalendarView,
  type Keeps,
  type KnownBookings,
  type Plan,
  type RenameQuestion,
} from '@scanflow/identity';
import { bookingFiles, examFiles, readRejected } from '@scanflow/records';
import type { Io } from '../command.ts';
import { CalendarError, fetchCalendar, type Calendar, type Choice } from './calendar.ts';
import { compare, type Change } from './compare.ts';

const PARSE_TIMEOUT_MS = 60_000;

interface ChangesInput {
  readonly choice: Choice;
  readonly folder: DataFolder;
  readonly window: Window;
  readonly now: Temporal.Instant;
  readonly plan: (content: CalendarContent) => Plan;
}

interface CalendarChanges {
  readonly changes: readonly Change[];
  /** Why the calendar could not be read, so that its last good copy counts; or why nothing of it would be published. */
  readonly failure: string | undefined;
}

/** The changes of one calendar. Throws CalendarError if neither it nor a copy can be read. */
export async function changesOf(input: ChangesInput, io: Io): Promise<CalendarChanges> {
  const { folder, window } = input;
  const { name, rules } = input.choice;
  const { calendar } = rules;
  const known = folder.past.ofCalendar(calendar, window.from);
  const body = await folder.body(calendar);
  const keeps = (await folder.keeps(calendar)) ?? (await decided(input, known, body));
  const { content, failure } = await contentOf(input, body, io);
  const plan = input.plan(content);
  const view = viewOf(calendar, content, plan);
  const former = formerOf(input, { view, outcomes: plan.outcomes });
  if (former !== undefined) {
    const { code, message } = calendarRenamed(name, former);
    return { changes: [], failure: `${message} (${code})` };
  }
  const outcomes = identified(plan, { known, keeps, view, window });
  const { running } = folder;
  const formerId = formerIdIn(plan);
  const changes = compare({ calendar: name, outcomes, known, view, window, running, formerId });
  return { changes, failure: given(failure, (why) => `${why}; its last good copy is shown`) };
}

/** The id of a calendar that left the configuration, and that this one seems to have been. */
const formerOf = (
  { choice: { configured }, folder: { past }, window }: ChangesInput,
  read: Pick<RenameQuestion, 'view' | 'outcomes'>,
): string | undefined =>
  configured === undefined ? undefined : formerName({ ...read, past, configured, window });

async function decided(
  { choice, folder, now, plan }: ChangesInput,
  known: KnownBookings,
  body: Uint8Array | undefined,
): Promise<Keeps> {
  const records = known.toCome().filter(({ status }) => status === 'scheduled');
  const window = spanOf(records);
  if (window === undefined || body === undefined) return new Map();
  const read = await readIsolated(body, { window, zone: choice.zone, timeoutMs: PARSE_TIMEOUT_MS });
  if (!read.ok) return new Map();
  const planned = plan(read.content);
  const { exams, rejected } = folder;
  const formerId = formerIdIn(planned);
  const ofCalendar = rejected.filter((one) => one.calendar === choice.name);
  return keepIdentities({ records, outcomes: planned.outcomes, formerId, exams, rejected: ofCalendar, now });
}

async function contentOf(
  { choice: { place, zone }, window }: ChangesInput,
  body: Uint8Array | undefined,
  io: Io,
): Promise<{ content: CalendarContent; failure: string | undefined }> {
  const read = async ({ bytes, charset }: Calendar): Promise<CalendarContent> => {
    const found = await readIsolated(bytes, { window, zone, charset, timeoutMs: PARSE_TIMEOUT_MS });
    if (found.ok) return found.content;
    throw new CalendarError(`${found.error.message} (${found.error.code})`);
  };
  try {
    return { content: await read(await fetchCalendar(place, io.signal)), failure: undefined };
  } catch (error) {
    if (!(error instanceof CalendarError) || body === undefined) throw error;
    return { content: await read({ bytes: body }), failure: error.message };
  }
}

const viewOf = (calendar: string, { outside }: CalendarContent, plan: Plan): CalendarView => ({
  ...{ calendar, outside, answered: true, unknown: false, suspicion: undefined, accepted: true },
  ...{ present: plan.present, unreadable: plan.unreadable },
});

function identified(
  plan: Plan,
  given: { known: KnownBookings; keeps: Keeps; view: CalendarView; window: Window },
): Outcome[] {
  const { known, keeps, view, window } = given;
  return adopt(plan.outcomes, {
    known,
    keeps,
    formerId: formerIdIn(plan),
    isLost: (record) => record.status === 'scheduled' && fateOf(record, view, window) === 'lost',
  });
}

interface DataFolder {
  readonly past: Past;
  readonly rejected: readonly Rejected[];
  /** Accession numbers of recorded exams, and of running exams. */
  readonly exams: ReadonlySet<string>;
  readonly running: ReadonlySet<string>;
  /** The last good copy of a calendar, if there is one. */
  body(calendar: string): Promise<Uint8Array | undefined>;
  /** What cal2wl has decided since the update. */
  keeps(calendar: string): Promise<Keeps | undefined>;
}

/** Reads a data folder of any version. Throws CalendarError if it has no bookings. */
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
