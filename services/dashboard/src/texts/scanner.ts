/** What the pages for people at a scanner say, in English: its console, which is read from 3 m, and walk-ins. */

/** What a scanner's console says, in English. It is read from 3 m: short words. */
const minutes = (ms: number): string => {
  const count = Math.max(0, Math.floor(ms / 60_000));
  return count < 90 ? `${count} min` : `${Math.round(count / 60)} h`;
};

export const consoleText = {
  title: (scanner: string): string => `Console ${scanner}`,
  heads: { now: 'Now', next: 'Next', late: 'Late' },
  tones: { scanning: 'scanning', silent: 'silent', unknown: 'not known', booked: 'booked', free: 'free' },
  nobody: 'Nobody',
  noNext: 'Nobody else today',
  noLate: 'Nobody',
  notBooked: 'not booked',
  since: (time: string, ms: number): string => `since ${time}, ${minutes(ms)}`,
  slot: (from: string, to: string): string => `slot ${from}–${to}`,
  notBegun: (ms: number): string => `not begun, ${minutes(ms)} late`,
  silent: (ms: number): string => `No sign of the scanner for ${minutes(ms)}. Look after it.`,
  away: (time: string): string => `Not known since ${time}: a service does not answer.`,
  more: (count: number): string => `and ${count} more`,
  query: 'Last query',
  image: 'Last image',
  items: (count: number): string => `${count} ${count === 1 ? 'item' : 'items'}`,
  ago: (ms: number): string => (ms < 60_000 ? 'just now' : `${minutes(ms)} ago`),
  none: 'none yet',
  notKnown: 'not known',
  counts: (scanned: number, booked: number, rejected: number): string =>
    `${scanned} of ${booked} scanned${rejected === 0 ? '' : `, ${rejected} rejected`}`,
} as const;

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
