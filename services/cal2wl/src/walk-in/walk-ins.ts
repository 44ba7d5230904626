/**
 * Walk-ins: bookings of the calendar `walk-in`, which operators make on the day board, and the requests that make them. Their
 * records are all that there is of them.
 */
import {
  flagBookings,
  WALK_IN,
  type BookingRecord,
  type Outcome,
  isObject,
  LABELS,
  rowOf,
  type Labels,
} from '@scanflow/booking';
import { calendarId, walkInRules, type Config } from '@scanflow/config';
import { FailureError, type Failure } from '@scanflow/failure';
import type { Past } from '@scanflow/identity';
import { KeyedQueue, type Erasures, type Log, type FastifyInstance } from '@scanflow/runtime';
import type { RunningExams } from '../adapters/running-exams.ts';
import type { Shelf } from '../adapters/shelf.ts';
import { windowAt } from '../domain/expand.ts';
import { withHistory, encodeItem, type Published } from '../domain/reconcile.ts';
import type { ProjectList } from '../judge.ts';
import { publish } from '../publish.ts';
import { isWalkIn, judge, keepWalkIns, timeProblem, uidOf, type WalkIn } from './plan.ts';
import type { PassReport } from '../report.ts';

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
      const withdrawn = withHistory({ ...record, status: 'cancelled' }, record, Temporal.Now.instant());
      await this.#write({ kind: 'cancel', accessionNumber, record: withdrawn }, past);
      return true;
    });
  }

  /** One pass over the walk-ins: items that are missing come back, and those whose slot is long past leave. */
  keep(now: Temporal.Instant, frozen: ReadonlySet<string>, listed: ReadonlyMap<string, Published>) {
    const { config, shelf, erasures, log, past } = this.#options;
    const window = windowAt(now, config.bookings.window);
    return this.inTurn(async (): Promise<Failure | undefined> => {
      const known = await past();
      const toCome = known.ofCalendar(WALK_IN, window.from).toCome();
      const onList = [...listed.values()].flatMap(({ record }) => record ?? []).filter(isWalkIn);
      // a configured calendar may have the name, and its bookings are its own
      const accessions = new Set(
        [...toCome.filter(isWalkIn), ...onList].map(({ accessionNumber }) => accessionNumber),
      );
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

  #refuseCalendar(): void {
    const { config } = this.#options;
    if (Object.keys(config.calendars).some((name) => calendarId(config, name) === WALK_IN))
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

const PATH = '/api/board/walk-in';

export function addWalkIns(
  app: FastifyInstance,
  { walkIns, last }: { readonly walkIns: () => WalkIns; readonly last: () => PassReport | undefined },
): void {
  app.post(`${PATH}/try`, ({ body }, reply) =>
    answered(reply, async () => {
      const others = (last()?.calendars ?? []).flatMap(({ outcomes }) => outcomes);
      const outcome = await walkIns().judge(walkInOf(body), others);
      const warnings = outcome.outcome === 'booking' ? outcome.warnings : [];
      return { ...rowOf(outcome), warnings: warnings.map(({ code }) => code) };
    }),
  );
  app.post(PATH, ({ body }, reply) =>
    answered(reply, async () => {
      const { record, isNew } = await walkIns().add(walkInOf(body));
      return { accessionNumber: record.accessionNumber, isNew };
    }),
  );
  app.post<{ Params: { accession: string } }>(`${PATH}/:accession/withdraw`, ({ params }, reply) =>
    answered(reply, async () => ({ withdrawn: await walkIns().withdraw(params.accession) })),
  );
}

const STATUS: Readonly<Record<string, number>> = {
  WALK_IN_UNREADABLE: 400,
  WALK_IN_NONE: 404,
  PUBLISH: 503,
  STANDBY: 503,
  LEASE_UNKNOWN: 503,
};

/** A refusal with its code and sentence; anything else is for the log. */
async function answered(
  reply: { code(status: number): { send(body: object): unknown } },
  work: () => Promise<object>,
): Promise<unknown> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { code, message } = error.failure;
    return reply.code(STATUS[code] ?? 409).send({ code, error: message });
  }
}

const ID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const LONGEST = 256;
const MOST_ADDRESSES = 1000;

/** Throws a FailureError where the body is no walk-in. */
function walkInOf(body: unknown): WalkIn {
  const given = isObject(body) ? body : {};
  const text = (key: string): string => {
    const value = given[key];
    const trimmed = typeof value === 'string' && value.length <= LONGEST ? value.trim() : '';
    if (trimmed === '') throw unreadable(key, 'a short text');
    return trimmed;
  };
  const labels = Object.fromEntries(LABELS.map((name) => [name, text(name)])) as unknown as Labels;
  const id = text('id');
  if (!ID.test(id)) throw unreadable('id', 'a UUID');
  const addresses = given['addresses'];
  if (!isTexts(addresses)) throw unreadable('addresses', 'a list of texts');
  return { id, labels, scanner: text('scanner'), start: instantOf(text('start')), by: text('by'), addresses };
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) &&
  value.length <= MOST_ADDRESSES &&
  value.every((one) => typeof one === 'string' && one.length <= LONGEST);

function instantOf(text: string): Temporal.Instant {
  try {
    return Temporal.Instant.from(text);
  } catch {
    throw unreadable('start', 'an instant like 2026-11-28T08:00:00Z');
  }
}

const unreadable = (key: string, expected: string): FailureError =>
  new FailureError({
    kind: 'permanent',
    code: 'WALK_IN_UNREADABLE',
    message: `${key}: expected ${expected}.`,
  });
