/** When slots end, from the booking records; worklist items do not say. */
import { bookingFiles } from '@scanflow/records';

/** The end of the booking as epoch milliseconds; undefined where there is no record, or none that can be read. */
export function bookingEnds(folder: string): (accessionNumber: string) => Promise<number | undefined> {
  const bookings = bookingFiles(folder);
  return async (accessionNumber) => {
    const record = await bookings.read(accessionNumber);
    try {
      return record === undefined ? undefined : Temporal.Instant.from(record.end).epochMilliseconds;
    } catch {
      // no instant: the item's start stands in
      return undefined;
    }
  };
}
