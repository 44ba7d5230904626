/** What cal2wl says of its calendars (`/api/calendars`), and the table of it for a person. */
import { notAdmitted, type Api } from '../api.ts';
import { plain } from '../terminal.ts';

export interface CalendarState {
  readonly calendar: string;
  readonly scanner: string;
  readonly state: string;
  readonly bookings: number;
  readonly rejected: number;
  readonly held: number;
  readonly ageSeconds?: number;
  readonly failure?: Reason;
  /** What is odd about it, though it was read. */
  readonly notes?: readonly Reason[];
}

interface Reason {
  readonly code: string;
  readonly message: string;
}

const TIMEOUT_MS = 10_000;

/** The reason where nobody answers, or not as cal2wl does. */
export async function askCalendars(
  api: Api,
  signal: AbortSignal,
): Promise<readonly CalendarState[] | { readonly trouble: string }> {
  const silent = {
    trouble: `cal2wl does not answer at ${api.url}: is it running, and here? In containers: docker compose exec cal2wl scanflow calendars`,
  };
  const limit = AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]);
  try {
    const response = await fetch(`${api.url}/api/calendars`, { signal: limit, headers: api.headers });
    if (response.status === 401) return { trouble: notAdmitted(api) };
    const body: unknown = await response.json();
    const calendars: unknown =
      typeof body === 'object' && body !== null && 'calendars' in body ? body.calendars : undefined;
    return response.ok && Array.isArray(calendars) ? (calendars as CalendarState[]) : silent;
  } catch {
    signal.throwIfAborted();
    return silent;
  }
}

const COLUMNS = ['calendar', 'scanner', 'state', 'last good', 'bookings', 'rejected', 'held'] as const;

/** A line each, and below it why it cannot be read, and what is odd about it. */
export function calendarsTable(states: readonly CalendarState[]): string {
  const rows = states.map(({ calendar, scanner, state, ageSeconds, bookings, rejected, held }) =>
    [calendar, scanner, state, ageOf(ageSeconds), String(bookings), String(rejected), String(held)].map(
      plain,
    ),
  );
  const widths = COLUMNS.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => cell.padEnd(widths[index] ?? 0))
      .join('  ')
      .trimEnd();
  const lines = rows.flatMap((row, index) => {
    const { failure, notes = [] } = states[index] ?? {};
    const reasons = failure === undefined ? notes : [failure, ...notes];
    return [line(row), ...reasons.map(({ code, message }) => `    ${plain(code)}: ${plain(message)}`)];
  });
  return `${[line(COLUMNS), ...lines].join('\n')}\n`;
}

function ageOf(seconds: number | undefined): string {
  if (seconds === undefined) return 'never';
  if (seconds < 120) return `${seconds} s ago`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ago`;
  return seconds < 172_800
    ? `${Math.floor(seconds / 3600)} h ago`
    : `${Math.floor(seconds / 86_400)} days ago`;
}
