/** Series as people see them: rows of the API, of hooks and of session reports, and the same as CSV. */
import { defined, given } from '@scanflow/failure/defined';
import type { Labels } from '@scanflow/booking';
import { csvText } from '@scanflow/runtime';
import { shownWarnings } from '../completeness/lacking.ts';
import { type Warning, type Doubt, STORAGE, type Reason, iso } from '../model/series.ts';
import type { Decision, Moved } from '../model/decision.ts';
import { outcomeOf, type Outcome } from '../sessions/plan.ts';
import type { NotSent, Outlook } from '../send/outlook.ts';
import type { LegView, SeriesView, DeliveryView } from '../ledger/rows.ts';
import { verificationReport, type VerificationReport } from '../verify/plan.ts';

export interface SeriesReport {
  readonly id: string;
  readonly seriesInstanceUid: string;
  readonly studyInstanceUid: string;
  readonly accessionNumber: string;
  readonly modality: string;
  readonly seriesNumber: string;
  readonly seriesDescription: string;
  readonly state: string;
  /** The state in one word. A complete series is `Incomplete` if the scanner made more images than are stored. */
  readonly outcome: Outcome;
  /** Why it is quarantined, or incomplete. */
  readonly reason?: string;
  readonly reasonCode?: string;
  readonly labels?: Labels;
  /** Warnings for a person: images that seem to be missing, labels that another study has. */
  readonly warnings?: readonly Warning[];
  /** Weak signs against the booking that routed it. */
  readonly doubts?: readonly Doubt[];
  /** The decision by which a person set its labels. */
  readonly decision?: Pick<Decision, 'kind' | 'at' | 'by' | 'reason'>;
  /** Its earlier folders, and why it left them. */
  readonly moved?: readonly Moved[];
  /** A move to these labels is under way. */
  readonly moving?: { readonly labels: Labels; readonly reason: string };
  readonly firstSeen: string;
  /** When its quiet timer ends. */
  readonly due?: string;
  /** Number of images in Orthanc at the last look. */
  readonly instances: number;
  /** Number of images that the scanner reported (MPPS). */
  readonly expected?: number;
  /** Number of pulls that brought images; more than one if images came late. */
  readonly increment: number;
  readonly images: {
    readonly inOrthanc: number;
    readonly stored: number;
    readonly untagged: number;
    /** Number of further versions: other bytes under a SOP Instance UID that is stored already. */
    readonly differing: number;
  };
  /** When its images were deleted from Orthanc. */
  readonly cleaned?: string;
  /** Why clean-up could not delete its images. */
  readonly notCleaned?: Reason;
  readonly session?: string;
  /** AE title that sent its first image. */
  readonly sender?: string;
  readonly legs: readonly LegReport[];
  /** The last verification of its files in project storage and in the copy: when, and its result. */
  readonly verification: readonly VerificationReport[];
  /** Destinations that do not get this series. */
  readonly notSent?: readonly NotSent[];
  /** Deliveries to hooks for it, then for its session, the latest first. Only for a request for one series. */
  readonly hooks?: readonly HookReport[];
}

/** One event for one hook, in the form of a leg. */
interface HookReport extends LegReport {
  readonly event: string;
  /** When it arose, and when it was last tried. */
  readonly created: string;
  readonly updated: string;
  readonly increment: number;
  /** The end of the command's output, or of the address' answer. */
  readonly output: string;
}

interface LegReport {
  readonly target: string;
  readonly state: string;
  readonly attempts: number;
  readonly nextTry?: string;
  readonly failure?: Reason;
  readonly done: number;
  readonly total: number;
  /** Number of images that were sent as Orthanc transcoded them. Absent: none. */
  readonly transcoded?: number;
  /** The leg is pending, and outside its destination's hours (`until` they begin) or its destination is paused. */
  readonly waits?: { readonly until?: string; readonly message: string };
  /** The leg is pending, and a person paused its destination. */
  readonly paused?: { readonly since: string; readonly by: string; readonly reason: string };
  /** The folder of the storage leg. */
  readonly path?: string;
}

/** The settings that a report needs. */
export interface ReportContext {
  /** storage.root, for absolute paths. */
  readonly root: string;
  readonly destinations: ReadonlySet<string>;
  /** Names of the hooks of the configuration; unknown where undefined. */
  readonly hooks?: ReadonlySet<string>;
  /** What the destinations' rules say about it. */
  readonly outlook?: Outlook;
  /** Series that clean-up could not delete from Orthanc. */
  readonly notCleaned?: Pick<ReadonlyMap<string, Reason>, 'get'>;
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
    ...defined({ reason: reason?.message, reasonCode: reason?.code }),
    ...defined({ labels }),
    ...decisionsOf(view),
    ...warned(view),
    firstSeen: iso(view.firstSeen),
    ...(due === null ? {} : { due: iso(due) }),
    instances: view.inOrthanc,
    ...defined({ expected }),
    increment: view.increment,
    images: { inOrthanc: view.inOrthanc, stored: images, untagged: view.untagged, differing },
    ...(cleaned === null ? {} : { cleaned: iso(cleaned) }),
    ...keptIn(view, context),
    ...defined({ session, sender: view.sender }),
    legs: view.legs.map((leg) => legReport(leg, view.path, context)),
    verification: view.verification.map(verificationReport),
    ...(notSent.length === 0 ? {} : { notSent }),
  };
}

/** Why it is still in Orthanc although clean-up was due. */
function keptIn(
  { id, cleaned }: SeriesView,
  { notCleaned }: ReportContext,
): Pick<SeriesReport, 'notCleaned'> {
  const kept = cleaned === null ? notCleaned?.get(id) : undefined;
  return defined({ notCleaned: given(kept, (kept) => ({ code: kept.code, message: kept.message })) });
}

function warned(view: SeriesView): Pick<SeriesReport, 'warnings'> {
  const warnings = shownWarnings(view);
  return warnings.length === 0 ? {} : { warnings };
}

/** The decisions of people about it, and those that are open. */
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
      : { decision: { kind, at, by, ...defined({ reason }) } }),
    ...(moved.length === 0 ? {} : { moved }),
    ...defined({
      moving: given(moving, (moving) => ({
        labels: moving.decision.labels,
        reason: moving.decision.reason ?? '',
      })),
    }),
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
    ...(state === 'pending' && !homeless ? whenNext(leg, outlook) : {}),
    ...defined({ failure }),
    done,
    total,
    ...(transcoded > 0 ? { transcoded } : {}),
    ...(target === STORAGE && folder !== undefined
      ? { path: folder.startsWith('/') ? folder : `${root}/${folder}` }
      : {}),
  };
}

function whenNext(
  { target, nextTry, paused }: LegView,
  outlook: Outlook | undefined,
): Pick<LegReport, 'nextTry' | 'waits' | 'paused'> {
  if (paused !== undefined) {
    const { since, by, reason } = paused;
    const message = outlook?.paused(paused);
    return {
      ...defined({ waits: given(message, (message) => ({ message })) }),
      paused: { since: iso(since), by, reason },
    };
  }
  const waits = outlook?.waits(target);
  return {
    ...(nextTry === null ? {} : { nextTry: iso(Math.max(nextTry, waits?.until ?? 0)) }),
    ...defined({ waits: given(waits, (waits) => ({ ...waits, until: iso(waits.until) })) }),
  };
}

export const NOT_CONFIGURED = {
  code: 'DEST_NOT_CONFIGURED',
  message:
    'The configuration no longer has this destination. Put it back, and what is pending is sent. Or give it up: scanflow series skip ID --target NAME.',
};

const incomplete = (images: number, expected: number): Reason => ({
  code: 'SERIES_INCOMPLETE',
  message: `The scanner reported ${expected} images and ${images} came. Send the series again from the scanner: what is there already does no harm.`,
});

export function hookReport(view: DeliveryView, { hooks }: Pick<ReportContext, 'hooks'>): HookReport {
  const { hook, state, nextTry } = view;
  const left = state !== 'done' && hooks?.has(hook) === false;
  return {
    target: `hook:${hook}`,
    event: view.kind,
    created: iso(view.created),
    updated: iso(view.updated),
    increment: view.increment,
    state,
    attempts: view.attempts,
    ...(nextTry === null || state !== 'pending' || left ? {} : { nextTry: iso(nextTry) }),
    ...defined({ failure: left ? hookLeft(hook) : view.failure }),
    done: 0,
    total: 0,
    output: view.output,
  };
}

/** Of a run of a hook that left the configuration. */
export const hookLeft = (hook: string): Reason => ({
  code: 'HOOK_NOT_CONFIGURED',
  message: `The hook ${hook} is no longer in the configuration, so it does not run. Put it back under hooks, or give up what waits for it: scanflow series skip --all --target hook:${hook}.`,
});

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
