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
  `${zoned(at, timezone).toLocaleString(t.locale, { day: 'numeric', month: 'short' })} ${clockTime(at, timezone)}`;

/** A time element: short, and exact on pointing. */
export const timeTag = (at: number, timezone: string): Html =>
  html`<time
    datetime="${Temporal.Instant.fromEpochMilliseconds(at).toString()}"
    title="${exactTime(at, timezone)}"
    >${shortTime(at, timezone)}</time
  >`;
