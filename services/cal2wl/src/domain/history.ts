/** What a booking record keeps of its own past: when its slot, its scanner or its state changed, and from what. Pure. */
import type { BookingChange, BookingRecord } from '@scanflow/booking';

/** Changes that a record keeps: the latest. */
const MOST = 20;

const KEYS = ['start', 'end', 'scanner', 'status'] as const;

/**
 * A record that is about to be written, with the changes that the one on disk has, and one more if it differs. Neither the
 * identity nor the item depends on them.
 *
 * @param before the record on disk under the same accession number
 */
export function withHistory(
  record: BookingRecord,
  before: BookingRecord | undefined,
  now: Temporal.Instant,
): BookingRecord {
  if (before === undefined) return record;
  const known = before.changes ?? [];
  const changed = KEYS.filter((key) => before[key] !== record[key]);
  if (changed.length === 0) return known.length === 0 ? record : { ...record, changes: known };
  const was: BookingChange = {
    at: now.toString({ smallestUnit: 'second' }),
    ...Object.fromEntries(changed.map((key) => [key, before[key]])),
  };
  return { ...record, changes: [...known, was].slice(-MOST) };
}
