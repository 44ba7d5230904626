/** Times as people of the facility say them, with the exact one beside. */
import { localTime } from '@scanflow/runtime/time';
import { t } from '../texts/pages.ts';
import { html, type Html } from './html.ts';

const zoned = (at: number, timezone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);

/** `09:30`. */
export const clockTime = (at: number, timezone: string): string =>
  zoned(at, timezone).toPlainTime().toString({ smallestUnit: 'minute' });

/** `2026-11-28 09:30:12+01:00`. */
export const exactTime = (at: number, timezone: string): string =>
  localTime(Temporal.Instant.fromEpochMilliseconds(at), timezone);

/** `28 Nov 09:30`. */
export const shortTime = (at: number, timezone: string): string =>
  `${dayAndMonth(timezone).format(at)} ${clockTime(at, timezone)}`;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Made once for each zone: making one takes as long as formatting 50 times, and memory that V8 does not see. */
function dayAndMonth(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const made = new Intl.DateTimeFormat(t.locale, { timeZone, day: 'numeric', month: 'short' });
  formats.set(timeZone, made);
  return made;
}

/** A time element: short, and exact on pointing. */
export const timeTag = (at: number, timezone: string): Html =>
  html`<time
    datetime="${Temporal.Instant.fromEpochMilliseconds(at).toString()}"
    title="${exactTime(at, timezone)}"
    >${shortTime(at, timezone)}</time
  >`;
