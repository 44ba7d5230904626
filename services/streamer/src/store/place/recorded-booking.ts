/** What of a booking stands in `series.json`. */
import type { BookingRecord } from '@scanflow/booking';
import type { RecordedBooking } from '../../ports.ts';

export const recordedBooking = ({
  accessionNumber,
  studyInstanceUid,
  status,
  scanner,
  start,
  end,
  source,
  operator,
}: BookingRecord): RecordedBooking => ({
  accessionNumber,
  studyInstanceUid,
  status,
  scanner,
  start,
  end,
  calendar: source.calendar,
  event: source.uid,
  ...(operator === undefined ? {} : { operator }),
});
