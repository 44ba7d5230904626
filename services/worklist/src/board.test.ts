import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import { createBoard, type BoardOptions } from './board.ts';
import type { ExamSummary } from '@scanflow/booking';
import { buildSchedule, entriesOf, type Entry } from './domain/schedule.ts';

const ZONE = 'Europe/Amsterdam';
const HOUR_MS = 3_600_000;
const hoursAgo = (hours: number): Temporal.ZonedDateTime =>
  Temporal.Now.zonedDateTimeISO(ZONE).subtract({ hours });

function entry(accession: string, start: Temporal.ZonedDateTime | undefined): Entry {
  const [made] = entriesOf(
    `${accession}.wl`,
    dataSet({
      AccessionNumber: accession,
      ScheduledProcedureStepSequence: [
        {
          ScheduledProcedureStepStartDate: start?.toPlainDate().toString().replaceAll('-', ''),
          ScheduledProcedureStepStartTime: start
            ?.toPlainTime()
            .toString({ smallestUnit: 'second' })
            .replaceAll(':', ''),
        },
      ],
    }),
  );
  assert.ok(made);
  return made;
}

function step(accessionNumber: string, state: ExamSummary['state']): ExamSummary {
  const at = hoursAgo(1).toInstant().toString();
  const link = { accessionNumber, scheduledStepId: '', requestedProcedureId: '', studyInstanceUids: [] };
  const names = { modality: 'MR', stationAet: 'PRISMA', callingAet: 'PRISMA', wrongItem: false };
  const rest = { links: [link], items: [], series: [] };
  return { version: 1, sopInstanceUid: '1.2', state, created: at, updated: at, ...names, ...rest };
}

function board(entries: readonly Entry[], change: Partial<BoardOptions> = {}) {
  const made = createBoard({
    all: () => schedule,
    steps: () => [],
    maySee: () => true,
    bookingEnd: () => Promise.resolve(undefined),
    timezone: ZONE,
    leave: true,
    retainMs: 12 * HOUR_MS,
    ...change,
  });
  const schedule = buildSchedule(entries);
  const shown = () => made.schedule().entries.map(({ accessionNumber }) => accessionNumber);
  const left = () => [...made.left()].map(([{ accessionNumber }, why]) => `${accessionNumber} ${why}`);
  return { made, shown, left };
}

test('board: a slot that is long past leaves, one without a day stays', async () => {
  const { made, shown, left } = board([
    entry('OLD', hoursAgo(13)),
    entry('NEW', hoursAgo(11)),
    entry('NONE', undefined),
  ]);
  made.rebuild();
  await made.refresh();
  assert.deepEqual(shown(), ['NONE', 'NEW']);
  assert.deepEqual(left(), ['OLD over']);
});

test('board: with `retain: forever` nothing leaves by time', async () => {
  const { made, shown, left } = board([entry('OLD', hoursAgo(90_000))], { retainMs: Infinity });
  made.rebuild();
  await made.refresh();
  assert.deepEqual([shown(), left()], [['OLD'], []]);
});

test('board: the booking’s end counts where it is known, as it is now', async () => {
  let end = hoursAgo(2);
  const bookingEnd = () => Promise.resolve(end.epochMilliseconds);
  const { made, shown } = board([entry('LONG', hoursAgo(20))], { bookingEnd });
  await made.refresh();
  assert.deepEqual(shown(), ['LONG']);
  end = hoursAgo(13);
  await made.refresh();
  assert.deepEqual(shown(), []);
});

test('board: an exam that is done leaves at once, one in progress stays although its slot is over', async () => {
  const entries = [entry('DONE', hoursAgo(1)), entry('RUNS', hoursAgo(14)), entry('WAITS', hoursAgo(1))];
  const steps = [step('DONE', 'COMPLETED'), step('RUNS', 'IN PROGRESS')];
  const { made, shown, left } = board(entries, { steps: () => steps });
  await made.refresh();
  assert.deepEqual(shown().sort(), ['RUNS', 'WAITS']);
  assert.deepEqual(left(), ['DONE completed']);
  assert.deepEqual([...made.exams().values()].sort(), ['completed', 'in progress']);
});

test('board: where done exams are kept, only time takes them', async () => {
  const steps = [step('DONE', 'COMPLETED'), step('PAST', 'DISCONTINUED')];
  const entries = [entry('DONE', hoursAgo(1)), entry('PAST', hoursAgo(14))];
  const { made, shown, left } = board(entries, { steps: () => steps, leave: false });
  await made.refresh();
  assert.deepEqual([shown(), left()], [['DONE'], ['PAST over']]);
});

test('board: nothing is built anew while nothing comes or goes', async () => {
  const { made } = board([entry('OLD', hoursAgo(13)), entry('NEW', hoursAgo(1))]);
  await made.refresh();
  const before = made.schedule();
  await made.refresh();
  made.rebuild();
  assert.equal(made.schedule(), before);
});

test('board: a step that becomes another’s does not leave the old schedule in place', () => {
  let steps = [step('A', 'COMPLETED')];
  const { made, shown } = board([entry('A', hoursAgo(1)), entry('B', hoursAgo(1))], { steps: () => steps });
  made.rebuild();
  assert.deepEqual(shown(), ['B']);
  steps = [step('B', 'COMPLETED')];
  made.rebuild();
  assert.deepEqual(shown(), ['A']);
  steps = [];
  made.rebuild();
  assert.deepEqual(shown(), ['A', 'B']);
  steps = [step('A', 'COMPLETED')];
  made.rebuild();
  assert.deepEqual(shown(), ['B']);
});

test('board: tells once which items left by time, and whether scanners saw them before', async () => {
  const told: string[] = [];
  const onOver = (entries: readonly Entry[], shown: boolean): void => {
    told.push(
      `${entries.map(({ accessionNumber }) => accessionNumber).join(' ')} ${shown ? 'shown' : 'never shown'}`,
    );
  };
  let end = hoursAgo(1);
  const bookingEnd = (accession: string): Promise<number | undefined> =>
    Promise.resolve(accession === 'LONG' ? end.epochMilliseconds : undefined);
  const entries = [entry('OLD', hoursAgo(400)), entry('LONG', hoursAgo(20)), entry('NEW', hoursAgo(1))];
  const { made } = board(entries, { onOver, bookingEnd });
  await made.refresh();
  await made.refresh();
  assert.deepEqual(told, ['OLD never shown']);
  end = hoursAgo(13);
  await made.refresh();
  await made.refresh();
  assert.deepEqual(told, ['OLD never shown', 'LONG shown']);
});
