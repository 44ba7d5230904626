/** `bookings/rejected.json`: the events that cal2wl refused, for the people who help bookers. */

/** A refused event. The list holds no titles: a title may be a person's name, and the other values lead to the event. */
export interface Rejected {
  /** Key under `calendars:` of the configuration. */
  readonly calendar: string;
  readonly uid: string;
  readonly recurrenceId?: string | undefined;
}

/** The list as its file's text. Unknown keys of an event stay: people read them. */
export const encodeRejected = (rejected: readonly object[]): string =>
  `${JSON.stringify({ version: 1, rejected }, null, 2)}\n`;

/** The refused events that a file's text names; none where it is damaged. */
export function parseRejected(text: string): Rejected[] {
  try {
    const { rejected } = JSON.parse(text) as { rejected?: unknown };
    return Array.isArray(rejected) ? rejected.filter(isRejected) : [];
  } catch {
    return [];
  }
}

const isRejected = (value: unknown): value is Rejected =>
  typeof value === 'object' &&
  value !== null &&
  'calendar' in value &&
  'uid' in value &&
  typeof value.calendar === 'string' &&
  typeof value.uid === 'string';
