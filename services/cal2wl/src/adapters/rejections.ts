/** Writes `bookings/rejected.json`, the refused events for the people who help bookers, when it changes. */
import { readFile } from 'node:fs/promises';
import { encodeRejected } from '@scanflow/booking';
import { writeFileAtomic } from '@scanflow/runtime';
import type { OutcomeView } from '../report.ts';

/** More than a person will ever read. */
const MOST = 1000;
const MODE = 0o640;

/** The list leaves out titles, which may be names. Calendar, time and UID lead to the event. */
export function rejectionsText(views: readonly OutcomeView[]): string {
  const rejected = views
    .filter(({ outcome }) => outcome === 'rejected')
    .slice(0, MOST)
    .map(({ calendar, scanner, code, reason, uid, recurrenceId, start, end }) => ({
      calendar,
      scanner,
      code,
      reason,
      uid,
      recurrenceId,
      start,
      end,
    }));
  return encodeRejected(rejected);
}

const NONE = rejectionsText([]);

export interface Rejections {
  write(views: readonly OutcomeView[]): Promise<void>;
}

export function openRejections(path: string): Rejections {
  let written: string | undefined;
  return {
    async write(views) {
      const text = rejectionsText(views);
      written ??= await readFile(path, 'utf8').catch(() => undefined);
      const isNeeded = written !== undefined || text !== NONE;
      if (text === written || !isNeeded) return;
      await writeFileAtomic(path, text, { mode: MODE });
      written = text;
    },
  };
}
