/** What became of each file, by series. A file counts once, however often it is tried. */
import { defined } from '@scanflow/failure/defined';
import type { StoreOutcome } from '@scanflow/dimse';
import { accepts, type Peer } from '@scanflow/dimse/store';
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

// What to do about images whose transfer syntax a peer does not accept: asks the peer which ones it accepts.

const IMPLICIT = '1.2.840.10008.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';

/** Proposed syntaxes, most useful first: name (PS3.6 annex A), and the program of DCMTK or GDCM that decodes it. */
const SYNTAXES: ReadonlyMap<string, readonly [name: string, tool: string]> = new Map([
  [EXPLICIT, ['Explicit VR Little Endian', 'dcmconv']],
  [IMPLICIT, ['Implicit VR Little Endian', 'dcmconv']],
  ['1.2.840.10008.1.2.1.99', ['Deflated Explicit VR Little Endian', 'dcmconv']],
  ['1.2.840.10008.1.2.2', ['Explicit VR Big Endian', 'dcmconv']],
  ['1.2.840.10008.1.2.4.70', ['JPEG Lossless SV1', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.57', ['JPEG Lossless', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.50', ['JPEG Baseline', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.51', ['JPEG Extended', 'dcmdjpeg']],
  ['1.2.840.10008.1.2.4.80', ['JPEG-LS Lossless', 'dcmdjpls']],
  ['1.2.840.10008.1.2.4.81', ['JPEG-LS Near-lossless', 'dcmdjpls']],
  ['1.2.840.10008.1.2.4.90', ['JPEG 2000 Lossless', 'gdcmconv --raw']],
  ['1.2.840.10008.1.2.4.91', ['JPEG 2000', 'gdcmconv --raw']],
  ['1.2.840.10008.1.2.5', ['RLE Lossless', 'dcmdrle']],
]);
/** One association proposes 128 contexts at most (PS3.8 9.3.2.2). */
const CLASSES = Math.floor(128 / SYNTAXES.size);

/**
 * Adds to each NOT_NEGOTIATED failure of the tally which transfer syntaxes the peer accepts. Opens one association. If the
 * peer does not answer, the messages stay as they are. Never rejects.
 */
export async function advise(tally: Tally, peer: Peer, signal: AbortSignal): Promise<void> {
  const refused = [...tally.failures.values()].filter((one) => one.notNegotiated !== undefined);
  const classes = [...new Set(refused.flatMap(({ notNegotiated }) => notNegotiated?.sopClassUid ?? []))];
  const asked = classes.slice(0, CLASSES);
  const kinds = asked.flatMap((sopClassUid) =>
    [...SYNTAXES.keys()].map((transferSyntax) => ({ sopClassUid, transferSyntax })),
  );
  let taken: Awaited<ReturnType<typeof accepts>>;
  try {
    taken = await accepts(peer, kinds, signal);
  } catch {
    // the failures keep their messages
    return;
  }
  for (const one of refused) {
    const { notNegotiated, failure, file } = one;
    if (notNegotiated === undefined || !asked.includes(notNegotiated.sopClassUid)) continue;
    const takes = taken
      .filter(({ sopClassUid }) => sopClassUid === notNegotiated.sopClassUid)
      .map(({ transferSyntax }) => transferSyntax);
    const message = `${failure.message} ${hint(notNegotiated.transferSyntax, takes)}`;
    tally.failures.set(file, { ...one, failure: { ...failure, message } } satisfies FailedFile);
  }
}

/**
 * What to do about one file, in sentences.
 *
 * @param syntax transfer syntax of the file
 * @param takes transfer syntaxes that the peer accepts for its SOP class
 */
export function hint(syntax: string, takes: readonly string[]): string {
  if (takes.length === 0)
    return 'It takes no images of this SOP class at all: make it accept them, or leave them out.';
  const list = takes.map((uid) => SYNTAXES.get(uid)?.[0] ?? uid).join(', ');
  const target = takes.includes(EXPLICIT) ? '+te' : takes.includes(IMPLICIT) ? '+ti' : undefined;
  const tool = SYNTAXES.get(syntax)?.[1];
  if (target === undefined || tool === undefined)
    return `It takes: ${list}. Convert the files to one of these.`;
  const program = tool === 'gdcmconv --raw' ? tool : `${tool} ${target}`;
  return `It takes: ${list}. Convert the files first, such as by ${program} IN OUT, then send those.`;
}
