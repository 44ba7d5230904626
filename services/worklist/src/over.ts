/** Tells in the log, once for each file, that its slot is long past and scanners are not shown it. */
import type { Log } from '@scanflow/runtime';
import type { Entry } from './domain/schedule.ts';

/** Files that are named one by one; of more there is one line. */
const NAMED = 20;
const HOUR_MS = 3_600_000;

/** For the board. Items that were shown until now left as they should; one that never was may puzzle who put it there. */
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
