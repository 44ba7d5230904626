/** What became of each file, by series. A file counts once, however often it is tried. */
import { defined } from '@scanflow/failure/defined';
import type { StoreOutcome } from '@scanflow/dimse';
import type { Found, SeriesFacts } from './found.ts';
import { DICOMDIR, type KnownSeries, type Seen } from './look.ts';

type FailedOutcome = Extract<StoreOutcome, { result: 'failed' }>;
type Failure = FailedOutcome['failure'];

export interface FailedFile {
  readonly file: string;
  readonly sopInstanceUid?: string;
  /** SOP class and transfer syntax that the peer did not accept, if that is the reason. */
  readonly notNegotiated?: NonNullable<StoreOutcome['notNegotiated']>;
  /** How often it was begun. A file that stood in the way goes behind the others. */
  readonly tries: number;
  readonly failure: Failure;
}

export interface SeriesRow {
  readonly facts: SeriesFacts | undefined;
  /** The folder, archive or files that its images came out of, as named on the command line. */
  readonly sources: ReadonlySet<string>;
  images: number;
  sent: number;
}

/** Not DICOM, or not an image. */
const SKIPPED: ReadonlySet<string> = new Set(['NOT_DICOM', DICOMDIR]);

/** Failures of the peer or of the way to it. A file that was not begun did not cause them. */
const ELSEWHERE = /^(DEST_|TLS_|CANCELLED$|SEND_HELD$)/;

export class Tally {
  sent = 0;
  /** Sent by an earlier run of the same command. */
  earlier = 0;
  /** Files with a final result: sent, or never to be sent. */
  settled = 0;
  /** Files of which the peer got a part, counted at each try. */
  begun = 0;
  warnings = 0;
  bytes = 0;
  skipped = 0;
  readonly untagged = new Map<string, number>();
  /** Files that were not sent, and why, including those to retry. */
  readonly failures = new Map<string, FailedFile>();
  /** Archives and folders that could not be read completely, by source. */
  readonly troubles = new Map<string, string>();
  /** Facts of all series so far. */
  readonly known: KnownSeries = new Map();
  readonly #rows = new Map<string, SeriesRow & { readonly sources: Set<string> }>();
  /** The row that counts a file, by file. */
  readonly #counted = new Map<string, string>();

  get series(): SeriesRow[] {
    return [...this.#rows.values()];
  }

  get attempted(): number {
    return this.sent + this.failures.size;
  }

  /** Files to retry, grouped by the number of tries, fewest first. */
  get open(): string[][] {
    const open = [...this.failures.values()].filter(({ failure }) => failure.kind !== 'permanent');
    const turns = Map.groupBy(open, ({ tries }) => tries);
    return [...turns].sort(([a], [b]) => a - b).map(([, files]) => files.map(({ file }) => file));
  }

  /** Files that were never begun. */
  get untried(): string[] {
    const [first = ''] = this.open[0] ?? [];
    return this.failures.get(first)?.tries === 0 ? (this.open[0] ?? []) : [];
  }

  /** Files whose series is unknown because nobody read them. */
  get unseen(): Set<string> {
    const unknown = ([, key]: [string, string]): boolean => this.#rows.get(key)?.facts === undefined;
    return new Set([...this.#counted].filter(unknown).map(([file]) => file));
  }

  /** Counts the result of one try. `seen`: what was read of the file, if anything was. */
  outcome(outcome: StoreOutcome, found: Found, seen: Seen | undefined): void {
    const { id: file } = found;
    const tries = this.failures.get(file)?.tries ?? 0;
    this.failures.delete(file);
    if (outcome.result === 'failed' && SKIPPED.has(outcome.failure.code)) {
      this.skip(file);
      return;
    }
    const row = this.place(found, seen);
    if (outcome.result === 'failed') {
      this.#failed(file, outcome, tries);
      return;
    }
    this.#counted.delete(file);
    row.sent += 1;
    this.sent += 1;
    this.begun += 1;
    this.settled += 1;
    this.bytes += seen?.size ?? 0;
    if (outcome.result === 'warning') this.warnings += 1;
    if (seen?.untagged !== undefined)
      this.untagged.set(seen.untagged, (this.untagged.get(seen.untagged) ?? 0) + 1);
  }

  #failed(file: string, outcome: FailedOutcome, tries: number): void {
    const { failure, sopInstanceUid, notNegotiated, underWay = false, status } = outcome;
    const reached = underWay || status !== undefined;
    if (reached) this.begun += 1;
    if (failure.kind === 'permanent') this.settled += 1;
    this.failures.set(file, {
      file,
      failure,
      tries: tries + (reached || !ELSEWHERE.test(failure.code) ? 1 : 0),
      ...defined({ sopInstanceUid, notNegotiated }),
    });
  }

  /** Counts a file that is no image after all. */
  skip(file: string): void {
    this.#uncount(file);
    this.failures.delete(file);
    this.skipped += 1;
  }

  /** Counts a file in the row of its series and group; returns the row. */
  place({ id: file, source, group }: Found, seen: Seen | undefined): SeriesRow {
    const key = `${seen?.series?.seriesInstanceUid ?? ''} ${group}`;
    if (this.#counted.get(file) !== key) {
      this.#uncount(file);
      this.#counted.set(file, key);
      this.#row(key, seen?.series).images += 1;
    }
    const row = this.#row(key, seen?.series);
    row.sources.add(source);
    return row;
  }

  #uncount(file: string): void {
    const key = this.#counted.get(file);
    const row = key === undefined ? undefined : this.#rows.get(key);
    this.#counted.delete(file);
    if (key === undefined || row === undefined) return;
    row.images -= 1;
    if (row.images === 0) this.#rows.delete(key);
  }

  #row(key: string, facts: SeriesFacts | undefined): SeriesRow & { readonly sources: Set<string> } {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    const row = { facts, sources: new Set<string>(), images: 0, sent: 0 };
    this.#rows.set(key, row);
    return row;
  }
}
