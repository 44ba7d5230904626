/** Work that waits for a person: series, failed hooks, images that stay in Orthanc, verification, refused reports of exams. */
import { BIDS } from '@scanflow/config';
import { localTime } from '@scanflow/runtime/time';
import type { DestinationRow } from '../commands/destination.ts';
import {
  failed,
  ok,
  sees,
  warning,
  type Check,
  type Finding,
  type Place,
} from '@scanflow/transfer/doctor/check';
import { askApi, askPage } from '../installation.ts';
import { cannotAsk, pageOf } from './results.ts';

/** Series, hooks, cleanup and verification, by the streamer. */
export function stuckChecks(place: Place): Check[] {
  const { cleanup, destinations, notify } = place.config;
  if (!sees(place, 'streamer')) return [];
  const check = (name: string, look: (place: Place, signal: AbortSignal) => Promise<Finding[]>): Check => ({
    name,
    run: (signal) => look(place, signal),
  });
  return [
    check('series', lookAtSeries),
    ...(Object.keys(destinations).length === 0 ? [] : [check('paused destinations', lookAtPauses)]),
    check('hooks', lookAtHooks),
    ...(notify === undefined ? [] : [check('notices', lookAtNotices)]),
    ...(cleanup.after === undefined ? [] : [check('cleanup', lookAtCleanup)]),
    check('verification', lookAtVerification),
  ];
}

/** Most rows of a page. */
const MOST = 1_000;

async function lookAtSeries(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const count = async (state: string): Promise<number | undefined> => {
    const path = `/api/series?state=${state}&limit=${MOST}`;
    const page = await askApi(place.config, 'streamer', path, signal);
    const series = 'trouble' in page ? undefined : page.body['series'];
    return Array.isArray(series) ? series.length : undefined;
  };
  const [stuck, quarantined] = [await count('failed'), await count('quarantined')];
  if (stuck === undefined || quarantined === undefined) return [cannotAsk('streamer')];
  const page = await askApi(place.config, 'streamer', `/api/series?warned=1&limit=${MOST}`, signal);
  const warned = 'trouble' in page ? undefined : page.body['series'];
  const warnings = Array.isArray(warned) ? judgeWarnings(warned as readonly WarnedSeries[]) : [];
  const [first, ...others] = judgeSeries(stuck, quarantined);
  return first?.state === 'ok' && warnings.length > 0
    ? warnings
    : [...(first ? [first] : []), ...others, ...warnings];
}

interface WarnedSeries {
  readonly warnings?: readonly { readonly code: string }[];
}

/** A line for each code of a warning. Pure. */
export function judgeWarnings(series: readonly WarnedSeries[]): Finding[] {
  const codes = series.flatMap(({ warnings = [] }) => [...new Set(warnings.map(({ code }) => code))]);
  return [...Map.groupBy(codes, (code) => code)].map(([code, all]) =>
    warning(
      `${all.length >= MOST ? `${MOST} or more` : all.length} series have a warning`,
      'scanflow series list names them in its last column; scanflow series show ID has the reason.',
      code,
    ),
  );
}

/** Counts of failed and quarantined series. Pure. */
export function judgeSeries(stuck: number, quarantined: number): Finding[] {
  const many = (count: number): string => (count >= MOST ? `${MOST} or more` : String(count));
  const findings = [
    ...(stuck > 0
      ? [warning(`${many(stuck)} series failed`, 'scanflow series list --state failed shows which, and why.')]
      : []),
    ...(quarantined > 0
      ? [
          warning(
            quarantined === 1
              ? '1 series has no project yet'
              : `${many(quarantined)} series have no project yet`,
            'scanflow series list --state quarantined; scanflow series release gives them one.',
          ),
        ]
      : []),
  ];
  return findings.length > 0 ? findings : [ok('none failed, none in quarantine')];
}

async function lookAtPauses(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', '/api/destinations', signal);
  const list = 'trouble' in page ? undefined : page.body['destinations'];
  return Array.isArray(list)
    ? judgePauses(list as readonly DestinationRow[], place.config.facility.timezone)
    : [cannotAsk('streamer')];
}

/** Destinations of the configuration. Pure. */
export function judgePauses(all: readonly DestinationRow[], timezone: string): Finding[] {
  const findings = all.flatMap(({ name, paused }) =>
    paused === undefined
      ? []
      : warning(
          `${name} is paused since ${localTime(paused.since, timezone)} by ${paused.by}: ${paused.reason} (${paused.waiting} series wait)`,
          `scanflow destination resume ${name} sends the series that wait.`,
        ),
  );
  return findings.length > 0 ? findings : [ok('none is paused')];
}

async function lookAtHooks(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', `/api/hooks?state=failed&limit=${MOST}`, signal);
  if ('trouble' in page) return [cannotAsk('streamer')];
  const { hooks, open = [] } = page.body;
  return Array.isArray(hooks) && Array.isArray(open)
    ? judgeHooks(...withoutBids(place, hooks as readonly FailedHook[], open as readonly OpenHook[]))
    : [cannotAsk('streamer')];
}

/** Conversions to BIDS have a check of their own. */
function withoutBids(
  { config }: Place,
  all: readonly FailedHook[],
  open: readonly OpenHook[],
): [readonly FailedHook[], readonly OpenHook[]] {
  const isOther = ({ target }: { readonly target: string }): boolean => target !== `hook:${BIDS}`;
  return config.bids === undefined ? [all, open] : [all.filter(isOther), open.filter(isOther)];
}

interface FailedHook {
  readonly target: string;
  readonly failure?: { readonly code: string };
}

/** How many runs of a hook are not done. */
interface OpenHook {
  readonly target: string;
  readonly configured: boolean;
  readonly pending: number;
  readonly failed: number;
}

/** A line for each hook and reason, and for each hook that left the configuration. Pure. */
export function judgeHooks(all: readonly FailedHook[], open: readonly OpenHook[]): Finding[] {
  const left = open.filter(({ configured }) => !configured);
  const gone = new Set(left.map(({ target }) => target));
  const run = all.filter(({ target }) => !gone.has(target));
  const groups = Map.groupBy(run, ({ target, failure }) => `${target} ${failure?.code ?? ''}`);
  const findings = [...groups.values()].map((group) => {
    const { target, failure } = group[0] ?? { target: '' };
    return warning(
      `${target} failed ${group.length >= MOST ? `${MOST} times or more` : `${group.length} times`}`,
      `scanflow page streamer '/api/hooks?state=failed' shows its output; scanflow series retry ID --target ${target} runs it again, scanflow series skip gives it up.`,
      failure?.code,
    );
  });
  const together = [...findings, ...left.map(leftBehind)];
  return together.length > 0 ? together : [ok('none failed')];
}

function leftBehind({ target, pending, failed: given }: OpenHook): Finding {
  const runs = pending + given;
  return warning(
    `${target} is no longer in the configuration, and ${runs === 1 ? '1 run waits' : `${runs} runs wait`} for it`,
    `Put it back under hooks, or give them up: scanflow series skip --all --target ${target}.`,
    'HOOK_NOT_CONFIGURED',
  );
}

async function lookAtNotices(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', `/api/notices?limit=${MOST}`, signal);
  const list = 'trouble' in page ? undefined : page.body['notices'];
  return Array.isArray(list)
    ? judgeNotices(list as readonly NoticeRow[], Temporal.Now.instant())
    : [cannotAsk('streamer')];
}

interface NoticeRow {
  readonly channel: string;
  readonly state: string;
  /** An instant. */
  readonly updated: string;
  readonly failure?: { readonly code: string; readonly message: string };
}

/** A line for each channel and reason: of those that wait, and of those that were given up within a day. Pure. */
export function judgeNotices(all: readonly NoticeRow[], now: Temporal.Instant): Finding[] {
  const since = now.subtract({ hours: 24 });
  const isRecent = (at: string): boolean => Temporal.Instant.compare(Temporal.Instant.from(at), since) >= 0;
  const stuck = all.filter(
    ({ state, failure, updated }) =>
      failure !== undefined && (state === 'pending' || (state === 'failed' && isRecent(updated))),
  );
  const groups = Map.groupBy(
    stuck,
    ({ channel, state, failure }) => `${channel} ${state} ${failure?.code ?? ''}`,
  );
  const findings = [...groups.values()].map((group) => {
    const { channel = '', state, failure } = group[0] ?? {};
    const what = state === 'failed' ? 'given up' : 'waiting';
    return warning(`${group.length} notices by ${channel} ${what}`, failure?.message ?? '', failure?.code);
  });
  return findings.length > 0 ? findings : [ok('all that were written went out')];
}

async function lookAtCleanup(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askPage(pageOf(place, 'streamer', '/healthz'), signal);
  return 'trouble' in page ? [cannotAsk('streamer')] : judgeKept(page.body['notCleaned']);
}

/** `notCleaned` of the streamer's /healthz. Pure. */
export function judgeKept(kept: unknown): Finding[] {
  const because = typeof kept === 'object' && kept !== null && 'because' in kept ? kept.because : {};
  const findings = Object.entries(because ?? {}).map(([code, count]) =>
    warning(
      `${String(count)} series stay in Orthanc although cleanup.after is over`,
      'scanflow series list names them in its last column (notCleaned in /api/series has the reason of each).',
      code,
    ),
  );
  return findings.length > 0 ? findings : [ok('nothing stays in Orthanc longer than it should')];
}

async function lookAtVerification(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', '/api/verify', signal);
  const said = 'trouble' in page ? undefined : page.body['verify'];
  if (typeof said !== 'object' || said === null) return [cannotAsk('streamer', 'which verifies')];
  const { every } = place.config.storage.verify;
  return judgeVerification(
    said,
    every === 'never' ? undefined : every,
    Temporal.Now.instant().epochMilliseconds,
  );
}

interface VerifySummary {
  readonly failing?: Readonly<Record<string, number>>;
  readonly acknowledged?: number;
  readonly trouble?: Readonly<Record<string, number>>;
  /** When the next one is due, in milliseconds since the epoch. */
  readonly due?: number;
}

const DAY_MS = 86_400_000;

/** `every`: `storage.verify.every` in milliseconds; undefined: never. Pure. */
export function judgeVerification(summary: VerifySummary, every: number | undefined, now: number): Finding[] {
  const { failing = {}, acknowledged = 0, trouble = {}, due } = summary;
  const findings = [
    ...Object.entries(failing).map(([code, count]) =>
      failed(
        `the files of ${count} series are missing or changed`,
        'scanflow series list --state failed shows which; scanflow verify ID --repair puts back the files that it can, scanflow verify acknowledge records why the rest is right.',
        code,
      ),
    ),
    ...Object.entries(trouble).map(([code, count]) =>
      warning(`${count} series could not be verified the last time`, 'See docs/failures.md.', code),
    ),
    ...(due === undefined || every === undefined || now - due < Math.max(every, DAY_MS)
      ? []
      : [
          warning(
            `verification is ${Math.floor((now - due) / DAY_MS)} days behind`,
            'Raise storage.verify.rate, give it more hours, or verify less often (storage.verify.every).',
          ),
        ]),
  ];
  if (findings.length > 0) return findings;
  const known = acknowledged === 0 ? '' : `; ${acknowledged} series are not, and somebody acknowledged them`;
  return [ok(`every file that was read again is as it was stored${known}`)];
}

/** Reports of exams that the worklist refused: their exams stay in progress until somebody looks. */
export const examChecks = (place: Place): Check[] =>
  sees(place, 'worklist') ? [{ name: 'exams', run: (signal) => lookAtExams(place, signal) }] : [];

async function lookAtExams(place: Place, signal: AbortSignal): Promise<Finding | Finding[]> {
  const page = await askApi(place.config, 'worklist', '/api/performed', signal);
  if ('trouble' in page) return cannotAsk('worklist');
  return judgeReports(Array.isArray(page.body['refused']) ? page.body['refused'].flatMap(reportOf) : []);
}

export interface RefusedReport {
  readonly operation: string;
  readonly callingAet: string;
  /** Four hexadecimal digits. */
  readonly status: string;
  readonly comment: string;
}

function reportOf(value: unknown): RefusedReport[] {
  if (typeof value !== 'object' || value === null) return [];
  const { operation, callingAet, status, comment } = value as Readonly<Record<string, unknown>>;
  return [operation, callingAet, status, comment].every((one) => typeof one === 'string')
    ? [value as RefusedReport]
    : [];
}

/** Not authorized (PS3.7 10.1.3.1.9): another AE title created the exam. */
const FOREIGN = '0124';

/** One finding for each calling AE title and status. Pure. */
export function judgeReports(refused: readonly RefusedReport[]): Finding | Finding[] {
  if (refused.length === 0) return ok('no report of an exam was refused');
  const groups = Map.groupBy(refused, ({ callingAet, status }) => `${callingAet} ${status}`);
  return [...groups.values()].map((reports) => {
    const { operation, callingAet, status, comment } = reports[0] as RefusedReport;
    const times = reports.length === 1 ? 'once' : `${reports.length} times`;
    return warning(
      `${operation} of ${callingAet} was refused ${times} with ${status}: ${comment}`,
      status === FOREIGN
        ? `Where ${callingAet} is another title of the same scanner, add it to scanners.NAME.sends and restart the worklist.`
        : 'See docs/operations.md, What scanners report of exams.',
    );
  });
}
