import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome } from '@scanflow/booking';
import { createLog } from '@scanflow/runtime';
import type { Answered, Source } from '@scanflow/sources';
import { Answers, wishesOf } from './answers.ts';
import { emptyReport, type CalendarReport } from './report.ts';

const WISHED: Parameters<typeof wishesOf>[1] = {
  wish: { property: 'categories', when: ['rejected'] },
  isErased: () => false,
  zone: 'Europe/Amsterdam',
};
type Wish = Parameters<typeof wishesOf>[1]['wish'];
const COMMENTS: Wish = { property: 'comment', when: ['rejected'] };
const BOTH: Wish = { property: 'comment', when: ['rejected', 'taken'] };
const rejected = (uid: string, more: Partial<Outcome> = {}): Outcome =>
  ({ outcome: 'rejected', code: 'NO_LABELS', reason: 'No labels.', uid, ...more }) as Outcome;
const MARKED = { property: 'categories', text: 'Scanflow rejected' };

test('answers: rejected events get one, others lose it, and events of several outcomes are left alone', () => {
  const outcomes = [
    rejected('a'),
    rejected('b', { outcome: 'skipped' }),
    rejected('twice'),
    rejected('twice'),
  ];
  const wishes = wishesOf(outcomes, WISHED);
  assert.deepEqual(
    [...wishes],
    [
      ['a', MARKED],
      ['b', undefined],
    ],
  );
  const erased = wishesOf([rejected('a')], { ...WISHED, isErased: () => true });
  assert.deepEqual([...erased], [['a', undefined]]);
  const comment = wishesOf([rejected('a')], { ...WISHED, wish: COMMENTS });
  assert.equal(comment.get('a')?.text, 'Scanflow: rejected. No labels.');
});

/** An occurrence of the series `s`. */
const at = (day: string, more: Partial<Outcome> = {}): Outcome => {
  const start = Temporal.Instant.from(`2026-12-${day}T08:00:00Z`);
  return rejected('s', { recurrenceId: start.toString(), start, ...more });
};
const taken = (day: string, session = '1'): Outcome => {
  const { start } = at(day);
  const record = { labels: { project: 'P', subject: 'S', session }, start: String(start) };
  return { ...at(day), outcome: 'booking', record } as unknown as Outcome;
};

test('answers: a series says what holds for all its occurrences; where they differ, a comment says of which', () => {
  const said = (outcomes: readonly Outcome[], wish: Wish): string | undefined =>
    wishesOf(outcomes, { ...WISHED, wish }).get('s')?.text;
  assert.equal(said([at('07'), at('14')], COMMENTS), 'Scanflow: rejected. No labels.');
  assert.equal(said([taken('07'), taken('14')], COMMENTS), undefined);
  assert.equal(said([taken('07'), taken('14')], BOTH), 'Scanflow: taken as P · S · 1.');
  // a cancelled occurrence says nothing of the others
  const cancelled = at('21', { outcome: 'skipped' });
  assert.equal(said([at('07'), cancelled], COMMENTS), 'Scanflow: rejected. No labels.');
  assert.equal(
    said([at('07'), taken('14'), at('21')], COMMENTS),
    'Scanflow: 2026-12-07 09:00, 2026-12-21 09:00: rejected. No labels.',
  );
  assert.equal(
    said([at('07'), taken('14'), taken('21', '2')], BOTH),
    'Scanflow: 2026-12-07 09:00: rejected. No labels. 2026-12-14 09:00: taken as P · S · 1. 2026-12-21 09:00: taken as P · S · 2.',
  );
  const wishes = wishesOf([at('07'), taken('14')], WISHED);
  assert.deepEqual([...wishes], [['s', undefined]], 'a category would be about all occurrences');
});

const FETCH = { outcome: 'new', ms: 1, bytes: 1 } as const;
const good: CalendarReport = {
  ...emptyReport('lab'),
  ...{ state: 'good', fetch: FETCH, outcomes: [rejected('a'), rejected('b')] },
};

/** Answers over a server that does what `write` does. */
function answering(write: NonNullable<Source['answer']>) {
  const clock = { now: 0 };
  const config = { calendars: { lab: { answer: { property: 'comment', when: ['rejected'] } } } };
  const source: Source = { fetch: () => assert.fail('nothing is fetched'), answer: write };
  const answers = new Answers({
    config: { ...config, facility: { timezone: 'Europe/Amsterdam' } } as unknown as ConstructorParameters<
      typeof Answers
    >[0]['config'],
    sources: new Map([['lab', source]]),
    isErased: () => false,
    log: createLog({ service: 'test', level: 'error' }),
    now: () => clock.now,
  });
  const pass = async (report: CalendarReport = good): Promise<void> => {
    answers.after({ calendars: [report] }, new AbortController().signal);
    await answers.settled();
  };
  return { answers, clock, pass };
}

const NOTHING: Answered = { written: 0, changed: 0, refused: new Map() };

test('answers: at most five tries for an event in a day, and 20 in a pass', async () => {
  let tries = 0;
  const { clock, pass } = answering((asked) => {
    for (const uid of asked.answers.keys()) if (asked.mayWrite(uid)) tries += 1;
    return Promise.resolve({ ...NOTHING, written: 1 });
  });
  for (let index = 0; index < 8; index += 1) await pass();
  assert.equal(tries, 10);
  clock.now += 86_400_001;
  await pass();
  assert.equal(tries, 12);
  const outcomes = Array.from({ length: 50 }, (_, index) => rejected(`many${index}`));
  await pass({ ...good, outcomes });
  assert.equal(tries, 32);
});

test('answers: a calendar that gives no permission is asked once a day; after a success only the refused event rests', async () => {
  let asked = 0;
  let answer: Answered = { ...NOTHING, refused: new Map([['a', 403]]) };
  const { answers, clock, pass } = answering(() => {
    asked += 1;
    return Promise.resolve(answer);
  });
  for (let index = 0; index < 3; index += 1) await pass();
  assert.equal(asked, 1);
  assert.equal(answers.failureOf('lab')?.code, 'ANSWER_REFUSED');
  clock.now += 86_400_001;
  answer = { ...NOTHING, written: 1 };
  await pass();
  assert.equal(answers.failureOf('lab'), undefined);
  answer = { ...NOTHING, refused: new Map([['a', 403]]) };
  for (let index = 0; index < 3; index += 1) await pass();
  assert.equal(asked, 5);
});

test('answers: nothing is written of a calendar that did not answer, or whose list of projects cannot be read', async () => {
  const { pass } = answering(() => assert.fail('it was written'));
  const failure = { kind: 'transient', code: 'X', message: 'x' } as const;
  await pass({ ...good, state: 'stale' });
  await pass({ ...good, fetch: undefined });
  await pass({ ...good, projects: failure });
  await pass({ ...good, unwritten: failure });
});
