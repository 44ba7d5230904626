/** From facts to matters, and which of them nobody knows about now. Pure. */
import { itMatters, type ItRules } from './matters-it.ts';
import { peopleMatters, type PeopleRules } from './matters-people.ts';
import type { Closing, Facts, Picture, Thread } from './types.ts';

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
