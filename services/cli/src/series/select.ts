/** Which series a command is about: its options as the filters of the streamer. Pure. */
import { given } from '@scanflow/failure/defined';
import { UsageError } from '../command.ts';
import { millisecondsOf } from '@scanflow/runtime/time';

const TEXT = { type: 'string' } as const;
const STATES = ['collecting', 'working', 'complete', 'failed', 'quarantined'];

export const FILTER_OPTIONS = {
  state: TEXT,
  project: TEXT,
  subject: TEXT,
  session: TEXT,
  scanner: TEXT,
  accession: TEXT,
  since: TEXT,
} as const;

export type Filters = { readonly [Name in keyof typeof FILTER_OPTIONS]?: string | undefined };

export const FILTER_HELP = `--state STATE      only collecting, working, complete, failed or quarantined ones
    --project P, --subject S, --session T
                     only those that are stored under these labels
    --scanner NAME   only those that this scanner sent: its name in the configuration, or an AE title
    --accession A    only those with this accession number
    --since WHEN     only those whose first image came since then: 2h, 7d, or a day like 2026-11-28`;

export interface Now {
  readonly now: Temporal.Instant;
  readonly timezone: string;
}

/** As the streamer takes them. Throws UsageError. */
export function queryOf(filters: Filters, at: Now): Readonly<Record<string, string>> {
  const { state, since } = filters;
  if (state !== undefined && !STATES.includes(state))
    throw new UsageError(`--state takes one of ${STATES.join(', ')}, not ${state}`);
  const texts = (['state', 'project', 'subject', 'session', 'scanner', 'accession'] as const).flatMap(
    (key) => {
      const text = filters[key]?.trim();
      if (text === '') throw new UsageError(`--${key} is empty`);
      return text === undefined ? [] : [[key, text] as const];
    },
  );
  const from = given(since, (text) => momentOf(text, at).toString());
  return { ...Object.fromEntries(texts), ...(from === undefined ? {} : { from }) };
}

/** `2h` before now, or the midnight with which a day begins in the facility. */
function momentOf(text: string, { now, timezone }: Now): Temporal.Instant {
  const ms = millisecondsOf(text);
  if (ms !== undefined) return now.subtract({ milliseconds: ms });
  const day = dayIn(text);
  if (day === undefined)
    throw new UsageError(`--since takes a time like 2h or 7d, or a day like 2026-11-28, not ${text}`);
  return day.toZonedDateTime(timezone).toInstant();
}

/** A day as people write it: 2026-11-28, or 20261128. */
export function dayIn(text: string): Temporal.PlainDate | undefined {
  if (!/^(?:\d{4}-\d{2}-\d{2}|(?:19|20)\d{6})$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text);
  } catch {
    return undefined;
  }
}
