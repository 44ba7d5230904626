/** What a pass writes: the decided actions, which it logs, and the list of rejected events. */
import { type BookingRecord, encodeRejected } from '@scanflow/booking';
import { codeOf, type Failure } from '@scanflow/failure';
import type { Log } from '@scanflow/runtime';
import { readFile } from 'node:fs/promises';
import type { Shelf } from './adapters/shelf.ts';
import type { Action } from './domain/reconcile.ts';
import { isLeaseGone, OWN_FILES, type Files } from './lead.ts';
import type { OutcomeView } from './report.ts';

interface PublishOptions {
  readonly shelf: Shelf;
  /** Receives each written record. */
  readonly written: (record: BookingRecord) => void;
  readonly log: Log;
}

/** Returns the last failure. A full disk fails each write, and the next pass tries again. Throws where this cal2wl no longer leads. */
export async function publish(
  actions: readonly Action[],
  { shelf, written, log }: PublishOptions,
): Promise<Failure | undefined> {
  let failure: Failure | undefined;
  const unwritten = new Set<string>();
  for (const action of actions) {
    // the old item stays until the new one is published
    if (action.kind === 'supersede' && unwritten.has(action.record.supersededBy ?? '')) continue;
    try {
      await shelf.apply(action);
      const record = recordOf(action);
      if (record !== undefined) written(record);
      tell(action, log);
    } catch (error) {
      if (isLeaseGone(error)) throw error;
      if (action.kind === 'publish') unwritten.add(action.wanted.record.accessionNumber);
      const code = codeOf(error) ?? 'UNEXPECTED';
      failure = {
        kind: 'transient',
        code: 'PUBLISH',
        message: `A booking could not be written (${code}): check space and permissions of the data folder.`,
      };
      log.error('a booking could not be written; the next pass tries again', { error });
    }
  }
  return failure;
}

function recordOf(action: Action): BookingRecord | undefined {
  if (action.kind === 'publish') return action.wanted.record;
  return action.kind === 'cancel' || action.kind === 'supersede' ? action.record : undefined;
}

function tell(action: Action, log: Log): void {
  if (action.kind === 'publish')
    log.info(action.isNew ? 'booking published' : 'booking changed', {
      accessionNumber: action.wanted.record.accessionNumber,
      scanner: action.wanted.record.scanner,
      start: action.wanted.record.start,
    });
  if (action.kind === 'cancel') log.info('booking cancelled', { accessionNumber: action.accessionNumber });
  if (action.kind === 'supersede')
    log.info('booking relabelled', {
      accessionNumber: action.accessionNumber,
      supersededBy: action.record.supersededBy,
    });
  if (action.kind === 'withdraw')
    log.info('booking left the worklist', { accessionNumber: action.accessionNumber });
}

/** More than a person will ever read. */
const MOST = 1000;
const MODE = 0o640;

/** The list leaves out titles, which may be names. Calendar, time and UID lead to the event. */
function rejectionsText(views: readonly OutcomeView[]): string {
  const rejected = views
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
  /** Of rejected events. */
  write(views: readonly OutcomeView[]): Promise<void>;
}

/** Writes `bookings/rejected.json`, for the people who help bookers, when it changes. */
export function openRejections(path: string, files: Files = OWN_FILES): Rejections {
  let written: string | undefined;
  return {
    async write(views) {
      const text = rejectionsText(views);
      written ??= await readFile(path, 'utf8').catch(() => undefined);
      const isNeeded = written !== undefined || text !== NONE;
      if (text === written || !isNeeded) return;
      await files.write(path, text, MODE);
      written = text;
    },
  };
}
