/**
 * What a person may see of the facts. Pages are made of what is left, so nothing of another project reaches them,
 * whatever it is found by: accession numbers and studies may lead to several projects. Pure.
 */
import { BIDS } from '@scanflow/config';
import { maySee, type Person } from '../access/roles.ts';
import { isAway, type Away } from '../journey/facts.ts';
import { isOf, listed } from './board.ts';
import type { DayFacts, DaySession } from './facts.ts';

type Parts = Pick<DayFacts, 'bookings' | 'exams' | 'sessions'> & Partial<Pick<DayFacts, 'last'>>;

/** Members see bookings of their projects and their own, and the images and exams of these; operators and IT see all. */
export function seenBy<T extends Parts>(person: Person, facts: T): T {
  if (person.role !== 'member') return facts;
  const now = partsSeen(person, facts);
  return {
    ...facts,
    ...now,
    ...(facts.last && { last: { ...facts.last, ...partsSeen(person, facts.last) } }),
  };
}

function partsSeen(person: Person, facts: Parts): Pick<DayFacts, 'bookings' | 'exams' | 'sessions'> {
  const bookings = listed(facts.bookings, ({ labels, booker, bookers }) =>
    maySee(person, { project: labels?.project, booker, bookers }),
  );
  const projects = new Map(
    listOf(bookings).flatMap(({ accessionNumber, labels }) =>
      accessionNumber === undefined ? [] : [[accessionNumber, labels?.project] as const],
    ),
  );
  const sees = (project: string | undefined, accession: string): boolean =>
    project === undefined
      ? projects.has(accession)
      : maySee(person, { project }) || projects.get(accession) === project;
  const sessions = isAway(facts.sessions)
    ? facts.sessions
    : facts.sessions.flatMap((one) => sessionSeen(one, (project) => sees(project, one.accessionNumber)));
  const exams = listed(
    facts.exams,
    (exam) =>
      exam.accessionNumbers.some((one) => projects.has(one)) ||
      listOf(sessions).some((one) => isOf(one, undefined, [exam])),
  );
  return { bookings, sessions, exams };
}

/** Without the series of other projects, and without labels, folder and verdict where these are another project's. */
function sessionSeen(session: DaySession, sees: (project: string | undefined) => boolean): DaySession[] {
  const series = session.series.filter(({ project }) => sees(project));
  if (sees(session.labels?.project)) return [{ ...session, series }];
  const { labels: _, folder: __, bids: ___, ...rest } = session;
  const deliveries = rest.deliveries.filter(({ hook }) => hook !== BIDS);
  return series.length === 0 ? [] : [{ ...rest, deliveries, series }];
}

const listOf = <T>(part: readonly T[] | Away): readonly T[] => (isAway(part) ? [] : part);
