/** A running cal2wl with two calendars whose content the tests of docs/reconciling.md choose. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type BookingRecord } from '@scanflow/booking';
import { makeCalendar, type CalendarEntry } from '@scanflow/testkit';
import {
  giving,
  soon,
  startCal2wlWith,
  startCalendarServer,
  temporaryFolder,
  type Answer,
  type Cal2wl,
} from './cal2wl-support.ts';

export interface Scene {
  readonly cal2wl: Cal2wl;
  readonly data: string;
  /** Lets the first calendar show these, and waits for a pass. */
  show(...entries: CalendarEntry[]): Promise<void>;
  /** Lets the first calendar answer so, from the next request on. */
  answer(answer: Answer): void;
  /** The second calendar, `other`, of the same scanner. */
  showOther(...entries: CalendarEntry[]): Promise<void>;
  record(accessionNumber: string): Promise<BookingRecord>;
  /** Starts anew with other settings. */
  restart(settings: Settings): Promise<Cal2wl>;
}

export interface Settings {
  /** Names of the two calendars, or of the first one only. */
  readonly calendars?: readonly string[];
  /** What stands under `id` of the first one; absent if undefined. */
  readonly id?: string;
  /** What stands under `scanner` of each calendar. */
  readonly scanner?: string;
  /** What stands under `bookings.window`. */
  readonly window?: string;
}

export async function scene(
  entries: readonly CalendarEntry[],
  play: (scene: Scene) => Promise<void>,
  first: Settings = {},
): Promise<void> {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const servers = [
    await startCalendarServer(giving(makeCalendar(entries))),
    await startCalendarServer(giving(makeCalendar([soon('800', 100)]))),
  ] as const;
  const start = ({
    calendars = ['prisma', 'other'],
    id,
    scanner = 'prisma',
    window = '{}',
  }: Settings): Promise<Cal2wl> =>
    startCal2wlWith(data, [
      'scanners: { prisma: { aet: PRISMA, modality: MR }, skyra: { aet: SKYRA, modality: MR } }',
      'calendars:',
      ...calendars.map(
        (name, index) =>
          `  ${name}: { url: 'http://127.0.0.1:${servers[index]?.port ?? 0}/', scanner: ${scanner}${id !== undefined && index === 0 ? `, id: ${id}` : ''} }`,
      ),
      `bookings: { every: 100ms, window: ${window} }`,
    ]);
  let cal2wl = await start(first);
  try {
    await cal2wl.pass();
    await play({
      data,
      get cal2wl() {
        return cal2wl;
      },
      async show(...shown) {
        servers[0].answer = giving(makeCalendar(shown));
        await cal2wl.pass();
      },
      answer(answer) {
        servers[0].answer = answer;
      },
      async showOther(...shown) {
        servers[1].answer = giving(makeCalendar(shown));
        await cal2wl.pass();
      },
      record: async (accessionNumber) =>
        JSON.parse(
          await readFile(join(data, 'bookings', `${accessionNumber}.json`), 'utf8'),
        ) as BookingRecord,
      async restart(settings) {
        await cal2wl.program.stop('SIGKILL');
        cal2wl = await start(settings);
        await cal2wl.pass();
        return cal2wl;
      },
    });
  } finally {
    await cal2wl.program.stop('SIGKILL');
    for (const server of servers) await server.close();
    await folder.remove();
  }
}

/** Accession number of the scheduled booking of a subject. */
export async function accessionOf({ cal2wl }: Scene, subject: string): Promise<string> {
  const found = (await cal2wl.records()).find(
    ({ labels, status }) => labels.subject === `sub-${subject}` && status === 'scheduled',
  );
  assert.ok(found, `no booking of ${subject}`);
  return found.accessionNumber;
}
export const onWorklist = async ({ cal2wl }: Scene): Promise<string[]> =>
  (await cal2wl.items()).map((name) => name.slice(0, 16));
export const warningsOf = async ({ cal2wl }: Scene, accession: string): Promise<readonly string[]> =>
  (await cal2wl.bookings()).bookings.find(({ accessionNumber }) => accessionNumber === accession)?.warnings ??
  [];

/** A booking that keeps the worklist from looking empty. */
export const anchor = soon('900', 30);
