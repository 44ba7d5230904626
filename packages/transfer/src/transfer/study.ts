/** One study from the source to the target: moves only missing images, and requests them again if they do not arrive. */
import { defined } from '@scanflow/failure/defined';
import type { MoveOutcome } from '@scanflow/dimse';
import { permanent, type Failure } from '@scanflow/failure';
import { sleep } from '@scanflow/runtime/time';
import {
  comparedByUid,
  imagesIn,
  isFinal,
  lacking,
  pauseBefore,
  type Holding,
  type Part,
  type Terms,
} from './nodes.ts';
import { failedRow, interruptedRow, type Row, type Status } from './journal.ts';

const FIRST_LOOK_MS = 250;
const LONGEST_LOOK_MS = 10_000;

/** Where a transfer stands. */
interface Standing {
  readonly missing: Holding;
  readonly seen: Holding;
}

interface Errand {
  readonly studyUid: string;
  /** Gets how many images of how many are there. */
  readonly arrived: (images: number, of: number) => void;
  /** Images that the target had before the first attempt, which sets it. */
  there?: number;
}

/** Transfers one study. Throws FailureError if a node does not answer; the same errand can be tried again. */
export async function transferStudy(terms: Terms, errand: Errand): Promise<Row> {
  const { studyUid, arrived } = errand;
  const { source, target, signal } = terms;
  const wanted = await source.holding(studyUid, signal);
  const found = imagesIn(wanted);
  if (found === 0)
    return failedRow(
      permanent(
        'TRANSFER_NO_IMAGES',
        `${source.name} knows the study and no image of it. Look for it there.`,
      ),
      studyUid,
    );
  if (target === undefined) return byItsWord(terms, errand, found);
  const before = await target.holding(studyUid, signal);
  const lacks = lacking(wanted, before);
  const there = (errand.there ??= found - imagesIn(lacks));
  arrived(there, found);
  const mover = new Mover(terms, studyUid, wanted, (images) => arrived(images, found));
  const { missing, seen } = await mover.fetch({ missing: lacks, seen: before });
  const left = imagesIn(missing);
  const numbers = { studyUid, found, there, transferred: Math.max(0, found - left - there), missing: left };
  const checkedBy = comparedByUid(wanted, seen) ? ('UIDs' as const) : ('counts' as const);
  if (left === 0) return { ...numbers, failed: 0, status: 'Complete', checkedBy };
  const { failure, failed } = mover.verdict(missing);
  const reached: Status = signal.aborted ? 'Interrupted' : left === found ? 'Failed' : 'Incomplete';
  return { ...numbers, failed, status: reached, checkedBy, code: failure.code, reason: failure.message };
}

/** Moves what is missing, and counts what arrives. */
class Mover {
  readonly #terms: Terms;
  readonly #studyUid: string;
  readonly #wanted: Holding;
  readonly #arrived: (images: number) => void;
  #last: readonly MoveOutcome[] = [];

  constructor(terms: Terms, studyUid: string, wanted: Holding, arrived: (images: number) => void) {
    this.#terms = terms;
    this.#studyUid = studyUid;
    this.#wanted = wanted;
    this.#arrived = arrived;
  }

  async fetch(standing: Standing): Promise<Standing> {
    const { again, signal } = this.#terms;
    let { missing, seen } = standing;
    for (let round = 0; missing.size > 0 && round <= again && !signal.aborted; round++) {
      // series that are complete are not sent again
      const whole = round === 0 && missing.size === this.#wanted.size;
      if (round > 0) await sleep(pauseBefore(round), signal);
      await this.#move(whole ? [undefined] : [...missing.keys()], imagesIn(missing));
      ({ missing, seen } = await this.#settle(imagesIn(missing)));
      if (this.#last.every(isFinal)) break;
    }
    return { missing, seen };
  }

  /** Why images are missing, and how many the source reported as failed. */
  verdict(missing: Holding): { readonly failure: Failure; readonly failed: number } {
    const left = imagesIn(missing);
    const absent = new Set([...missing.values()].flatMap(({ uids }) => [...(uids ?? [])]));
    const listed = this.#last.flatMap(({ failedUids }) => failedUids).filter((uid) => absent.has(uid)).length;
    const counted = this.#last.reduce((sum, { counts }) => sum + (counts.failed ?? 0), 0);
    const failed = listed > 0 ? listed : Math.min(left, counted);
    const told = this.#last.find((outcome) => outcome.result !== 'complete');
    if (told !== undefined) return { failure: told.failure, failed };
    const { source, target, waitMs } = this.#terms;
    const message = `${source.name} says that it sent everything, but ${left} images did not arrive at ${target?.name ?? 'the target'} within ${waitMs / 1000} s of the last one. Look into the log of both, or run the list again later.`;
    return { failure: { kind: 'transient', code: 'TRANSFER_NOT_ARRIVED', message }, failed };
  }

  async #move(series: readonly (string | undefined)[], missing: number): Promise<void> {
    const { source, signal } = this.#terms;
    const outcomes: MoveOutcome[] = [];
    const had = imagesIn(this.#wanted) - missing;
    let before = 0;
    for (const seriesUid of series) {
      if (signal.aborted) break;
      const part: Part = { studyUid: this.#studyUid, ...defined({ seriesUid }) };
      let sent = 0;
      const outcome = await source.move(part, (now) => this.#arrived(had + before + (sent = now)), signal);
      before += sent;
      outcomes.push(outcome);
      // the next series would fail alike
      if (neverBegan(outcome)) break;
    }
    this.#last = outcomes;
  }

  /** Queries the target until all is there, nothing arrived for `waitMs`, or nothing more can arrive. */
  async #settle(missingBefore: number): Promise<Standing> {
    const { target, waitMs, signal } = this.#terms;
    const look = async (glance: boolean): Promise<Standing> => {
      // a person who stops it still sees how far it got
      const patience = signal.aborted ? AbortSignal.timeout(LONGEST_LOOK_MS) : signal;
      const seen = await target?.holding(this.#studyUid, patience, ...(glance ? [this.#wanted] : []));
      return { seen: seen ?? new Map(), missing: lacking(this.#wanted, seen ?? new Map()) };
    };
    let best = missingBefore;
    let since = performance.now();
    for (let wait = FIRST_LOOK_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_LOOK_MS)) {
      const standing = await look(true);
      const left = imagesIn(standing.missing);
      this.#arrived(imagesIn(this.#wanted) - left);
      if (left === 0) return standing;
      if (left < best) [best, since] = [left, performance.now()];
      const over = performance.now() - since;
      if (over >= waitMs || this.#last.reduce((sum, one) => sum + lost(one), 0) >= left) break;
      await sleep(Math.min(wait, waitMs - over), signal);
    }
    return look(false);
  }
}

/** The number of images that will certainly not arrive. */
function lost(outcome: MoveOutcome): number {
  if (outcome.result === 'complete') return 0;
  const { failed = 0, remaining = 0 } = outcome.counts;
  if (outcome.result === 'partial') return Math.max(failed, outcome.failedUids.length) + remaining;
  // a source that fell silent may go on sending; one that answered, or never began, does not
  return outcome.failure.code === 'MOVE_LOST' ? 0 : Infinity;
}

/** Whether the move never began: the source does not answer or does not accept us. */
const neverBegan = (outcome: MoveOutcome): boolean =>
  outcome.result !== 'complete' && /^(DEST_|TLS_|ORTHANC_|NOT_NEGOTIATED$)/.test(outcome.failure.code);

/** To a target that cannot be queried: only the word of the source counts. */
async function byItsWord(
  { source, again, signal }: Terms,
  { studyUid, arrived }: Errand,
  found: number,
): Promise<Row> {
  let transferred = 0;
  let outcome: MoveOutcome | undefined;
  for (let round = 0; round <= again && !signal.aborted; round++) {
    if (round > 0) await sleep(pauseBefore(round), signal);
    outcome = await source.move({ studyUid }, (images) => arrived(images, found), signal);
    transferred = Math.max(transferred, Math.min(found, said(outcome, found)));
    if ((outcome.result === 'complete' && transferred === found) || isFinal(outcome)) break;
  }
  if (outcome === undefined) return interruptedRow(studyUid);
  const missing = found - transferred;
  const numbers = { studyUid, found, there: 0, transferred, missing, checkedBy: 'source' as const };
  if (outcome.result === 'complete' && missing === 0) return { ...numbers, failed: 0, status: 'Unverified' };
  const failed = Math.min(missing, outcome.counts.failed ?? 0);
  const status: Status = signal.aborted ? 'Interrupted' : transferred === 0 ? 'Failed' : 'Incomplete';
  return { ...numbers, failed, status, ...reasonOf(outcome, source.name, transferred, found) };
}

/** The number of images that the source says it sent. */
function said({ result, counts: { completed, warning = 0 } }: MoveOutcome, found: number): number {
  if (completed === undefined) return result === 'complete' ? found : 0;
  return completed + warning;
}

function reasonOf(
  outcome: MoveOutcome,
  source: string,
  transferred: number,
  found: number,
): { readonly code: string; readonly reason: string } {
  if (outcome.result !== 'complete') return { code: outcome.failure.code, reason: outcome.failure.message };
  return {
    code: 'TRANSFER_NOT_ARRIVED',
    reason: `${source} says that it sent ${transferred} of ${found} images, and reports no failure. Give --to as AET@host:port, so that the target can be queried.`,
  };
}
