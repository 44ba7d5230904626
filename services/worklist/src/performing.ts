/** What scanners tell of exams: N-CREATE and N-SET, one after the other, each on disk before it is answered. */
import { codeOf, type Log } from '@scanflow/chassis';
import type { CreateRequest, NormalizedResult, SetRequest } from '@scanflow/dimse';
import { fromDicomJson } from '@scanflow/dicom';
import type { PerformedRecord } from '@scanflow/booking';
import type { PerformedStore } from './adapters/performed.ts';
import { joinItems, linkedItems } from './domain/after-exam.ts';
import { recordOf, linksOf, type RecordInput } from './domain/performed-record.ts';
import { createStep, DUPLICATE, PERFORMED_STATUS, setStep, UNKNOWN } from './domain/performed.ts';
import type { PerformedRefusal, PerformedStep } from './domain/performed.ts';
import type { Schedule } from './domain/schedule.ts';

export interface PerformingOptions {
  readonly store: PerformedStore;
  /** Everything that the folder holds, to link steps to. */
  readonly all: () => Schedule;
  readonly timezone: string;
  readonly log: Log;
  /** A step was created or changed: before the scanner is answered. */
  readonly onChange: () => void;
}

/** A request that was not carried out, for people; never with a value of an attribute. */
export interface RefusedReport {
  readonly at: string;
  readonly operation: 'N-CREATE' | 'N-SET';
  readonly callingAet: string;
  readonly sopInstanceUid: string;
  /** Four hexadecimal digits. */
  readonly status: string;
  readonly comment: string;
}

type Operation = RefusedReport['operation'];
type Who = Pick<CreateRequest, 'association' | 'sopInstanceUid'>;

const REFUSALS_KEPT = 100;
const now = (): string => Temporal.Now.instant().toString({ smallestUnit: 'second' });

/** Takes what scanners report. A request that cannot be carried out changes nothing, and shows in `refused`. */
export class Performing {
  readonly #options: PerformingOptions;
  readonly #refused: RefusedReport[] = [];
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: PerformingOptions) {
    this.#options = options;
  }

  /** The last refusals, newest first. */
  get refused(): readonly RefusedReport[] {
    return this.#refused;
  }

  /** N-CREATE: a scanner begins an exam. */
  create(request: CreateRequest): Promise<NormalizedResult> {
    return this.#inTurn(() => this.#create(request));
  }

  /** N-SET: it tells more of it, or ends it. */
  set(request: SetRequest): Promise<NormalizedResult> {
    return this.#inTurn(() => this.#set(request));
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work);
    this.#last = turn.catch(() => undefined);
    return turn;
  }

  async #create(request: CreateRequest): Promise<NormalizedResult> {
    const { sopInstanceUid, attributes, association } = request;
    if (this.#options.store.summaries().has(sopInstanceUid)) {
      return this.#refuse('N-CREATE', request, DUPLICATE);
    }
    const outcome = createStep(attributes);
    if (!outcome.ok) return this.#refuse('N-CREATE', request, outcome.refusal);
    const { step } = outcome;
    const created = now();
    const { callingAet } = association;
    const items = this.#linked(step);
    return this.#save('N-CREATE', request, {
      sopInstanceUid,
      step,
      callingAet,
      created,
      updated: created,
      items,
    });
  }

  async #set(request: SetRequest): Promise<NormalizedResult> {
    const { sopInstanceUid, modifications } = request;
    const before = await this.#options.store.read(sopInstanceUid);
    if (before === undefined) return this.#refuse('N-SET', request, UNKNOWN);
    const { state, created, callingAet } = before;
    const outcome = setStep({ state, attributes: fromDicomJson(before.attributes) }, modifications);
    if (!outcome.ok) return this.#refuse('N-SET', request, outcome.refusal);
    const { step } = outcome;
    const items = joinItems(before.items, this.#linked(step));
    return this.#save('N-SET', request, { sopInstanceUid, step, callingAet, created, updated: now(), items });
  }

  #linked(step: PerformedStep): RecordInput['items'] {
    const { all, timezone } = this.#options;
    return linkedItems(linksOf(step.attributes), all().entries, timezone);
  }

  async #save(
    operation: Operation,
    who: Who,
    input: Omit<RecordInput, 'timezone'>,
  ): Promise<NormalizedResult> {
    const { store, timezone, log, onChange } = this.#options;
    const record = recordOf({ ...input, timezone });
    try {
      await store.write(record);
    } catch (error) {
      const code = codeOf(error) ?? 'unknown';
      log.error('performed.not-written', { sopInstanceUid: input.sopInstanceUid, code });
      const comment = `The record cannot be written: ${code}`;
      return this.#refuse(operation, who, { status: PERFORMED_STATUS.noResources, comment });
    }
    tell(log, operation, record);
    onChange();
    return { status: 0 };
  }

  #refuse(operation: Operation, who: Who, refusal: PerformedRefusal): NormalizedResult {
    const { callingAet, id } = who.association;
    const { sopInstanceUid } = who;
    const status = refusal.status.toString(16).toUpperCase().padStart(4, '0');
    const report = { operation, callingAet, sopInstanceUid, status, comment: refusal.comment };
    this.#options.log.warn('performed.refused', { association: id, ...report });
    this.#refused.unshift({ at: now(), ...report });
    this.#refused.length = Math.min(this.#refused.length, REFUSALS_KEPT);
    return refusal;
  }
}

function tell(log: Log, operation: Operation, record: PerformedRecord): void {
  const { sopInstanceUid, state, callingAet, links, items, series } = record;
  log.info(operation === 'N-CREATE' ? 'performed.created' : 'performed.set', {
    sopInstanceUid,
    state,
    callingAet,
    accessionNumbers: links.map(({ accessionNumber }) => accessionNumber),
    linked: items.length,
    series: series.length,
    images: series.reduce((sum, { images }) => sum + images, 0),
  });
}
