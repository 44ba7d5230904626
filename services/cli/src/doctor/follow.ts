/** What follows once images are stored: hooks that failed, and what stays in Orthanc although it should be deleted there. */
import { askApi, askPage } from './pages.ts';
import { ok, skipped, warning, type Check, type Finding } from './finding.ts';
import { pageOf, sees, type Place } from './place.ts';

export function followChecks(place: Place): Check[] {
  const { hooks, cleanup } = place.config;
  if (!sees(place, 'streamer')) return [];
  return [
    ...(Object.keys(hooks).length === 0
      ? []
      : [{ name: 'hooks', run: (signal: AbortSignal) => lookAtHooks(place, signal) }]),
    ...(cleanup.after === undefined
      ? []
      : [{ name: 'cleanup', run: (signal: AbortSignal) => lookAtCleanup(place, signal) }]),
  ];
}

const MOST = 1_000;
const CANNOT = skipped('the streamer, which knows them, cannot be asked', 'See secrets and streamer above.');

async function lookAtHooks(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askApi(place.config, 'streamer', `/api/hooks?state=failed&limit=${MOST}`, signal);
  const list = 'trouble' in page ? undefined : page.body['hooks'];
  return Array.isArray(list) ? judgeHooks(list as readonly FailedHook[]) : [CANNOT];
}

export interface FailedHook {
  readonly target: string;
  readonly failure?: { readonly code: string };
}

/** A line for each hook and reason. Pure. */
export function judgeHooks(all: readonly FailedHook[]): Finding[] {
  const groups = Map.groupBy(all, ({ target, failure }) => `${target} ${failure?.code ?? ''}`);
  const findings = [...groups.values()].map((group) => {
    const { target, failure } = group[0] ?? { target: '' };
    return warning(
      `${target} failed ${group.length >= MOST ? `${MOST} times or more` : `${group.length} times`}`,
      `scanflow page streamer '/api/hooks?state=failed' has what it said; scanflow series retry ID --target ${target} runs it again, scanflow series skip gives it up.`,
      failure?.code,
    );
  });
  return findings.length > 0 ? findings : [ok('none failed')];
}

async function lookAtCleanup(place: Place, signal: AbortSignal): Promise<Finding[]> {
  const page = await askPage(pageOf(place, 'streamer', '/healthz'), signal);
  return 'trouble' in page ? [CANNOT] : judgeKept(page.body['notCleaned']);
}

/** Pure. */
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
