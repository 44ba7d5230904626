/** When slots end, from the booking records; worklist items do not say. */
import { join } from 'node:path';
import { parseBookingRecord } from '@scanflow/booking';
import { readBounded } from '@scanflow/runtime';

/** What may stand in a file's name; an accession number of another system may be anything. */
const SAFE_ACCESSION = /^[A-Za-z0-9_-]{1,64}$/;
const MAX_BYTES = 1_048_576;

/** The end of the booking as epoch milliseconds; undefined where there is no record, or none that can be read. */
export function bookingEnds(folder: string): (accessionNumber: string) => Promise<number | undefined> {
  return async (accessionNumber) => {
    if (!SAFE_ACCESSION.test(accessionNumber)) return undefined;
    try {
      const bytes = await readBounded(join(folder, `${accessionNumber}.json`), MAX_BYTES);
      const parsed = parseBookingRecord(bytes.toString('utf8'));
      return parsed.ok ? Temporal.Instant.from(parsed.record.end).epochMilliseconds : undefined;
    } catch {
      // no record, no right to read it, no instant: the item's start stands in
      return undefined;
    }
  };
}
