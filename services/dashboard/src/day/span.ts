/** A day of the facility as a span of time. */

/** From its first instant to the first one of the next day, in epoch milliseconds. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** A day of the facility; one of 23 or 25 hours where clocks change. */
export const spanOf = (day: Temporal.PlainDate, timezone: string): Span => ({
  from: day.toZonedDateTime(timezone).epochMilliseconds,
  to: day.add({ days: 1 }).toZonedDateTime(timezone).epochMilliseconds,
});

/** Whether something touches the span. Of no length, it belongs to the span in which it lies. */
export const overlaps = (start: number, end: number, { from, to }: Span): boolean =>
  start < to && (end > from || start >= from);

/** A calendar day as it is written in addresses; undefined where it is none. */
export function dateIn(text: string): Temporal.PlainDate | undefined {
  if (!/^\d{4}-\d\d-\d\d$/.test(text)) return undefined;
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return undefined;
  }
}
