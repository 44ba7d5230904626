/** Why a series is still in Orthanc although clean-up was due. Pure. */
import type { LegState, SeriesState, Reason } from '../model/series.ts';

/** Failures come first, since they need a person. */
export function keptBecause({ state, reason, open }: KeptSeries): Reason {
  if (state === 'quarantined')
    return {
      code: reason?.code ?? WAITS,
      message: 'It stays in Orthanc while it is quarantined. Release it, or delete it from Orthanc.',
    };
  const first = open.find((one) => one.state === 'failed') ?? open.find(({ failure }) => failure) ?? open[0];
  if (first === undefined)
    return { code: WAITS, message: 'It stays in Orthanc: more of it came, and that is not stored yet.' };
  const { target, failure } = first;
  if (first.state !== 'failed')
    return { code: failure?.code ?? WAITS, message: `It stays in Orthanc until ${target} is done.` };
  const way = target.startsWith('hook:')
    ? `scanflow series retry ID --target ${target}, or give the hook up: scanflow series skip ID --target ${target}`
    : `scanflow series retry ID --target ${target}`;
  return {
    code: failure?.code ?? WAITS,
    message: `It stays in Orthanc because ${target} failed. Mend the cause, then: ${way}.`,
  };
}

const WAITS = 'CLEANUP_WAITS';

export interface KeptSummary {
  readonly series: number;
  /** How many by code. */
  readonly because: Readonly<Record<string, number>>;
}

/** Undefined where nothing is kept. */
export function keptSummary(all: Iterable<Reason>): KeptSummary | undefined {
  const because: Record<string, number> = {};
  let series = 0;
  for (const { code } of all) {
    series += 1;
    because[code] = (because[code] ?? 0) + 1;
  }
  return series === 0 ? undefined : { series, because };
}

/** A series that may not be deleted from Orthanc. */
export interface KeptSeries {
  readonly id: string;
  readonly state: SeriesState;
  /** Why it is quarantined. */
  readonly reason: Reason | undefined;
  /** Legs, and `hook:NAME` of it and of its session, that are not done. */
  readonly open: readonly {
    readonly target: string;
    readonly state: LegState;
    readonly failure: Reason | undefined;
  }[];
}
