import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Labels } from '@scanflow/booking';
import type { SeriesView } from '../ledger/rows.ts';
import { labelsText, unitsOf } from './bids-units.ts';

type Place = Pick<SeriesView, 'id' | 'session' | 'labels' | 'moved'>;

const at = (subject: string, session = 'ses-1'): Labels => ({ project: 'p', subject, session });
const series = (id: string, session: string, ...path: Labels[]): Place => ({
  id,
  session,
  labels: path.at(-1),
  moved: path.slice(1).map((labels, index) => ({
    at: '2026-11-30T10:00:00.000Z',
    by: 'anna',
    reason: '',
    from: { path: '', labels: path[index] ?? labels },
    to: { path: '', labels },
  })),
});

const CASES: readonly {
  readonly what: string;
  readonly all: readonly Place[];
  /** What session A converts, and what leaves. */
  readonly converts: Readonly<Record<string, string>>;
  readonly leaves: readonly string[];
}[] = [
  {
    what: 'nothing was moved',
    all: [series('1', 'A', at('s1')), series('2', 'A', at('s1')), series('3', 'B', at('s2'))],
    converts: { s1: '1 2' },
    leaves: [],
  },
  {
    what: 'two registrations have the same labels: each converts its own, and the dataset refuses the second',
    all: [series('1', 'A', at('s1')), series('2', 'B', at('s1'))],
    converts: { s1: '1' },
    leaves: [],
  },
  {
    what: 'the whole session was moved',
    all: [series('1', 'A', at('s1'), at('s2')), series('2', 'A', at('s1'), at('s2'))],
    converts: { s2: '1 2' },
    leaves: ['s1'],
  },
  {
    what: 'one series was moved to labels that nobody has',
    all: [series('1', 'A', at('s1')), series('2', 'A', at('s1'), at('s2'))],
    converts: { s1: '1', s2: '2' },
    leaves: [],
  },
  {
    what: 'the last series was moved to the session of another',
    all: [series('1', 'A', at('s1'), at('s2')), series('2', 'B', at('s2'))],
    converts: {},
    leaves: ['s1'],
  },
  {
    what: 'another series was moved here',
    all: [series('1', 'A', at('s1')), series('2', 'B', at('s2'), at('s1')), series('3', 'B', at('s2'))],
    converts: { s1: '1 2' },
    leaves: [],
  },
  {
    what: 'a series was moved there and back',
    all: [series('1', 'A', at('s1'), at('s2'), at('s1')), series('2', 'A', at('s1'))],
    converts: { s1: '1 2' },
    leaves: ['s2'],
  },
  {
    what: 'two sessions were moved to the same labels: one of them converts both',
    all: [series('1', 'A', at('s1'), at('s9')), series('2', 'B', at('s2'), at('s9'))],
    converts: { s9: '1 2' },
    leaves: ['s1'],
  },
];

for (const { what, all, converts, leaves } of CASES)
  test(`units: ${what}`, () => {
    const units = (session: string): ReturnType<typeof unitsOf<Place>> => {
      const own = all.filter((one) => one.session === session);
      const labelled = Map.groupBy(
        all.filter((one) =>
          own.some(({ labels }) => labels !== undefined && one.labels?.subject === labels.subject),
        ),
        ({ labels }) => labelsText(labels ?? at('')),
      );
      return unitsOf(session, own, labelled);
    };
    const { converts: found, leaves: left } = units('A');
    assert.deepEqual(
      Object.fromEntries(found.map((one) => [one.labels.subject, one.series.map(({ id }) => id).join(' ')])),
      converts,
    );
    assert.deepEqual(
      left.map(({ subject }) => subject),
      leaves,
    );
    // no series is in two places, and none is forgotten
    const placed = ['A', 'B'].flatMap((one) =>
      units(one).converts.flatMap((unit) => unit.series.map(({ id }) => id)),
    );
    assert.deepEqual(placed.sort(), all.map(({ id }) => id).sort());
  });
