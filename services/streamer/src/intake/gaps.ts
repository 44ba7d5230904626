/**
 * Which numbers of Orthanc's changes may still appear. With several Orthancs on one PostgreSQL, a transaction takes a number and
 * commits it later, while higher ones are visible already (docs/decisions/0028-two-orthancs.md). Pure.
 */
/** Milliseconds since 1970. */
type Millis = number;

/** Numbers that were missing when a higher one was known. */
export interface Gap {
  readonly from: number;
  /** The last of them. */
  readonly to: number;
  /** When the streamer first missed them. */
  readonly since: Millis;
}

export interface Gaps {
  /** By number; they do not overlap. */
  readonly open: readonly Gap[];
  /** There were too many to remember each: those that it forgot were missed at this moment or before. */
  readonly forgotten?: Millis;
  /** The first of them that no comparison covers yet was missed then. */
  readonly uncompared?: Millis;
}

/** A stretch of numbers that is read again. */
export type Stretch = Pick<Gap, 'from' | 'to'>;

export const NO_GAPS: Gaps = { open: [] };

/** No transaction of Orthanc stays open for as long: PostgreSQL ends it before (docs/scale.md). */
export const LATEST = 10 * 60_000;
/** More than that many are compared as a whole. */
export const MOST_GAPS = 500;
/** A gap is read again after 0.5, 1.5, 3.5, 7.5 … seconds. */
const STEP = 500;

/**
 * After a page of changes: what it does not have, between the cursor and the page's end, is missing.
 *
 * @param numbers those of the page, ascending
 */
export function missedIn(
  gaps: Gaps,
  { after, through, numbers }: { after: number; through: number; numbers: readonly number[] },
  now: Millis,
): Gaps {
  const open = [...gaps.open];
  let next = after + 1;
  for (const number of [...numbers, through + 1]) {
    if (number > next) open.push({ from: next, to: number - 1, since: now });
    next = Math.max(next, number + 1);
  }
  return bounded(open, gaps);
}

/** The highest are the youngest: the lowest are forgotten first. */
function bounded(open: readonly Gap[], { forgotten, uncompared }: Gaps): Gaps {
  const surplus = open.slice(0, Math.max(0, open.length - MOST_GAPS));
  const times = [forgotten, ...surplus.map(({ since }) => since)].filter((time) => time !== undefined);
  return {
    open: open.slice(surplus.length),
    ...(times.length === 0
      ? {}
      : { forgotten: Math.max(...times), uncompared: uncompared ?? Math.min(...times) }),
  };
}

/** Whether this number is missing. */
export const isMissed = ({ open }: Gaps, number: number): boolean =>
  open.some(({ from, to }) => from <= number && number <= to);

/** Those numbers have appeared. */
export function filled(gaps: Gaps, numbers: readonly number[]): Gaps {
  const open = numbers.reduce<readonly Gap[]>(
    (left, number) => left.flatMap((gap) => without(gap, number)),
    gaps.open,
  );
  return bounded(open, gaps);
}

function without(gap: Gap, number: number): Gap[] {
  const { from, to } = gap;
  if (number < from || number > to) return [gap];
  return [
    { ...gap, to: number - 1 },
    { ...gap, from: number + 1 },
  ].filter((part) => part.from <= part.to);
}

/**
 * What to read again now. Gaps that fit into one page together are one stretch.
 *
 * @param last when gaps were read the last time; 0: never
 */
export function toRead({ open }: Gaps, last: Millis, now: Millis, page: number): Stretch[] {
  const stretches: Stretch[] = [];
  for (const gap of open) {
    if (stepOf(last - gap.since) === stepOf(now - gap.since)) continue;
    const before = stretches.at(-1);
    if (before !== undefined && gap.to - before.from < page)
      stretches.splice(-1, 1, { from: before.from, to: gap.to });
    else stretches.push({ from: gap.from, to: gap.to });
  }
  return stretches;
}

/** After LATEST, each moment is a step of its own: whoever drops a gap has read it after that. */
const stepOf = (age: Millis): number =>
  age >= LATEST ? age : age < 0 ? -1 : Math.floor(Math.log2(1 + age / STEP));

/** After reading again: what is old by now cannot appear any more. A clock that stepped back begins anew. */
export function aged(gaps: Gaps, now: Millis): Gaps {
  const open = gaps.open
    .filter(({ since }) => now - since < LATEST)
    .map((gap) => (gap.since > now ? { ...gap, since: now } : gap));
  const { forgotten = now, uncompared = now } = gaps;
  const same =
    Math.max(forgotten, uncompared) <= now &&
    open.length === gaps.open.length &&
    open.every((gap, index) => gap === gaps.open[index]);
  if (same) return gaps;
  if (gaps.forgotten === undefined) return { open };
  return { open, forgotten: Math.min(forgotten, now), uncompared: Math.min(uncompared, now) };
}

/** From when on a comparison of everything in Orthanc finds the first of those that were forgotten. */
export function comparedFrom({ forgotten, uncompared = forgotten }: Gaps): Millis | undefined {
  return uncompared === undefined ? undefined : uncompared + LATEST;
}

/** After a comparison that began at this moment. Others that were forgotten meanwhile wait for the next one. */
export const comparedAt = ({ open, forgotten }: Gaps, began: Millis): Gaps =>
  forgotten === undefined || forgotten + LATEST <= began ? { open } : { open, forgotten, uncompared: began };
