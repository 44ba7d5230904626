/** What became of each file, by series. A file counts once, however often it is tried. */
import type { StoreOutcome } from '@scanflow/dimse';
import type { Found } from './found.ts';
import { DICOMDIR, type KnownSeries, type Seen, type SeriesFacts } from './look.ts';

type FailedOutcome = Extract<StoreOutcome, { result: 'failed' }>;
type Failure = FailedOutcome['failure'];

export interface FailedFile {
  readonly file: string;
  readonly sopInstanceUid?: string;
  /** What the peer does not take, where that is why. */
  readonly notNegotiated?: NonNullable<StoreOutcome['notNegotiated']>;
  /** How often it was begun: what stood in the way goes behind the others. */
  readonly tries: number;
  readonly failure: Failure;
}

export interface SeriesRow {
  readonly facts: SeriesFacts | undefined;
  /** A folder, an archive, or files: what its images came out of, as named on the command line. */
  readonly sources: ReadonlySet<string>;
  images: number;
  sent: number;
}

/** Not DICOM, or not an image. */
const SKIPPED: ReadonlySet<string> = new Set(['NOT_DICOM', DICOMDIR]);

/** The peer, or the way to it: a file that was not begun has no part in it. */
const ELSEWHERE = /^(DEST_|TLS_|CANCELLED$|SEND_HELD$)/;

export class Tally {
  sent = 0;
  /** Sent by an earlier run of the same command. */
  earlier = 0;
  /** Files of which something was told for good: sent, or never to be. */
  settled = 0;
  /** Files that the peer was given a part of, counted each time. */
  begun = 0;
  warnings = 0;
  bytes = 0;
  skipped = 0;
  readonly untagged = new Map<string, number>();
  /** Files that did not go, with why; those to be tried again among them. */
  readonly failures = new Map<string, FailedFile>();
  /** Archives and folders that could not be read to their end. */
  readonly troubles = new Map<string, string>();
  /** Of all series that were met. */
  readonly known: KnownSeries = new Map();
  readonly #rows = new Map<string, SeriesRow & { readonly sources: Set<string> }>();
  /** Which row counts a file that may be tried again. */
  readonly #counted = new Map<string, string>();

  get series(): SeriesRow[] {
    return [...this.#rows.values()];
  }

  get attempted(): number {
    return this.sent + this.failures.size;
  }

  /** Files that may go if they are tried again, by how often they were begun: the least often first. */
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

  /** Files whose series is not known, as nobody looked into them. */
  get unseen(): Set<string> {
    const unknown = ([, key]: [string, string]): boolean => this.#rows.get(key)?.facts === undefined;
    return new Set([...this.#counted].filter(unknown).map(([file]) => file));
  }

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
      ...(sopInstanceUid === undefined ? {} : { sopInstanceUid }),
      ...(notNegotiated === undefined ? {} : { notNegotiated }),
    });
  }

  /** It is no image after all. */
  skip(file: string): void {
    this.#uncount(file);
    this.failures.delete(file);
    this.skipped += 1;
  }

  /** Counts a file where it belongs. */
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
