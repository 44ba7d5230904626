/** From facts to matters, and who hears of each, and when. Pure. */
import { itMatters, type ItRules } from './matters-it.ts';
import { peopleMatters, type PeopleRules } from './matters-people.ts';
import type { Closing, Facts, Picture, Thread, Matter, NoticeState } from './types.ts';

export function pictureOf(facts: Facts, it: ItRules | undefined, people: PeopleRules): Picture {
  const { matters, closings } = peopleMatters(facts, people);
  return {
    matters: [...(it === undefined ? [] : itMatters(facts, it)), ...matters],
    unknown: unknownIn(facts),
    closings,
  };
}

function unknownIn({ calendars, events, machines }: Facts): string[] {
  const silent = [...machines].flatMap(([name, machine]) => (machine === undefined ? [name] : []));
  return [
    ...(calendars === undefined ? ['calendar:', 'held:'] : []),
    ...(events === undefined ? ['event:'] : []),
    ...silent.flatMap((name) => [`certificate:${name}:`, `storage:disk:${name}:`]),
  ];
}

/** The words for a matter that is no more; undefined: nobody hears of it. */
export function closingOf({ matter, heading }: Thread, { closings }: Picture): Closing | undefined {
  // an event that was deleted, or is over: who booked it knows
  if (matter.startsWith('event:')) return closings.get(matter);
  return { heading, paragraphs: ['This is over: nothing of it is left.'] };
}

export const isUnknown = ({ matter }: Thread, { unknown }: Picture): boolean =>
  unknown.some((start) => matter.startsWith(start));

// Who hears what, and when: one pure function of the matter, of what the recipient knows, and of the moment.

export type Step =
  | { readonly kind: 'nothing' }
  /** There is something to tell, but not now. */
  | { readonly kind: 'wait' }
  | { readonly kind: 'tell'; readonly state: NoticeState; readonly replaces?: string }
  /** It is no more since now; told when it stays so. */
  | { readonly kind: 'gone' }
  /** It was gone and is back, with nothing new. */
  | { readonly kind: 'back' }
  /** Nobody needs to know any more; a message that nobody got is withdrawn. */
  | { readonly kind: 'forget'; readonly withdraws?: string };

export interface Moment {
  readonly now: number;
  readonly quiet: boolean;
  /** So many messages this recipient may still get within the hour. */
  readonly room: number;
  readonly gatherMs: number;
  /** Between two messages to facility IT about one matter. */
  readonly againMs: number;
}

const NOTHING: Step = { kind: 'nothing' };
const WAIT: Step = { kind: 'wait' };

/** The time that has passed; a clock that was set back makes nobody wait longer. */
const passed = (since: number, now: number, ms: number): boolean => now >= since + ms || now < since;

/** For a matter that is there now. */
export function openStep(matter: Matter, thread: Thread | undefined, moment: Moment): Step {
  const told = new Set(thread?.told);
  const news = matter.items.some(({ id }) => !told.has(id));
  if (!news) return thread?.gone === undefined ? NOTHING : { kind: 'back' };
  const pending = thread?.pending;
  const isHeld = pending?.fixed === true || (moment.quiet && !matter.urgent);
  if (isHeld || !isDue(matter, thread, moment)) return WAIT;
  // it takes the place of a message that nobody got yet
  if (pending !== undefined) return { kind: 'tell', state: pending.kind, replaces: pending.id };
  if (moment.room <= 0) return WAIT;
  return { kind: 'tell', state: thread?.toldAt === undefined ? firstState(matter) : 'changed' };
}

const firstState = ({ event }: Matter): NoticeState => (event ? 'said' : 'new');

function isDue(
  { urgent, event, role }: Matter,
  thread: Thread | undefined,
  { now, gatherMs, againMs }: Moment,
): boolean {
  if (event) return true;
  const { toldAt, since = now } = thread ?? {};
  if (toldAt === undefined) return urgent || passed(since, now, gatherMs);
  return passed(toldAt, now, role === 'it' ? againMs : gatherMs);
}

interface Over {
  /** Its recipients hear that it is over. */
  readonly spoken: boolean;
  readonly urgent: boolean;
}

/** For a matter that is no more. Not for events, which nothing ends. */
export function overStep(thread: Thread, { spoken, urgent }: Over, moment: Moment): Step {
  const { pending, told, gone } = thread;
  const { now, quiet, room, gatherMs } = moment;
  const isFixed = pending?.fixed === true;
  const withdraws = pending === undefined ? {} : { withdraws: pending.id };
  if (told.length === 0 || !spoken) return isFixed ? WAIT : { kind: 'forget', ...withdraws };
  if (gone === undefined) return { kind: 'gone' };
  // a message that may have got there is awaited
  if (isFixed || !passed(gone, now, gatherMs)) return WAIT;
  if (pending?.kind === 'new') return { kind: 'forget', withdraws: pending.id };
  if (quiet && !urgent) return WAIT;
  if (pending !== undefined) return { kind: 'tell', state: 'resolved', replaces: pending.id };
  return room > 0 ? { kind: 'tell', state: 'resolved' } : WAIT;
}

const FIRST_MS = 10_000;
const CAP_MS = 15 * 60_000;
/** Kept for so long while nothing gets through. */
const GIVE_UP_MS = 3 * 86_400_000;

/**
 * When a message that did not get there is sent again; undefined: it is given up.
 * @param attempt 1 for the first that failed
 * @param jitter a random number from 0 to 1
 */
export function sendAgainAfter(
  kind: 'transient' | 'permanent' | 'ambiguous',
  {
    attempt,
    ageMs,
    jitter,
    askedMs = 0,
  }: { readonly attempt: number; readonly ageMs: number; readonly jitter: number; readonly askedMs?: number },
): number | undefined {
  if (kind === 'permanent' || ageMs >= GIVE_UP_MS) return undefined;
  const base = Math.min(FIRST_MS * 2 ** Math.min(Math.max(attempt, 1) - 1, 20), CAP_MS);
  return Math.max(Math.round(base * (0.8 + 0.4 * jitter)), askedMs);
}
