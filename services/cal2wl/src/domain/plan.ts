/** What a calendar's content becomes: an outcome for each event, and what is to be published. */
import type { BookingRecord } from '@scanflow/booking';
import { eventKey, type CalendarContent } from '@scanflow/calendar';
import { interpret, unreadable, type InterpretOptions, type Outcome } from './interpret.ts';
import type { Wanted } from './reconcile.ts';
import { toRecord, type RecordOptions } from './record.ts';

export interface PlanOptions extends InterpretOptions, RecordOptions {
  readonly encode: (record: BookingRecord) => Uint8Array;
}

/** An event's outcome; a booking with the record that is published for it. */
export type Planned = Outcome & { readonly record?: BookingRecord };

export interface Plan {
  readonly outcomes: readonly Planned[];
  readonly wanted: readonly Wanted[];
  /** Keys of all events in the window. */
  readonly present: ReadonlySet<string>;
  /** UIDs of events that could not be read. */
  readonly unreadable: ReadonlySet<string>;
}

/** Longest PatientID (LO, PS3.5 table 6.2-1): cut off, two subjects could become one. */
const MAX_ID = 64;
/** Requested Procedure ID is SH: a longer session is shown shortened at the scanner. */
const MAX_SESSION = 16;

export function planCalendar({ events, problems }: CalendarContent, options: PlanOptions): Plan {
  const planned = events.map((event) => withRecord(interpret(event, options), options));
  const records = planned.flatMap(({ record }) => record ?? []);
  return {
    outcomes: [...planned, ...problems.map(unreadable)],
    wanted: records.map((record) => ({ record, item: options.encode(record) })),
    present: new Set(events.map(({ uid, recurrenceId }) => eventKey(uid, recurrenceId))),
    unreadable: new Set(problems.flatMap(({ uid }) => uid ?? [])),
  };
}

function withRecord(outcome: Outcome, options: PlanOptions): Planned {
  if (outcome.outcome !== 'booking') return outcome;
  const record = toRecord(outcome.booking, options);
  if (record.patientId.length > MAX_ID || record.patientName.length > MAX_ID) {
    const { booking: _, ...told } = outcome;
    const reason = `Project and subject together are longer than ${MAX_ID} characters. Use shorter names.`;
    return { ...told, outcome: 'rejected', code: 'ID_TOO_LONG', reason };
  }
  if (record.labels.session.length <= MAX_SESSION || outcome.code !== 'BOOKING')
    return { ...outcome, record };
  const reason = `The session has more than ${MAX_SESSION} characters, so the scanner shows only its beginning.`;
  return { ...outcome, record, code: 'SESSION_SHORTENED', reason };
}
