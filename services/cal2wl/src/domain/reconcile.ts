/**
 * Decides what must change on disk to agree with the calendars, what an item's file holds, and
 * what a record keeps of its own past. It writes nothing.
 * docs/reconciling.md has the table.
 *
 * An item leaves the worklist only because of its own event: the event is gone or cancelled (its record is marked
 * cancelled) or relabelled (its record points on), or its slot left the window (its record stays as it is).
 * Items of unreadable events and of running exams stay.
 */
import { encodeBookingRecord, type BookingRecord, type BookingChange } from '@scanflow/booking';
import { eventKey, overlaps, type Window } from '@scanflow/calendar';
import { fateOf, type CalendarView, type Fate } from '@scanflow/identity';
import { defined } from '@scanflow/failure/defined';
import { encodePart10, sopClasses, transferSyntaxes, worklistItem } from '@scanflow/dicom';

/** A booking to publish. */
export interface Wanted {
  readonly record: BookingRecord;
  /** The worklist item, a Part 10 file. */
  readonly item: Uint8Array;
}

/** The files under one accession number. */
export interface Published {
  readonly accessionNumber: string;
  /** Undefined if there is no readable record. */
  readonly record: BookingRecord | undefined;
  readonly item: Uint8Array | undefined;
}

export type Action =
  | { readonly kind: 'publish'; readonly wanted: Wanted; readonly isNew: boolean }
  | { readonly kind: 'unchanged'; readonly accessionNumber: string }
  /** The item leaves the worklist, the record is marked: cancelled, or superseded by another one. */
  | {
      readonly kind: 'cancel' | 'supersede';
      readonly accessionNumber: string;
      readonly record: BookingRecord;
    }
  /** The item leaves the worklist, the record stays. */
  | { readonly kind: 'withdraw'; readonly accessionNumber: string }
  | {
      readonly kind: 'keep';
      readonly accessionNumber: string;
      readonly why: 'unreadable' | 'unknown' | 'held' | 'frozen';
    };

export interface Reconciled {
  readonly actions: readonly Action[];
  /** Input of the next pass. */
  readonly suspicion: string | undefined;
  /** Accession numbers of bookings whose change waits until an exam has ended. */
  readonly waiting: ReadonlySet<string>;
}

interface ReconcileInput {
  readonly view: CalendarView;
  readonly wanted: readonly Wanted[];
  /** May include records of other calendars. */
  readonly published: ReadonlyMap<string, Published>;
  readonly window: Window;
  /** Accession numbers of running exams, whose bookings do not change. */
  readonly frozen: ReadonlySet<string>;
}

/** Compares one calendar with what is published of it. */
export function reconcile(input: ReconcileInput): Reconciled {
  const { view, published, window } = input;
  const wanted = new Map(input.wanted.map((one) => [one.record.accessionNumber, one]));
  const ours = [...published.values()].filter(({ record }) => record?.source.calendar === view.calendar);
  const leaving = ours
    .filter((one) => isListed(one) && !wanted.has(one.accessionNumber))
    .map((one) => ({ one, fate: fateOf(one.record, view, window) }));
  const guard = guardShrink({
    answered: view.answered,
    before: view.suspicion,
    listed: ours.filter((one) => isListed(one) && inWindow(one, window)).length,
    lost: leaving.filter(({ fate }) => fate === 'lost').map(({ one }) => one.accessionNumber),
    empty: view.present.size === 0,
    accepted: view.accepted,
  });
  const running = frozenEvents(ours, input.frozen);
  const entering = [...wanted.values()].map((one) => ({ one, actions: enter(one, input, running) }));
  const waiting = entering.filter(({ actions }) => !actions.some(({ kind }) => kind !== 'keep'));
  return {
    suspicion: guard.suspicion,
    waiting: new Set(waiting.map(({ one }) => one.record.accessionNumber)),
    actions: [
      // the new item comes before the old one leaves
      ...entering.flatMap(({ actions }) => actions),
      ...leaving.flatMap(({ one, fate }) =>
        leave({ one, fate: fate === 'lost' && guard.hold ? 'held' : fate }, input),
      ),
    ],
  };
}

/** An item on the worklist, or a booking that left it and may come back. */
const isListed = ({ item, record }: Published): boolean =>
  item !== undefined || record?.status === 'scheduled';

/** Keys of the events whose exams run. */
function frozenEvents(ours: readonly Published[], frozen: ReadonlySet<string>): ReadonlySet<string> {
  return new Set(
    ours.flatMap(({ accessionNumber, record, item }) =>
      record !== undefined && item !== undefined && frozen.has(accessionNumber) ? keyOf(record) : [],
    ),
  );
}

const keyOf = ({ source: { uid, recurrenceId } }: BookingRecord): string => eventKey(uid, recurrenceId);

function enter(
  wanted: Wanted,
  { published, frozen }: ReconcileInput,
  running: ReadonlySet<string>,
): Action[] {
  const { accessionNumber } = wanted.record;
  const there = published.get(accessionNumber);
  if (isSame(wanted, there)) return [{ kind: 'unchanged', accessionNumber }];
  const isRunning = frozen.has(accessionNumber) && there?.item !== undefined && there.record !== undefined;
  if (isRunning) return [{ kind: 'keep', accessionNumber, why: 'frozen' }];
  // a relabelled booking waits until its exam has ended
  if (running.has(keyOf(wanted.record))) return [];
  return [{ kind: 'publish', wanted, isNew: there?.item === undefined }];
}

function leave({ one, fate }: { one: Published; fate: Fate | 'held' }, input: ReconcileInput): Action[] {
  const { accessionNumber, record, item } = one;
  if (item !== undefined && input.frozen.has(accessionNumber))
    return [{ kind: 'keep', accessionNumber, why: 'frozen' }];
  switch (fate) {
    case 'past':
    case 'moved':
      return item === undefined ? [] : [{ kind: 'withdraw', accessionNumber }];
    case 'changed':
    case 'lost':
      return [ended(one, input.wanted)];
    case 'held':
    case 'unknown':
    case 'unreadable':
      return item === undefined && record !== undefined ? [] : [{ kind: 'keep', accessionNumber, why: fate }];
  }
}

/** The event has other labels now, or none. A record that already points on does not change. */
function ended({ accessionNumber, record }: Published, wanted: readonly Wanted[]): Action {
  if (record === undefined || record.status === 'superseded') return { kind: 'withdraw', accessionNumber };
  const successor = wanted.find((one) => keyOf(one.record) === keyOf(record));
  if (successor === undefined)
    return { kind: 'cancel', accessionNumber, record: { ...record, status: 'cancelled' } };
  const supersededBy = successor.record.accessionNumber;
  return { kind: 'supersede', accessionNumber, record: { ...record, status: 'superseded', supersededBy } };
}

/** Items whose record is unreadable, or whose calendar is no longer configured. */
export function sweep(
  published: ReadonlyMap<string, Published>,
  {
    calendars,
    wanted,
    frozen,
    allRead,
  }: {
    calendars: ReadonlySet<string>;
    wanted: ReadonlySet<string>;
    frozen: ReadonlySet<string>;
    allRead: boolean;
  },
): Action[] {
  const stray = [...published.values()].filter(
    ({ accessionNumber, record, item }) =>
      item !== undefined && !wanted.has(accessionNumber) && !calendars.has(record?.source.calendar ?? ''),
  );
  return stray.map(({ accessionNumber, record }): Action => {
    if (frozen.has(accessionNumber)) return { kind: 'keep', accessionNumber, why: 'frozen' };
    // an item without a record may belong to a calendar that does not answer
    return record === undefined && !allRead
      ? { kind: 'keep', accessionNumber, why: 'unknown' }
      : { kind: 'withdraw', accessionNumber };
  });
}

function isSame({ record, item }: Wanted, published: Published | undefined): boolean {
  return (
    published?.record !== undefined &&
    published.item !== undefined &&
    encodeBookingRecord(published.record) === encodeBookingRecord(record) &&
    Buffer.compare(published.item, item) === 0
  );
}

const inWindow = ({ record }: Published, window: Window): boolean =>
  record?.status === 'scheduled' &&
  overlaps({ start: Temporal.Instant.from(record.start), end: Temporal.Instant.from(record.end) }, window);

interface ShrinkQuestion {
  /** Whether the calendar answered in this pass. An earlier answer confirms nothing. */
  readonly answered: boolean;
  /** The suspicion of the last pass. */
  readonly before: string | undefined;
  /** The number of its bookings in the window that are on the worklist. */
  readonly listed: number;
  /** Accession numbers of bookings whose events are gone from the calendar. */
  readonly lost: readonly string[];
  /** Whether the calendar has no event in the window. */
  readonly empty: boolean;
  /** Whether a person accepts the removals that are held back. */
  readonly accepted: boolean;
}

/** With this many bookings or more, a loss of more than half is suspicious. */
const MANY = 4;

/**
 * Holds back removals if a calendar lost all bookings, or more than half of four or more
 * bookings, until a second answer confirms the loss. The suspicion names the lost bookings.
 */
function guardShrink({ answered, before, listed, lost, empty, accepted }: ShrinkQuestion): {
  hold: boolean;
  suspicion: string | undefined;
} {
  const suspicious = lost.length > 0 && (empty || (listed >= MANY && lost.length * 2 > listed));
  if (!suspicious) return { hold: false, suspicion: undefined };
  const doubted = new Set(before?.split(' '));
  // like a second answer, a person confirms only removals that were held back before
  const confirmed = (answered || accepted) && lost.every((accession) => doubted.has(accession));
  if (confirmed) return { hold: false, suspicion: undefined };
  return { hold: true, suspicion: answered ? lost.toSorted().join(' ') : before };
}

/** The scanner as the worklist names it. */
export interface ScannerSettings {
  readonly aet: string;
  readonly modality: string;
  readonly stationName?: string | undefined;
  readonly location?: string | undefined;
  /** Defaults to UTF-8, which holds every text: the worklist converts answers for each scanner. */
  readonly characterSet?: string | undefined;
}

/**
 * The bytes of a Part 10 file (PS3.10 7) in Explicit VR Little Endian. Equal input gives equal bytes. `zone` is the
 * facility's zone: worklist items carry local time.
 */
export function encodeItem(record: BookingRecord, scanner: ScannerSettings, zone: string): Uint8Array {
  const { characterSet = 'ISO_IR 192', aet, modality, stationName = aet, location } = scanner;
  const { accessionNumber, studyInstanceUid, patientId, patientName, operator } = record;
  const item = worklistItem({
    accessionNumber,
    studyInstanceUid,
    patientId,
    patientName,
    requestedProcedureId: record.labels.session,
    description: record.title,
    ...defined({ requestingPhysician: operator }),
    // an SH like the accession number, and as unique: a booking has one step
    scheduledProcedureStepId: accessionNumber,
    stationAet: aet,
    stationName,
    ...defined({ location }),
    modality,
    start: Temporal.Instant.from(record.start).toZonedDateTimeISO(zone),
    characterSet,
  });
  return encodePart10(item, {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    characterSet,
    sopClassUid: sopClasses.modalityWorklistFind,
    sopInstanceUid: `${studyInstanceUid}.1`,
  });
}

/** Changes that a record keeps: the latest. */
const MOST = 20;

const KEYS = ['start', 'end', 'scanner', 'status'] as const;

/**
 * A record that is about to be written, with the changes that the one on disk has, and one more if it differs. Neither the
 * identity nor the item depends on them.
 *
 * @param before the record on disk under the same accession number
 */
export function withHistory(
  record: BookingRecord,
  before: BookingRecord | undefined,
  now: Temporal.Instant,
): BookingRecord {
  if (before === undefined) return record;
  const known = before.changes ?? [];
  const changed = KEYS.filter((key) => before[key] !== record[key]);
  if (changed.length === 0) return known.length === 0 ? record : { ...record, changes: known };
  const was: BookingChange = {
    at: now.toString({ smallestUnit: 'second' }),
    ...Object.fromEntries(changed.map((key) => [key, before[key]])),
  };
  return { ...record, changes: [...known, was].slice(-MOST) };
}
