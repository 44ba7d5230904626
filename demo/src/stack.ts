/** Where the parts of a running Scanflow are, and what its streamer reports of the series until all are stored and sent. */
import { setTimeout as pause } from 'node:timers/promises';
import type { DataSet, PhantomInstance, PrivateTag } from '@scanflow/dicom';
import type { Peer } from '@scanflow/dimse';
import type { Api } from '@scanflow/cli/installation';
import type { Address } from '@scanflow/cli/command';
import type { Show } from '@scanflow/cli/terminal';

export interface DemoScanner {
  /** Key in the configuration. */
  readonly name: string;
  readonly aet: string;
  readonly modality: string;
}

/** What a scanner reports of a series that it made. */
export interface ScannedSeries {
  readonly seriesInstanceUid: string;
  readonly seriesDescription: string;
  readonly images: readonly { readonly sopClassUid: string; readonly sopInstanceUid: string }[];
}

/** Reports that the exam of a worklist item begins; answers how its end is reported. Throws an Error for a refusal. */
export type Exams = (
  peer: Peer,
  item: DataSet,
  modality: string,
  signal: AbortSignal,
) => Promise<(series: readonly ScannedSeries[]) => Promise<void>>;

/** A series as a scanner makes it. */
export interface Scan {
  readonly seriesInstanceUid: string;
  readonly seriesDescription: string;
  readonly images: readonly PhantomInstance[];
}

export interface Stack {
  readonly scanners: readonly DemoScanner[];
  readonly timezone: string;
  readonly worklist: Address;
  /** If absent, the scanners report no exams. */
  readonly exams?: Exams;
  /** What a scanner makes of a worklist item; if absent, one series. Undefined: it makes no such thing. */
  readonly scan?: (scanner: DemoScanner, item: DataSet, when: Temporal.ZonedDateTime) => Scan[] | undefined;
  /** Where images are sent to. */
  readonly receiver: Address;
  /** The streamer's HTTP interface. */
  readonly streamer: Api;
  /** Project storage as this process sees it. */
  readonly projectRoot: string;
  /** The private tag that the streamer adds. */
  readonly tag: PrivateTag;
  /** Folder in which the research PACS keeps what it received, as this process sees it. */
  readonly pacsFolder: string;
}

export interface Day {
  /** How many sessions each scanner plays at most. */
  readonly sessions: number;
  /** Images per series. */
  readonly images: number;
}

/** What the demo reads of `GET /api/series`. */
export interface SeriesView {
  readonly seriesInstanceUid: string;
  readonly state: string;
  readonly reason?: string;
  readonly legs: readonly LegView[];
}

interface LegView {
  /** `storage`, or the name of a destination. */
  readonly target: string;
  readonly state: string;
  readonly done: number;
  readonly total: number;
  readonly path?: string;
  readonly failure?: { readonly code: string; readonly message: string };
}

const LOOK_EVERY_MS = 250;
const ANSWER_MS = 10_000;
/** The demo gives up after so long without any progress. */
const STALLED_MS = 90_000;

/** Waits until every series has ended, well or not. Returns the series by Series Instance UID. */
export async function awaitStreamer(
  stack: Pick<Stack, 'streamer'>,
  sent: readonly { seriesInstanceUid: string; images: readonly unknown[]; accessionNumber: string }[],
  show: Show,
  signal: AbortSignal,
): Promise<Map<string, SeriesView>> {
  const total = sent.reduce((sum, { images }) => sum + images.length, 0);
  const told = new Set<string>();
  let moved = performance.now();
  let before = '';
  for (;;) {
    const seen = await fetchSeries(stack.streamer, signal);
    const ours = sent.map(({ seriesInstanceUid }) => seen.get(seriesInstanceUid));
    tellNews(sent, seen, told, show);
    const stored = ours.reduce(
      (sum, series) => sum + doneOf(series, ({ target }) => target === 'storage'),
      0,
    );
    const ended = ours.every((series) => series !== undefined && hasEnded(series));
    show.progress('stored', stored, total);
    if (ended) return seen;
    const now = JSON.stringify(ours);
    if (now !== before) [before, moved] = [now, performance.now()];
    if (performance.now() - moved > STALLED_MS) {
      show.problem(`the streamer has not moved for ${STALLED_MS / 1000} s: see scanflow series`);
      return seen;
    }
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

const hasEnded = ({ state, legs }: SeriesView): boolean =>
  state === 'complete' ||
  state === 'failed' ||
  state === 'quarantined' ||
  (legs.length > 0 && legs.every((leg) => leg.state !== 'pending'));

const doneOf = (series: SeriesView | undefined, which: (leg: LegView) => boolean): number =>
  series?.legs.filter(which).reduce((sum, { done }) => sum + done, 0) ?? 0;

function tellNews(
  sent: readonly { seriesInstanceUid: string; accessionNumber: string }[],
  seen: ReadonlyMap<string, SeriesView>,
  told: Set<string>,
  show: Show,
): void {
  for (const { seriesInstanceUid, accessionNumber } of sent) {
    const series = seen.get(seriesInstanceUid);
    for (const leg of series?.legs ?? []) {
      const key = `${seriesInstanceUid} ${leg.target} ${leg.state} ${leg.failure?.code ?? ''}`;
      if (told.has(key) || (leg.state === 'pending' && leg.failure === undefined)) continue;
      told.add(key);
      tell(show, accessionNumber, leg);
    }
  }
}

function tell(show: Show, accessionNumber: string, leg: LegView): void {
  const what = leg.target === 'storage' ? 'tagged and stored' : `forwarded to ${leg.target}`;
  if (leg.state === 'done') show.step(`${accessionNumber}: ${leg.done} images ${what}`, leg.path);
  else
    show.problem(
      `${accessionNumber}: ${leg.target}: ${leg.failure?.code ?? ''} ${leg.failure?.message ?? ''}`,
    );
}

async function fetchSeries({ url, headers }: Api, signal: AbortSignal): Promise<Map<string, SeriesView>> {
  const limit = AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]);
  const answer = await fetch(`${url}/api/series`, { signal: limit, headers });
  if (!answer.ok) throw new Error(`the streamer answered ${answer.status} to ${url}/api/series`);
  const { series } = (await answer.json()) as { series: SeriesView[] };
  return new Map(series.map((one) => [one.seriesInstanceUid, one]));
}
