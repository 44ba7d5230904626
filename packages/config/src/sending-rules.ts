/** Rules between the keys of a destination about when and how often it is sent to. Pure. */
import type { Finding } from './explain.ts';
import type { Config } from './schema.ts';

type Destination = Config['destinations'][string];

export const sendingRules = (destinations: Config['destinations']): Finding[] =>
  Object.entries(destinations).flatMap(([name, { schedule, retry }]) => [
    ...scheduleRules(['destinations', name, 'schedule'], schedule ?? []),
    ...retryRules(['destinations', name, 'retry'], retry),
  ]);

/** Of any list of hours. */
export function scheduleRules(
  path: readonly string[],
  windows: NonNullable<Destination['schedule']>,
): Finding[] {
  return windows
    .filter(({ from, to }) => from === to)
    .map(({ from }) => ({
      path,
      message: `from and to are both ${from}; the whole day is from '00:00' to '24:00'`,
    }));
}

function retryRules(path: readonly string[], retry: Destination['retry']): Finding[] {
  return retry === undefined || retry.first <= retry.most
    ? []
    : [{ path: [...path, 'most'], message: 'is shorter than first' }];
}
