/** Logs, once per file, that its slot is long past and scanners do not see it. */
import type { Log } from '@scanflow/runtime';
import type { Entry } from './domain/schedule.ts';

/** Files logged one by one; one more line counts the rest. */
const NAMED = 20;
const HOUR_MS = 3_600_000;

/** Items that scanners saw leave as expected. An item that they never saw may puzzle its author, so it is a warning. */
export function reportOver(log: Log, retain: number | 'forever') {
  const kept = retain === 'forever' ? retain : `${Math.round((retain / HOUR_MS) * 10) / 10} h`;
  return (entries: readonly Entry[], shown: boolean): void => {
    const reason = shown
      ? `its slot ended longer ago than worklist.retain (${kept})`
      : `it came with a start of longer ago than worklist.retain (${kept}); "retain: forever" shows such items`;
    const lines: Readonly<Record<string, unknown>>[] = entries
      .slice(0, NAMED)
      .map(({ file, startDate }) => ({ file, startDate, reason }));
    if (entries.length > NAMED) lines.push({ more: entries.length - NAMED, reason });
    for (const line of lines)
      if (shown) log.info('worklist.item-over', line);
      else log.warn('worklist.item-too-old', line);
  };
}
