/** All booking records that there are, found by what is asked of them. */
import type { BookingRecord, History, Labels } from '@scanflow/booking';

export class Past implements History {
  readonly #records = new Map<string, BookingRecord>();
  readonly #byLabels = new Map<string, Set<string>>();
  readonly #byCalendar = new Map<string, Set<string>>();
  readonly #subjects = new Map<string, Set<string>>();

  /** Takes a record in the place of what was known of its accession number. */
  set(record: BookingRecord): void {
    const { accessionNumber, labels, source } = record;
    this.#records.set(accessionNumber, record);
    add(this.#byLabels, labelKey(labels), accessionNumber);
    add(this.#byCalendar, source.calendar, accessionNumber);
    add(this.#subjects, labels.project, labels.subject);
  }

  get(accessionNumber: string): BookingRecord | undefined {
    return this.#records.get(accessionNumber);
  }

  byLabels = (labels: Labels): readonly BookingRecord[] => this.#found(this.#byLabels.get(labelKey(labels)));

  subjects = (project: string): Iterable<string> => this.#subjects.get(project) ?? [];

  ofCalendar(calendar: string): readonly BookingRecord[] {
    return this.#found(this.#byCalendar.get(calendar));
  }

  #found(accessions: ReadonlySet<string> = new Set()): readonly BookingRecord[] {
    return [...accessions].flatMap((accession) => this.#records.get(accession) ?? []);
  }
}

const labelKey = ({ project, subject, session }: Labels): string =>
  JSON.stringify([project, subject, session]);

function add(index: Map<string, Set<string>>, key: string, value: string): void {
  const there = index.get(key);
  if (there === undefined) index.set(key, new Set([value]));
  else there.add(value);
}
