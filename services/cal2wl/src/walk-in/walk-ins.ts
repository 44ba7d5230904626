/** Walk-ins: bookings of the calendar `walk-in`, which operators make on the day board. Their records are all that there is of them. */
import { flagBookings, WALK_IN, type BookingRecord, type Outcome } from '@scanflow/booking';
import { walkInRules, type Config } from '@scanflow/config';
import { FailureError, type Failure } from '@scanflow/failure';
import type { Past } from '@scanflow/identity';
import { KeyedQueue, type Erasures, type Log } from '@scanflow/runtime';
import type { RunningExams } from '../adapters/running-exams.ts';
import type { Shelf } from '../adapters/shelf.ts';
import { windowAt } from '../domain/expand.ts';
import { encodeItem, type Published } from '../domain/reconcile.ts';
import type { ProjectList } from '../judge.ts';
import { publish } from '../publish.ts';
import { isWalkIn, judge, keepWalkIns, timeProblem, uidOf, type WalkIn } from './plan.ts';

export interface WalkInOptions {
  readonly config: Config;
  readonly shelf: Shelf;
  readonly running: RunningExams;
  readonly erasures: Erasures;
  /** Lists of projects, by the name that `walkInRules` gives. */
  readonly projects: ReadonlyMap<string, ProjectList>;
  /** All booking records. */
  readonly past: () => Promise<Past>;
  readonly log: Log;
}

/** A walk-in that was added, or that the same form had added before. */
export interface Added {
  readonly record: BookingRecord;
  readonly isNew: boolean;
}

/** Longest wait for a list of projects that is due: afterwards its last good content counts, as for bookings. */
const LIST_MS = 3_000;

export class WalkIns {
  readonly #options: WalkInOptions;
  /** One change at a time: no pass publishes a walk-in that a person withdraws. */
  readonly #turns = new KeyedQueue();

  constructor(options: WalkInOptions) {
    this.#options = options;
  }

  /** Runs work while no walk-in changes. */
  inTurn<T>(work: () => Promise<T>): Promise<T> {
    return this.#turns.run(WALK_IN, work);
  }

  /** What a walk-in would become, with warnings about `others`, the bookings that the calendars hold now. */
  async judge(walkIn: WalkIn, others: readonly Outcome[]): Promise<Outcome> {
    const { config, past } = this.#options;
    this.#refuseCalendar();
    if (!Object.hasOwn(config.scanners, walkIn.scanner))
      throw refused('WALK_IN_SCANNER', `There is no scanner ${walkIn.scanner}. Choose one of the list.`);
    const outcome = judge(walkIn, await this.#rules(walkIn.scanner));
    if (outcome.outcome !== 'booking') return outcome;
    const now = Temporal.Now.instant();
    const problem = timeProblem(outcome.record, now, windowAt(now, config.bookings.window));
    if (problem !== undefined) throw refused('WALK_IN_TIME', problem);
    return flagBookings([...others, outcome], await past()).at(-1) ?? outcome;
  }

  /** Writes the record and then the item. Throws a FailureError with the sentence of a refusal. */
  async add(walkIn: WalkIn): Promise<Added> {
    const outcome = await this.judge(walkIn, []);
    if (outcome.outcome !== 'booking') throw refused(outcome.code, outcome.reason);
    const { record } = outcome;
    return this.inTurn(async () => {
      const past = await this.#options.past();
      const before = past.ofCalendar(WALK_IN, Temporal.Now.instant()).toCome();
      const there = before.find(({ source }) => source.uid === uidOf(walkIn.id));
      if (there !== undefined) return { record: sameOr(there, record), isNew: false };
      if (this.#options.erasures.hasLabels(record.labels))
        throw refused('WALK_IN_ERASED', 'Everything under these labels was erased. Use other labels.');
      const item = this.#itemOf(record);
      if (item === undefined) throw refused('WALK_IN_SCANNER', `There is no scanner ${record.scanner}.`);
      await this.#write({ kind: 'publish', wanted: { record, item }, isNew: true }, past);
      return { record, isNew: true };
    });
  }

  /** Takes a walk-in off the worklist, as long as no scanner reported its exam. Answers false where that was done before. */
  withdraw(accessionNumber: string): Promise<boolean> {
    return this.inTurn(async () => {
      const past = await this.#options.past();
      const record = past.get(accessionNumber);
      if (record === undefined || !isWalkIn(record))
        throw refused('WALK_IN_NONE', `There is no walk-in ${accessionNumber}.`);
      if (record.status !== 'scheduled') return false;
      if ((await this.#options.running.all()).has(accessionNumber))
        throw refused('WALK_IN_SCANNED', 'The scanner reported an exam of this walk-in, so it stays.');
      await this.#write(
        { kind: 'cancel', accessionNumber, record: { ...record, status: 'cancelled' } },
        past,
      );
      return true;
    });
  }

  /** One pass over the walk-ins: items that are missing come back, and those whose slot is long past leave. */
  keep(now: Temporal.Instant, frozen: ReadonlySet<string>, listed: ReadonlyMap<string, Published>) {
    const { config, shelf, erasures, log, past } = this.#options;
    const window = windowAt(now, config.bookings.window);
    return this.inTurn(async (): Promise<Failure | undefined> => {
      // the calendar of that name has them
      if (this.#isTaken()) return undefined;
      const known = await past();
      const toCome = known.ofCalendar(WALK_IN, window.from).toCome();
      const onList = [...listed.values()].flatMap(({ record }) => record ?? []).filter(isWalkIn);
      const accessions = new Set([...toCome, ...onList].map(({ accessionNumber }) => accessionNumber));
      const records = [...accessions].flatMap(
        (accession) => known.get(accession) ?? listed.get(accession)?.record ?? [],
      );
      const actions = keepWalkIns({
        records: records.filter(({ labels }) => !erasures.hasLabels(labels)),
        published: await shelf.read([...accessions]),
        window,
        frozen,
        itemOf: (record) => this.#itemOf(record),
      });
      return publish(actions, { shelf, log: log.child({ calendar: WALK_IN }), written: () => undefined });
    });
  }

  async #rules(scanner: string) {
    const { config, projects } = this.#options;
    const now = Temporal.Now.instant();
    return Promise.all(
      walkInRules(config, scanner).map(async ({ list, rules }) => {
        const read = await projects.get(list)?.read(now, AbortSignal.timeout(LIST_MS));
        return read?.projects === undefined ? rules : { ...rules, projects: read.projects };
      }),
    );
  }

  async #write(action: Parameters<Shelf['apply']>[0], past: Past): Promise<void> {
    const { shelf, log } = this.#options;
    const failure = await publish([action], {
      shelf,
      log: log.child({ calendar: WALK_IN }),
      written: (record) => past.set(record),
    });
    if (failure !== undefined) throw new FailureError(failure);
  }

  #itemOf(record: BookingRecord): Uint8Array | undefined {
    const { scanners, facility } = this.#options.config;
    const scanner = scanners[record.scanner];
    return scanner && encodeItem(record, scanner, facility.timezone);
  }

  #isTaken(): boolean {
    return Object.hasOwn(this.#options.config.calendars, WALK_IN);
  }

  #refuseCalendar(): void {
    if (this.#isTaken())
      throw refused(
        'WALK_IN_CALENDAR',
        `A calendar of the configuration has the name ${WALK_IN}, so no walk-in can be added. Ask facility IT: scanflow check says what to do.`,
      );
  }
}

/** The record that the same form made before. */
function sameOr(there: BookingRecord, asked: BookingRecord): BookingRecord {
  if (there.status !== 'scheduled')
    throw refused('WALK_IN_GONE', 'This walk-in was withdrawn. Fill in a new form.');
  const isSame =
    there.accessionNumber === asked.accessionNumber &&
    there.scanner === asked.scanner &&
    there.start === asked.start;
  if (!isSame)
    throw refused('WALK_IN_OTHER', 'This form has added another walk-in already. Fill in a new form.');
  return there;
}

const refused = (code: string, message: string): FailureError =>
  new FailureError({ kind: 'permanent', code, message });
