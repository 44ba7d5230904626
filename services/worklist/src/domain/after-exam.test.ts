import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import {
  examProgress,
  indexSteps,
  isLinked,
  isStale,
  joinItems,
  linkedItems,
  startOf,
} from './after-exam.ts';
import type { ExamSummary } from '@scanflow/booking';
import { buildSchedule, entriesOf, type Entry } from './schedule.ts';

const ZONE = 'Europe/Amsterdam';
const NOON = Temporal.Instant.from('2026-11-22T12:00:00Z');

function entry(
  change: Partial<Record<'accession' | 'study' | 'step' | 'date' | 'time', string>> = {},
): Entry {
  const { accession = 'A1', study = '2.25.1', step = 'S1', date = '20261122', time = '093000' } = change;
  const [made] = entriesOf(
    'a.wl',
    dataSet({
      AccessionNumber: accession,
      StudyInstanceUID: study,
      ScheduledProcedureStepSequence: [
        {
          ScheduledProcedureStepID: step,
          ScheduledProcedureStepStartDate: date,
          ScheduledProcedureStepStartTime: time,
        },
      ],
    }),
  );
  assert.ok(made);
  return made;
}
const link = {
  accessionNumber: 'A1',
  scheduledStepId: 'S1',
  requestedProcedureId: '',
  studyInstanceUids: ['2.25.1'],
};
const item = {
  accessionNumber: 'A1',
  studyInstanceUid: '2.25.1',
  scheduledStepId: 'S1',
  start: '2026-11-22T08:30:00Z',
};
const step = (change: Partial<ExamSummary> = {}): ExamSummary => ({
  version: 1,
  sopInstanceUid: '2.25.7',
  state: 'COMPLETED',
  created: '2026-11-22T08:31:00Z',
  updated: '2026-11-22T09:15:00Z',
  started: '2026-11-22T08:31:00Z',
  ended: '2026-11-22T09:15:00Z',
  modality: 'MR',
  stationAet: 'PRISMA',
  callingAet: 'PRISMA',
  wrongItem: false,
  links: [link],
  items: [item],
  series: [],
  ...change,
});
const running = (change: Partial<ExamSummary> = {}) => step({ state: 'IN PROGRESS', ...change });
const state = (...steps: ExamSummary[]) => examProgress(entry(), steps, ZONE, NOON);

const links: [string, Partial<typeof link>, boolean][] = [
  ['all the same', {}, true],
  ['accession number only', { scheduledStepId: '', studyInstanceUids: [] }, true],
  ['accession number, with a study of the scanner’s own', { studyInstanceUids: ['9.9'] }, true],
  ['study only', { accessionNumber: '', scheduledStepId: '' }, true],
  [
    'a study that was requested and grouped',
    { accessionNumber: '', studyInstanceUids: ['9.9', '2.25.1'] },
    true,
  ],
  ['another accession number in the same study', { accessionNumber: 'B1' }, false],
  ['another step of the same procedure', { scheduledStepId: 'S2' }, false],
  ['another study', { accessionNumber: '', studyInstanceUids: ['9.9'] }, false],
  ['nothing', { accessionNumber: '', scheduledStepId: '', studyInstanceUids: [] }, false],
];
const all = buildSchedule([entry(), entry({ accession: 'B1' })]);
for (const [what, change, expected] of links)
  test(`link: ${what}: ${expected}`, () => {
    assert.equal(
      isLinked({ ...link, ...change }, entry(), () => true),
      expected,
    );
    const found = indexSteps([step({ links: [{ ...link, ...change }] })], all).stepsOf(entry());
    assert.equal(found.length, expected ? 1 : 0, 'the index agrees');
  });

for (const [what, change, expected] of [
  ['study and step ID are right', {}, true],
  ['the study is another', { studyInstanceUids: ['9.9'] }, false],
  ['the step ID is another', { scheduledStepId: 'S2' }, false],
  ['there is no step ID', { scheduledStepId: '' }, false],
] as const)
  test(`link: an accession number that was typed anew: ${what}: ${expected}`, () => {
    const typed = { ...link, accessionNumber: 'a1', ...change };
    assert.equal(linkedItems([typed], buildSchedule([entry()]), ZONE).length, expected ? 1 : 0);
    const found = indexSteps([step({ links: [typed], items: [] })], all).stepsOf(entry());
    assert.equal(found.length, expected ? 1 : 0, 'the index agrees');
  });

test('start: a day whose time nobody can read has begun by its end, as one without a time', () => {
  for (const time of ['', '9h30', '2500', '240000'])
    assert.equal(startOf(entry({ time }), ZONE), '2026-11-22T22:59:59Z', time);
  assert.equal(startOf(entry({ date: '2026.11.22', time: '09:30' }), ZONE), '2026-11-22T08:30:00Z');
  assert.equal(startOf(entry({ date: '20260230' }), ZONE), undefined);
});

test('link: an item without any identity is linked to nothing', () => {
  assert.equal(
    isLinked({ ...link, accessionNumber: '', studyInstanceUids: [''] }, entry({ study: '' }), () => true),
    false,
  );
});

test('items: what a step is linked to is kept, with the start that was seen first', () => {
  const now = linkedItems(
    [link],
    buildSchedule([entry({ time: '110000' }), entry({ accession: 'B1' })]),
    ZONE,
  ).map((found) => found.item);
  assert.deepEqual(now, [{ ...item, start: '2026-11-22T10:00:00Z' }]);
  assert.deepEqual(joinItems([item], now), [item]);
  assert.deepEqual(joinItems([], now), now);
});

test('exam: no step, no state', () => assert.equal(state(), undefined));
test('exam: in progress, completed, discontinued', () => {
  assert.equal(state(running()), 'in progress');
  assert.equal(state(step()), 'completed');
  assert.equal(state(step({ state: 'DISCONTINUED' })), 'discontinued');
});
test('exam: begun again after it was stopped or completed is in progress', () => {
  assert.equal(state(step({ state: 'DISCONTINUED' }), running()), 'in progress');
  assert.equal(state(running(), step()), 'in progress');
});
test('exam: of several that ended the last one counts', () => {
  const later = step({ updated: '2026-11-22T10:00:00Z' });
  assert.equal(state(step({ state: 'DISCONTINUED' }), later), 'completed');
  assert.equal(state(later, step({ state: 'DISCONTINUED' })), 'completed');
});
test('exam: the wrong item of the worklist was not done', () => {
  assert.equal(state(step({ state: 'DISCONTINUED', wrongItem: true })), undefined);
});
test('exam: one that was forgotten for a day is no longer in progress', () => {
  const at = (hours: number) =>
    running({ started: NOON.subtract({ hours }).toString(), created: NOON.toString() });
  assert.deepEqual([isStale(at(23), NOON), isStale(at(25), NOON)], [false, true]);
  assert.equal(state(at(25)), undefined);
  assert.equal(isStale(step(), NOON.add({ hours: 900 })), false, 'what ended is never stale');
});
test('exam: a scanner whose clock runs ahead does not keep it for ever', () => {
  const ahead = running({ started: '2030-01-01T00:00:00Z' });
  assert.equal(isStale(ahead, Temporal.Instant.from('2026-11-24T00:00:00Z')), true);
});
test('exam: an appointment that was moved beyond the exam has none yet', () => {
  const at = (date: string, time: string) => examProgress(entry({ date, time }), [step()], ZONE, NOON);
  assert.equal(at('20261129', '093000'), undefined, 'a week later: another appointment');
  assert.equal(at('20261122', '100000'), 'completed', 'before the exam’s end: the same one');
  const unlinked = examProgress(entry({ date: '20261129' }), [step({ items: [] })], ZONE, NOON);
  assert.equal(unlinked, 'completed', 'where the start was never seen, the link decides');
});
test('exam: a subject who came early leaves too', () => {
  const early = step({ items: [{ ...item, start: '2026-11-22T12:00:00Z' }] });
  assert.equal(examProgress(entry({ time: '130000' }), [early], ZONE, NOON), 'completed');
});
