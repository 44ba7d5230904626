/** Before any other work: the ledger is rebuilt where a person, or a restored backup, asks for it. */
import { askRebuild, readRebuild, type RebuildRequest } from '@scanflow/runtime';
import type { Condition } from '../work/condition.ts';
import { failureOf } from '../model/failure.ts';
import { SERIES_STATES } from '../model/series.ts';
import { Wake } from '../work/wake.ts';
import { rebuild, type RebuildDeps } from './rebuild.ts';
import { lead } from '../ledger/lead.ts';
import { summarise } from '../ledger/views.ts';

export interface WhenAskedDeps extends Omit<RebuildDeps, 'progress'> {
  readonly condition: Condition;
}

const AGAIN_MS = 2_000;

/** Resolves once there is nothing to rebuild. What stands in the way is logged and waited out. */
export async function rebuildWhereAsked(deps: WhenAskedDeps, signal: AbortSignal): Promise<void> {
  const { condition, log } = deps;
  const progress = (series: number): void => {
    condition.rebuilding = series;
  };
  const stopped = (): boolean => signal.aborted;
  while (!stopped()) {
    try {
      const request = await readRebuild(deps.data);
      if (request === undefined) break;
      condition.rebuilding ??= 0;
      if (await ready(deps)) {
        await rebuild(await asItIs(request, deps), { ...deps, progress }, signal);
        break;
      }
    } catch (error) {
      if (stopped()) break;
      log.error('rebuilding the ledger fails', { ...failureOf(error) });
    }
    await new Wake().wait(AGAIN_MS, signal);
  }
  condition.rebuilding = undefined;
}

/** Of several streamers, the one that reads what Orthanc reports does it. */
const ready = ({ ledger, clock }: WhenAskedDeps): Promise<boolean> => ledger.write(lead, clock.now());

/** A ledger without series is a new one. That is written down, since a rebuild that is begun again finds some. */
async function asItIs(request: RebuildRequest, { ledger, data }: WhenAskedDeps): Promise<RebuildRequest> {
  const { series } = await ledger.read(summarise);
  if (request.lost || SERIES_STATES.some((state) => series[state] > 0)) return request;
  const lost = { ...request, lost: true };
  await askRebuild(data, lost);
  return lost;
}
