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
