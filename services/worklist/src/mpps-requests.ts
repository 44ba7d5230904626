/** Handles N-CREATE and N-SET. Requests of one exam run one after the other, and each is on disk before its answer. */
import { defined } from '@scanflow/failure/defined';
import { codeOf } from '@scanflow/failure';
import { KeyedQueue, type Log } from '@scanflow/runtime';
import {
  NORMALIZED_DECODING,
  type CreateRequest,
  type EncodedDataSet,
  type NormalizedResult,
  type SetRequest,
} from '@scanflow/dimse';
import type { ExamSummary } from '@scanflow/booking';
import { DicomDecodeError } from '@scanflow/dicom';
import { Thread } from '@scanflow/runtime/thread';
import type { ExamStore } from './adapters/exam-store.ts';
import type { AccessPolicy } from './domain/access.ts';
import { joinItems, linkedItems } from './domain/after-exam.ts';
import {
  DUPLICATE,
  FOREIGN,
  MPPS_STATUS,
  UNKNOWN,
  type MppsRefusal,
  type Strictness,
} from './domain/mpps.ts';
import {
  fillIn,
  type KnownScanners,
  type Report,
  readReport,
  sizeOf,
  type Reported,
} from './domain/mpps-report.ts';
import type { Schedule } from './domain/schedule.ts';
import type { Answer } from './mpps-worker.ts';

interface MppsRequestsOptions {
  readonly store: ExamStore;
  readonly policy: AccessPolicy;
  /** Everything that the folder holds, to link steps to. */
  readonly all: () => Schedule;
  readonly timezone: string;
  readonly strictness: Strictness;
  readonly scanners: KnownScanners;
  readonly log: Log;
  /** Called after a step was created or changed, before the answer to the scanner. */
  readonly onChange: () => void;
}

/** A refused request, for people. It holds no value of an attribute. */
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
type Request = Who & { readonly encoded: EncodedDataSet };

const REFUSALS_KEPT = 100;
/** Refusals kept per calling AE title, so that one caller does not hide the refusals of others. */
const REFUSALS_OF_ONE = 20;
const now = (): string => Temporal.Now.instant().toString({ smallestUnit: 'second' });

/** Handles the reports of scanners. A refused request changes nothing, and shows in `refused`. */
export class MppsRequests {
  readonly #options: MppsRequestsOptions;
  /** By exam, in the order of arrival. */
  readonly #queue = new KeyedQueue();
  readonly #reports = new Reports();
  #refused: readonly RefusedReport[] = [];

  constructor(options: MppsRequestsOptions) {
    this.#options = options;
  }

  /** Ends the worker thread. */
  close(): Promise<void> {
    return this.#reports.close();
  }

  /** The last refusals, newest first. */
  get refused(): readonly RefusedReport[] {
    return this.#refused;
  }

  /** N-CREATE: a scanner begins an exam. */
  create(request: CreateRequest): Promise<NormalizedResult> {
    return this.#queue.run(request.sopInstanceUid, () => this.#create(request));
  }

  /** N-SET: a scanner reports more of an exam, or ends it. */
  set(request: SetRequest): Promise<NormalizedResult> {
    return this.#queue.run(request.sopInstanceUid, () => this.#set(request));
  }

  async #create(request: CreateRequest): Promise<NormalizedResult> {
    const { sopInstanceUid, association } = request;
    const { store } = this.#options;
    await store.look(sopInstanceUid);
    if (store.summaries().has(sopInstanceUid)) return this.#refuse('N-CREATE', request, DUPLICATE);
    const created = now();
    const { callingAet } = association;
    return this.#read('N-CREATE', request, { callingAet, created, updated: created, onlySeen: true });
  }

  async #set(request: SetRequest): Promise<NormalizedResult> {
    const { store, policy } = this.#options;
    // the exam may have begun at another worklist
    await store.look(request.sopInstanceUid);
    const known = store.summaries().get(request.sopInstanceUid);
    if (known === undefined) return this.#refuse('N-SET', request, UNKNOWN);
    const { callingAet, created, onlySeen = false } = known;
    if (!policy.isSame(request.association.callingAet, callingAet))
      return this.#refuse('N-SET', request, FOREIGN);
    const before = await store.read(request.sopInstanceUid);
    if (before === undefined) return this.#refuse('N-SET', request, UNKNOWN);
    const about = { callingAet, created, updated: now(), onlySeen };
    return this.#read('N-SET', request, about, before);
  }

  /** Reads the report, links the exam to what its scanner may see, and writes the record. */
  async #read(
    operation: Operation,
    request: Request,
    about: Omit<Report['about'], 'sopInstanceUid' | 'timezone'>,
    before?: Uint8Array,
  ): Promise<NormalizedResult> {
    const { store, timezone, strictness, scanners, policy } = this.#options;
    const { sopInstanceUid, encoded } = request;
    const report: Report = {
      ...encoded,
      decoding: { ...NORMALIZED_DECODING, assumed: policy.assumed(about.callingAet) },
      strictness,
      about: { ...about, sopInstanceUid, timezone },
      ...defined({ before }),
    };
    const reported = await this.#reports.read(report);
    if (!reported.ok) return this.#refuse(operation, request, reported.refusal);
    const { attributes } = reported;
    const summary = fillIn(reported.summary, scanners);
    const items = joinItems(store.summaries().get(sopInstanceUid)?.items ?? [], this.#linked(summary));
    return this.#save(operation, request, { ...summary, items }, attributes);
  }

  #linked({ links, callingAet }: ExamSummary): ExamSummary['items'] {
    const { all, timezone, policy } = this.#options;
    const seen = linkedItems(links, all(), timezone);
    return seen.filter(({ entry }) => policy.maySee(callingAet, entry)).map(({ item }) => item);
  }

  async #save(
    operation: Operation,
    who: Who,
    summary: ExamSummary,
    attributes: Uint8Array,
  ): Promise<NormalizedResult> {
    const { store, log, onChange } = this.#options;
    try {
      if (operation === 'N-SET') await store.write(summary, attributes);
      // at another worklist, in the same moment
      else if (!(await store.create(summary, attributes))) return this.#refuse(operation, who, DUPLICATE);
    } catch (error) {
      const code = codeOf(error) ?? 'unknown';
      log.error('performed.not-written', { ...placeOf(who), code });
      const comment = `The record cannot be written: ${code}`;
      return this.#refuse(operation, who, { status: MPPS_STATUS.noResources, comment });
    }
    tell(log, operation, summary);
    onChange();
    return { status: 0 };
  }

  #refuse(operation: Operation, who: Who, refusal: MppsRefusal): NormalizedResult {
    const { callingAet } = who.association;
    const { sopInstanceUid } = who;
    const status = refusal.status.toString(16).toUpperCase().padStart(4, '0');
    const report = { operation, callingAet, sopInstanceUid, status, comment: refusal.comment };
    this.#options.log.warn('performed.refused', { ...placeOf(who), ...report });
    let own = 0;
    this.#refused = [{ at: now(), ...report }, ...this.#refused]
      .filter((one) => one.callingAet !== callingAet || (own += 1) <= REFUSALS_OF_ONE)
      .slice(0, REFUSALS_KEPT);
    return refusal;
  }
}

const placeOf = ({ association: { id, address }, sopInstanceUid }: Who): object => ({
  association: id,
  address,
  sopInstanceUid,
});

function tell(log: Log, operation: Operation, summary: ExamSummary): void {
  const { sopInstanceUid, state, callingAet, links, items, series, missing = [] } = summary;
  log.info(operation === 'N-CREATE' ? 'performed.created' : 'performed.set', {
    sopInstanceUid,
    state,
    callingAet,
    accessionNumbers: links.map(({ accessionNumber }) => accessionNumber),
    linked: items.length,
    series: series.length,
    ...(missing.length === 0 ? {} : { missing }),
    images: series.reduce((sum, { images }) => sum + images, 0),
  });
}

/** Up to so many bytes are read in the event loop: some milliseconds. */
const SMALL_BYTES = 131_072;
/** Longest reading, start of the worker included. The largest report takes a second or two. */
const TIMEOUT_MS = 30_000;
/** Heap of the worker: the largest report needs some 150 MiB. */
const HEAP_MIB = 384;
/** The worker ends when nothing large came for so long. */
const IDLE_MS = 60_000;

/** Reads reports of exams: small ones at once, large ones in a worker thread, so that nobody waits for 100,000 images. */
class Reports {
  // one at a time: a large one takes memory
  readonly #thread = new Thread<Report, Answer>({
    module: new URL('./mpps-worker.ts', import.meta.url),
    timeoutMs: TIMEOUT_MS,
    heapMiB: HEAP_MIB,
    youngMiB: 16,
    idleMs: IDLE_MS,
  });

  /** Throws DicomDecodeError, as reading does; and ThreadError where the thread exceeded its limits. */
  async read(report: Report): Promise<Reported> {
    if (sizeOf(report) <= SMALL_BYTES) return readReport(report);
    const answer = await this.#thread.call(report);
    if ('undecodable' in answer) throw decodeError(answer.undecodable);
    return answer;
  }

  close(): Promise<void> {
    return this.#thread.close();
  }
}

function decodeError({ code, offset, message }: Pick<DicomDecodeError, 'code' | 'offset' | 'message'>) {
  return new DicomDecodeError(code, offset, message.replace(/ \(at byte \d+\)$/, ''));
}
