/** Which bookings a quarantined series may belong to, by what its images say and what cal2wl knows. */
import { likelyBookings, type Likely, type Slot } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { sendersOf, type Config } from '@scanflow/config';
import { localTime } from '@scanflow/runtime/time';
import { askPage, notAdmitted, type Api } from '../installation.ts';
import { plain } from '../terminal.ts';
import type { Labels, SeriesRow } from './client.ts';

/** An event as cal2wl has it. */
export interface BookingRow extends Partial<Labels> {
  readonly calendar: string;
  readonly uid?: string;
  readonly recurrenceId?: string;
  readonly outcome: string;
  readonly code?: string;
  readonly reason?: string;
  readonly scanner?: string;
  readonly start?: string;
  readonly end?: string;
  readonly summary?: string;
  readonly accessionNumber?: string;
  readonly studyInstanceUid?: string;
}

const TIMEOUT_MS = 10_000;

/** Events of cal2wl by one of these queries, each once; or why nobody answers. */
export async function askBookings(
  api: Api,
  queries: readonly Readonly<Record<string, string>>[],
  signal: AbortSignal,
): Promise<readonly BookingRow[] | { readonly trouble: string }> {
  const found = new Map<string, BookingRow>();
  for (const query of queries) {
    const url = `${api.url}/api/board/bookings?${new URLSearchParams(query).toString()}`;
    const page = await askPage(url, signal, { ...api, timeoutMs: TIMEOUT_MS });
    if ('trouble' in page) return { trouble: `cal2wl does not answer at ${api.url} (${page.trouble})` };
    if (page.status === 401) return { trouble: notAdmitted(api) };
    const { bookings } = page.body;
    if (page.status !== 200 || !Array.isArray(bookings))
      return { trouble: `what answers at ${api.url} is no cal2wl of this version` };
    for (const one of bookings as BookingRow[])
      found.set([one.calendar, one.uid, one.recurrenceId, one.accessionNumber].join('/'), one);
  }
  return [...found.values()];
}

/** The day of the scan, that of its arrival where the scanner's clock says another one, and whatever carries the same numbers. Pure. */
export function queriesFor({
  attributes = {},
  acquired,
  firstSeen,
}: SeriesRow): Readonly<Record<string, string>>[] {
  const came = Temporal.Instant.from(firstSeen);
  const scanned = acquired === undefined ? came : Temporal.Instant.from(acquired);
  const apart = Math.abs(came.since(scanned).total('hours')) >= 24;
  const numbers = ['AccessionNumber', 'StudyInstanceUID'].flatMap(
    (keyword) => attributes[keyword]?.trim() || [],
  );
  return [
    ...(apart ? [scanned, came] : [scanned]).map((at) => ({
      from: at.subtract({ hours: 24 }).toString(),
      to: at.add({ hours: 24 }).toString(),
    })),
    ...numbers.map((find) => ({ find })),
  ];
}

/** The most likely first. Pure. */
export function likelyOf(
  { attributes = {}, acquired, sender = '' }: SeriesRow,
  bookings: readonly BookingRow[],
  scanners: Config['scanners'],
): Likely[] {
  const scanner = sendersOf(scanners).get(sender);
  const at = acquired === undefined ? undefined : Temporal.Instant.from(acquired).epochMilliseconds;
  return likelyBookings({ attributes, acquired: at, scanner }, bookings.flatMap(slotOf));
}

function slotOf({
  start,
  end = start,
  scanner = '',
  accessionNumber,
  studyInstanceUid,
  ...row
}: BookingRow): Slot[] {
  if (start === undefined || end === undefined) return [];
  const { project, subject, session } = row;
  const labels =
    project === undefined || subject === undefined || session === undefined
      ? undefined
      : { project, subject, session };
  const times = [start, end].map((time) => Temporal.Instant.from(time).epochMilliseconds);
  const [from = 0, to = 0] = times;
  return [{ scanner, start: from, end: to, ...defined({ accessionNumber, studyInstanceUid, labels }) }];
}

/** Lines below a quarantined series. Pure. */
export function likelyText(id: string, likely: readonly Likely[], timezone: string): string {
  if (likely.length === 0)
    return 'no booking fits it: nobody booked that time, accession number or subject\n';
  const lines = likely.flatMap(({ booking: { labels, scanner, start, accessionNumber }, signs }) => {
    const { project, subject, session } = labels;
    const when = localTime(Temporal.Instant.fromEpochMilliseconds(start), timezone);
    return [
      `  ${plain(`${project} ${subject} ${session}`)}  ${plain(scanner)} ${when}  ${accessionNumber ?? ''}  (same ${signs.join(', ')})`,
      `    scanflow series release ${id.slice(0, 8)} --project ${quoted(project)} --subject ${quoted(subject)} --session ${quoted(session)}`,
    ];
  });
  return ['bookings that may be its own, the most likely first:', ...lines, ''].join('\n');
}

/** As an argument of a shell. */
const quoted = (text: string): string => {
  const safe = plain(text);
  return /^[\w.@-]+$/.test(safe) ? safe : `'${safe.replaceAll("'", String.raw`'\''`)}'`;
};
