/** What people see of each series: the API's rows, and the same as CSV. */
import type { Labels } from '@scanflow/booking';
import { csvText } from '@scanflow/chassis';
import { shownWarnings, type Warning } from '../completeness/warnings.ts';
import type { Decision } from '../model/decision.ts';
import type { Doubt } from '../store/place/evidence.ts';
import type { Moved } from '../move/plan.ts';
import { outcomeOf, type Outcome } from '../sessions/plan.ts';
import { STORAGE } from '../model/series.ts';
import type { NotSent, Outlook, Waits } from '../send/outlook.ts';
import type { DeliveryView, LegView, SeriesView } from '../ports.ts';
import { verificationReport, type VerificationReport } from '../verify/report.ts';

export interface SeriesReport {
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly modality: string;
  readonly seriesNumber: string;
  readonly seriesDescription: string;
  readonly state: string;
  /** In one word for people: a complete series of which the scanner made more images is `Incomplete`. */
  readonly outcome: Outcome;
  /** Why it is quarantined, or incomplete. */
  readonly reason?: string;
  readonly reasonCode?: string;
  readonly labels?: { readonly project: string; readonly subject: string; readonly session: string };
  /** What a person should look at: images that seem to be missing, labels that another study has. */
  readonly warnings?: readonly Warning[];
  /** Weak signs against the booking by which it was routed. */
  readonly doubts?: readonly Doubt[];
  /** By which a person gave it its labels. */
  readonly decision?: Pick<Decision, 'kind' | 'at' | 'by' | 'reason'>;
  /** Where it was before, and why it is not there any more. */
  readonly moved?: readonly Moved[];
  /** It is being moved to these labels. */
  readonly moving?: { readonly labels: Labels; readonly reason: string };
  readonly firstSeen: string;
  /** When its quiet timer ends. */
  readonly due?: string;
  /** In Orthanc when it was last looked at. */
  readonly instances: number;
  /** How many images the scanner said that it made (MPPS). */
  readonly expected?: number;
  /** Pulls that brought something: more than one where images came late. */
  readonly increment: number;
  readonly images: {
    readonly inOrthanc: number;
    readonly stored: number;
    readonly untagged: number;
    /** Beside those stored: other bytes under a SOP Instance UID that is there already. */
    readonly differing: number;
  };
  /** When its images were deleted from Orthanc. */
  readonly cleaned?: string;
  /** Why they were not, though they should have been. */
  readonly notCleaned?: { readonly code: string; readonly message: string };
  readonly session?: string;
  readonly legs: readonly LegReport[];
  /** When its files were last read again, in project storage and in the copy, and what was found. */
  readonly verification: readonly VerificationReport[];
  /** Destinations to which it does not go. */
  readonly notSent?: readonly NotSent[];
  /** What hooks were told of it and then of its session, each the latest first; only of one series alone. */
  readonly hooks?: readonly HookReport[];
}

/** One event for one hook, in the form of a leg. */
export interface HookReport extends LegReport {
  readonly event: string;
  readonly increment: number;
  /** The last of what the command wrote, or the address answered. */
  readonly output: string;
}

export interface LegReport {
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly done: number;
  readonly total: number;
  /** Of those sent: copies that Orthanc transcoded, in the place of what is stored. Absent: none. */
  readonly transcoded?: number;
  /** Pending, and outside the hours of its destination. */
  readonly waits?: { readonly until: string; readonly message: string };
  /** Of the storage leg: the folder. */
  readonly path?: string;
}

/** What the configuration says that a report needs. */
export interface ReportContext {
  /** storage.root, for absolute paths. */
  readonly root: string;
  readonly destinations: ReadonlySet<string>;
  /** What the destinations have to say of it. */
  readonly outlook?: Outlook;
  /** Series that could not be deleted from Orthanc when they should have been. */
  readonly notCleaned?: Pick<ReadonlyMap<string, { readonly code: string; readonly message: string }>, 'get'>;
}

export function seriesReport(view: SeriesView, context: ReportContext): SeriesReport {
  const { attributes, labels, due, expected, cleaned, session, stored, differing } = view;
  const images = stored - differing;
  const outcome = outcomeOf({ state: view.state, images, expected });
  const reason = outcome === 'Incomplete' ? incomplete(images, expected ?? 0) : view.reason;
  const notSent = context.outlook?.notSent(view) ?? [];
  const value = (keyword: string): string => attributes[keyword] ?? '';
  return {
    id: view.id,
    seriesInstanceUid: value('SeriesInstanceUID'),
    studyInstanceUid: value('StudyInstanceUID'),
    accessionNumber: value('AccessionNumber'),
    modality: value('Modality'),
    seriesNumber: value('SeriesNumber'),
    seriesDescription: value('SeriesDescription'),
    state: view.state,
    outcome,
    ...(reason === undefined ? {} : { reason: reason.message, reasonCode: reason.code }),
    ...(labels === undefined ? {} : { labels }),
    ...decisionsOf(view),
    ...warned(view),
    firstSeen: iso(view.firstSeen),
    ...(due === null ? {} : { due: iso(due) }),
    instances: view.inOrthanc,
    ...(expected === undefined ? {} : { expected }),
    increment: view.increment,
    images: { inOrthanc: view.inOrthanc, stored: images, untagged: view.untagged, differing },
    ...(cleaned === null ? {} : { cleaned: iso(cleaned) }),
    ...keptIn(view, context),
    ...(session === undefined ? {} : { session }),
    legs: view.legs.map((leg) => legReport(leg, view.path, context)),
    verification: view.verification.map(verificationReport),
    ...(notSent.length === 0 ? {} : { notSent }),
  };
}

/** Why it is still in Orthanc, where it should not be. */
function keptIn(
  { id, cleaned }: SeriesView,
  { notCleaned }: ReportContext,
): Pick<SeriesReport, 'notCleaned'> {
  const kept = cleaned === null ? notCleaned?.get(id) : undefined;
  return kept === undefined ? {} : { notCleaned: { code: kept.code, message: kept.message } };
}

function warned(view: SeriesView): Pick<SeriesReport, 'warnings'> {
  const warnings = shownWarnings(view);
  return warnings.length === 0 ? {} : { warnings };
}

/** What people decided of it, and what they may have to. */
function decisionsOf({
  doubts = [],
  decision,
  moved = [],
  moving,
}: SeriesView): Pick<SeriesReport, 'doubts' | 'decision' | 'moved' | 'moving'> {
  const { kind, at, by, reason } = decision ?? {};
  return {
    ...(doubts.length === 0 ? {} : { doubts }),
    ...(kind === undefined || at === undefined || by === undefined
      ? {}
      : { decision: { kind, at, by, ...(reason === undefined ? {} : { reason }) } }),
    ...(moved.length === 0 ? {} : { moved }),
    ...(moving === undefined
      ? {}
      : { moving: { labels: moving.decision.labels, reason: moving.decision.reason ?? '' } }),
  };
}

function legReport(
  leg: LegView,
  folder: string | undefined,
  { root, destinations, outlook }: ReportContext,
): LegReport {
  const { target, state, attempts, done, total, transcoded } = leg;
  const homeless = state === 'pending' && target !== STORAGE && !destinations.has(target);
  const failure = homeless ? NOT_CONFIGURED : leg.failure;
  return {
    target,
    state,
    attempts,
    ...(state === 'pending' && !homeless ? whenNext(leg, outlook?.waits(target)) : {}),
    ...(failure === undefined ? {} : { failure }),
    done,
    total,
    ...(transcoded > 0 ? { transcoded } : {}),
    ...(target === STORAGE && folder !== undefined
      ? { path: folder.startsWith('/') ? folder : `${root}/${folder}` }
      : {}),
  };
}

function whenNext({ nextTry }: LegView, waits: Waits | undefined): Pick<LegReport, 'nextTry' | 'waits'> {
  return {
    ...(nextTry === null ? {} : { nextTry: iso(Math.max(nextTry, waits?.until ?? 0)) }),
    ...(waits === undefined ? {} : { waits: { ...waits, until: iso(waits.until) } }),
  };
}

const NOT_CONFIGURED = {
  code: 'DEST_NOT_CONFIGURED',
  message: 'The configuration no longer has this destination. Put it back, and what is pending is sent.',
};

const incomplete = (images: number, expected: number): { code: string; message: string } => ({
  code: 'SERIES_INCOMPLETE',
  message: `The scanner reported ${expected} images and ${images} came. Send the series again from the scanner: what is there already does no harm.`,
});

export const hookReport = (view: DeliveryView): HookReport => ({
  target: `hook:${view.hook}`,
  event: view.kind,
  increment: view.increment,
  state: view.state,
  attempts: view.attempts,
  ...(view.nextTry === null || view.state !== 'pending' ? {} : { nextTry: iso(view.nextTry) }),
  ...(view.failure === undefined ? {} : { failure: view.failure }),
  done: 0,
  total: 0,
  output: view.output,
});

export const iso = (millis: number): string => Temporal.Instant.fromEpochMilliseconds(millis).toString();

const COLUMNS = [
  'accession',
  'series_number',
  'modality',
  'state',
  'in_orthanc',
  'stored',
  'untagged',
  'target',
  'leg_state',
  'done',
  'total',
  'failure',
  'transcoded',
] as const;

/** RFC 4180: one line per series and target. */
export function toCsv(reports: readonly SeriesReport[]): string {
  const lines = reports.flatMap((series) =>
    series.legs.map((leg) => [
      series.accessionNumber,
      series.seriesNumber,
      series.modality,
      series.state,
      series.images.inOrthanc,
      series.images.stored,
      series.images.untagged,
      leg.target,
      leg.state,
      leg.done,
      leg.total,
      leg.failure?.code ?? '',
      leg.transcoded ?? 0,
    ]),
  );
  return csvText([COLUMNS, ...lines]);
}
