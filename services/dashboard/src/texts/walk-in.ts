/** What the pages of walk-ins say, in English. */
export const walkInText = {
  title: 'Walk-in',
  link: 'Add a walk-in',
  sub: 'For somebody who is here now and in no calendar. The rules for bookings apply, and nothing is added before you confirm.',
  project: 'Project',
  subject: 'Subject',
  session: 'Session',
  scanner: 'Scanner',
  start: 'Start',
  preview: 'Show what it becomes',
  badStart: 'Give the start as a day and a time, like 2026-11-28 09:30.',
  becomes: 'This becomes a booking',
  confirm: 'Add to the worklist',
  again: 'Change it',
  accession: 'Accession number',
  slot: 'Slot',
  withdraw: 'Withdraw this walk-in',
  withdrawWhy: 'It leaves the worklist. This is possible as long as nobody scanned it.',
  scanned: 'An exam or images of this walk-in are here, so it stays.',
  notKnown:
    'It is not known whether somebody scanned it, because a service does not answer. Try again once it runs.',
  noScanners: 'No scanner is configured.',
} as const;
