/** All booking records, indexed by event, labels and calendar. */
import type { BookingRecord, History, Labels } from '@scanflow/booking';
import { eventKey } from '@scanflow/calendar';

/** The known bookings of one calendar. */
export interface KnownBookings {
  has(accessionNumber: string): boolean;
  get(accessionNumber: string): BookingRecord | undefined;
  /** Records of the same event and labels, the latest last. */
  ofEvent(record: BookingRecord): readonly BookingRecord[];
  /** Records whose slot is not over. */
  toCome(): readonly BookingRecord[];
}

export class Past implements History {
  readonly #records = new Map<string, BookingRecord>();
  readonly #byLabels = new Map<string, Set<string>>();
  readonly #byEvent = new Map<string, Set<string>>();
  /** By calendar: accession numbers of slots that were not over at the last query, and their end in milliseconds. */
  readonly #toCome = new Map<string, Map<string, number>>();
  readonly #subjects = new Map<string, Set<string>>();

  /** Adds a record, or replaces the one with its accession number. */
  set(record: BookingRecord): void {
    const { accessionNumber, labels, source } = record;
    this.#records.set(accessionNumber, record);
    add(this.#byLabels, labelKey(labels), accessionNumber);
    add(this.#byEvent, eventOf(record), accessionNumber);
    const toCome = this.#toCome.get(source.calendar) ?? new Map<string, number>();
    toCome.set(accessionNumber, Temporal.Instant.from(record.end).epochMilliseconds);
    this.#toCome.set(source.calendar, toCome);
    add(this.#subjects, labels.project, labels.subject);
  }

  get(accessionNumber: string): BookingRecord | undefined {
    return this.#records.get(accessionNumber);
  }

  byLabels = (labels: Labels): readonly BookingRecord[] => this.#found(this.#byLabels.get(labelKey(labels)));

  subjects = (project: string): Iterable<string> => this.#subjects.get(project) ?? [];

  /** `from`: slots that end by then are over. Their number does not slow a pass down. */
  ofCalendar(calendar: string, from: Temporal.Instant): KnownBookings {
    const of = (accession: string): BookingRecord | undefined => {
      const record = this.#records.get(accession);
      return record?.source.calendar === calendar ? record : undefined;
    };
    return {
      has: (accession) => of(accession) !== undefined,
      get: of,
      ofEvent: (record) => {
        const event = eventOf(record);
        return this.#found(this.#byEvent.get(event)).filter((one) => eventOf(one) === event);
      },
      toCome: () => this.#found(this.#unfinished(calendar, from.epochMilliseconds)),
    };
  }

  #unfinished(calendar: string, from: number): Set<string> {
    const toCome = this.#toCome.get(calendar) ?? new Map<string, number>();
    const found = new Set<string>();
    for (const [accession, end] of toCome)
      if (end > from) found.add(accession);
      // clocks may be set back a little
      else if (end < from - SLACK_MS) toCome.delete(accession);
    return found;
  }

  #found(accessions: ReadonlySet<string> = new Set()): readonly BookingRecord[] {
    return [...accessions].flatMap((accession) => this.#records.get(accession) ?? []);
  }
}

const SLACK_MS = 7 * 86_400_000;

/** The key of an event and its labels. */
const eventOf = ({ source: { calendar, uid, recurrenceId }, labels }: BookingRecord): string =>
  JSON.stringify([calendar, eventKey(uid, recurrenceId), labels.project, labels.subject, labels.session]);

const labelKey = ({ project, subject, session }: Labels): string =>
  JSON.stringify([project, subject, session]);

function add(index: Map<string, Set<string>>, key: string, value: string): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([value]));
  else there.add(value);
}
