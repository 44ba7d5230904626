/**
 * What all services know of a day, read once for everybody who asks between two changes. A service that goes away leaves its last
 * answer, with the moment since when it is away.
 */
import { type DayFacts, type DayParts, spanOf, type Span } from '../day/facts.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { bookingsAnswer, performedAnswer } from './answers.ts';
import { sessionsAnswer, type SessionsAnswer } from './streamer-answers.ts';
import { bookingsOf, examsOf, sessionsOf } from './read.ts';
import { asked, type Service, type Services } from './service.ts';

interface SharedOptions {
  /** Epoch milliseconds. */
  readonly now: () => number;
  /** Differs after each change; undefined while changes may go unheard. */
  readonly revision: () => number | undefined;
}

/** Should a change go unheard against all odds, nobody sees the old state for longer. */
const FRESH_MS = 10_000;

/**
 * Between two changes all get the same answer, the same object, so that pages of it are made once. `isWhole`: whether an answer may
 * be kept; one that lacks a part is looked at again. A reading that fails is not kept.
 */
export function shared<T>(
  read: () => Promise<T>,
  { now, revision }: SharedOptions,
  isWhole: (answer: T) => boolean,
): () => Promise<T> {
  let running: { readonly revision: number | undefined; readonly answer: Promise<T> } | undefined;
  let fresh: { readonly revision: number; readonly at: number; readonly answer: T } | undefined;
  return () => {
    const current = revision();
    if (fresh !== undefined && fresh.revision === current && now() - fresh.at < FRESH_MS)
      return Promise.resolve(fresh.answer);
    // one that began before the change may not know it
    if (running !== undefined && running.revision === current) return running.answer;
    const at = now();
    const mine = {
      revision: current,
      answer: read().then((answer) => {
        if (current !== undefined && isWhole(answer)) fresh = { revision: current, at, answer };
        return answer;
      }),
    };
    running = mine;
    const done = (): void => {
      if (running === mine) running = undefined;
    };
    mine.answer.then(done, done);
    return mine.answer;
  };
}

interface DaysOptions extends SharedOptions {
  readonly services: Services;
  readonly part: <T>(name: string, read: () => Promise<T>) => Promise<T | Away>;
  readonly items: () => Promise<DayFacts['items']>;
  readonly timezone: string;
  readonly scanners: readonly string[];
}

/** Days that somebody looked at last. Each may have some megabytes. */
const MOST_DAYS = 4;

/** Who asks between two changes gets the same answer, the same object, so that pages of it are made once. Never rejects. */
export function createDays(options: DaysOptions): (day: Temporal.PlainDate) => Promise<DayFacts> {
  const days = new Map<string, () => Promise<DayFacts>>();
  return (day) => {
    const key = day.toString();
    const kept = days.get(key) ?? sharedDay(day, options);
    days.delete(key);
    days.set(key, kept);
    for (const oldest of days.keys()) if (days.size > MOST_DAYS) days.delete(oldest);
    return kept();
  };
}

function sharedDay(day: Temporal.PlainDate, options: DaysOptions): () => Promise<DayFacts> {
  const before: { known: Partial<DayParts> } = { known: {} };
  return shared(
    () => look(day, before, options),
    options,
    ({ last }) => last === undefined,
  );
}

async function look(
  day: Temporal.PlainDate,
  kept: { known: Partial<DayParts> },
  options: DaysOptions,
): Promise<DayFacts> {
  const { services, part, items: listed, timezone, scanners } = options;
  const { cal2wl, worklist, streamer } = services;
  const span = spanOf(day, timezone);
  const query = `?from=${iso(span.from)}&to=${iso(span.to)}`;
  const [bookings, items, exams] = await Promise.all([
    part('bookings', async () =>
      bookingsOf(await asked(cal2wl, `/api/board/bookings${query}`, bookingsAnswer)),
    ),
    listed(),
    part('exams', async () => examsOf(await asked(worklist, '/api/performed', performedAnswer), span)),
  ]);
  const keys = keysOf({
    bookings: known(bookings, kept.known.bookings),
    exams: known(exams, kept.known.exams),
  });
  const sessions = await part('sessions', async () => sessionsOf(await askSessions(streamer, span, keys)));
  const now = { bookings, items, exams, sessions };
  kept.known = { ...kept.known, ...goodOf(now) };
  const isDark = isAway(bookings) || isAway(items) || isAway(exams) || isAway(sessions);
  return { day, timezone, scanners, ...now, ...(isDark && { last: { ...now, ...kept.known } }) };
}

const goodOf = ({ bookings, items, exams, sessions }: DayParts): Partial<DayParts> => ({
  ...(!isAway(bookings) && { bookings }),
  ...(!isAway(items) && { items }),
  ...(!isAway(exams) && { exams }),
  ...(!isAway(sessions) && { sessions }),
});

const known = <T>(part: readonly T[] | Away, last: readonly T[] | Away | undefined): readonly T[] => {
  const best = isAway(part) ? (last ?? []) : part;
  return isAway(best) ? [] : best;
};

interface Keys {
  readonly accessions: readonly string[];
  readonly studies: readonly string[];
  readonly series: readonly string[];
}

const keysOf = ({
  bookings,
  exams,
}: {
  readonly bookings: readonly { readonly accessionNumber?: string }[];
  readonly exams: Exclude<DayFacts['exams'], Away>;
}): Keys => {
  const some = (list: readonly string[]): string[] => [...new Set(list)].slice(0, MOST_KEYS);
  return {
    accessions: some([
      ...bookings.flatMap(({ accessionNumber }) => accessionNumber ?? []),
      ...exams.flatMap(({ accessionNumbers }) => accessionNumbers),
    ]),
    studies: some(exams.flatMap(({ studyInstanceUids }) => studyInstanceUids)),
    series: some(exams.flatMap((exam) => exam.series.map(({ seriesInstanceUid }) => seriesInstanceUid))),
  };
};

/** As many as the streamer takes. */
const MOST_KEYS = 4_096;
/** How far a streamer of before looks around the day: images of a booking may come the day after, or a week. */
const BEFORE_MS = 86_400_000;
const AFTER_MS = 7 * 86_400_000;

/** Images of the day's bookings and exams, whenever they came, and those that came on the day. */
async function askSessions(streamer: Service, { from, to }: Span, keys: Keys): Promise<SessionsAnswer> {
  const page = (first: number, last: number): string =>
    `/api/board/sessions?from=${iso(first)}&to=${iso(last)}`;
  const { status, body } = await streamer.post(page(from, to), keys);
  // a streamer of before finds sessions by their time alone
  if (status === 404) return asked(streamer, page(from - BEFORE_MS, to + AFTER_MS), sessionsAnswer);
  if (status !== 200) throw new Error(`the streamer answered ${status}`);
  return sessionsAnswer.parse(body);
}

const iso = (millis: number): string => Temporal.Instant.fromEpochMilliseconds(millis).toString();
