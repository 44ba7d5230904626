/** The first pass after an update that reads calendars differently: published bookings keep their identity. */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readIsolated, type CalendarContent, type Window } from '@scanflow/calendar';
import {
  encodeKeeps,
  formerIdIn,
  keepIdentities,
  parseKeeps,
  spanOf,
  type KnownBookings,
  type Keeps,
  type Plan,
} from '@scanflow/identity';
import { readRejected } from '@scanflow/records';
import { OWN_FILES, type Files } from './lead.ts';

export interface UpdateOptions {
  /** Folder of cal2wl's own state. */
  readonly folder: string;
  /** Folder of the booking records, where the version before left `rejected.json`. */
  readonly bookings: string;
  /** IANA zone of times without one. */
  readonly zone: string;
  /** Accession numbers of exams on record. */
  readonly exams: () => Promise<ReadonlySet<string>>;
  readonly files?: Files;
}

export interface UpdateQuestion {
  readonly calendar: string;
  readonly known: KnownBookings;
  readonly now: Temporal.Instant;
  /** The plan that this version derives from a calendar. */
  readonly plan: (content: CalendarContent) => Promise<Plan>;
}

const PARSE_TIMEOUT_MS = 60_000;
const MODE = 0o640;
/** Decides once per calendar and version, before the fetch, and keeps the decision over restarts. */
export class Update {
  readonly #options: UpdateOptions;
  readonly #decided = new Map<string, Keeps>();

  constructor(options: UpdateOptions) {
    this.#options = options;
  }

  /** Kept identities by the accession number that this version derives. Throws if it cannot decide now: then nothing is published. */
  async keeps(question: UpdateQuestion): Promise<Keeps> {
    const { calendar } = question;
    const folder = join(this.#options.folder, 'identities');
    const path = join(folder, `${calendar}.json`);
    const decided = this.#decided.get(calendar) ?? parseKeeps(await readFile(path, 'utf8').catch(() => ''));
    const keeps = decided ?? (await this.#decide(question));
    if (decided === undefined) {
      const { files = OWN_FILES } = this.#options;
      await files.mayAct();
      await mkdir(folder, { recursive: true, mode: 0o750 });
      await files.write(path, encodeKeeps(keeps), MODE);
    }
    this.#decided.set(calendar, keeps);
    return keeps;
  }

  async #decide({ calendar, known, now, plan }: UpdateQuestion): Promise<Keeps> {
    const { folder, bookings, exams } = this.#options;
    const records = known.toCome().filter(({ status }) => status === 'scheduled');
    const body = await readFile(join(folder, `${calendar}.ics`)).catch(() => undefined);
    const window = spanOf(records);
    if (window === undefined || body === undefined) return new Map();
    const content = await this.#read(body, window);
    if (content === undefined) return new Map();
    const planned = await plan(content);
    return keepIdentities({
      records,
      now,
      outcomes: planned.outcomes,
      formerId: formerIdIn(planned),
      exams: await exams(),
      rejected: await readRejected(bookings),
    });
  }

  /** A body that this version cannot read decides nothing. A failure of this machine throws, for a later retry. */
  async #read(body: Uint8Array, window: Window): Promise<CalendarContent | undefined> {
    const { zone } = this.#options;
    const read = await readIsolated(body, { window, zone, timeoutMs: PARSE_TIMEOUT_MS });
    if (read.ok) return read.content;
    if (['FEED_TIMEOUT', 'FEED_UNEXPECTED'].includes(read.error.code)) throw new Error(read.error.message);
    return undefined;
  }
}
