import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionsAnswer } from '../sources/streamer-answers.ts';
import type { DayBooking } from '../day/facts.ts';
import { BOOKING, iso, rig } from '../web/board-kit.test.ts';
import { changesOf, eventsOf } from './events.ts';

test('events: what happened stands in the order of time; a service that is away leaves the rest', () => {
  const answer = sessionsAnswer.parse({
    sessions: [
      {
        ...{ id: 's', accessionNumber: 'A', studyInstanceUids: [], complete: true },
        ...{ firstSeen: '2026-11-28T09:00:00Z', updated: '2026-11-28T11:00:00Z' },
        series: [
          {
            ...{
              id: 'a',
              seriesInstanceUid: '1',
              studyInstanceUid: '2',
              accessionNumber: 'A',
              modality: 'MR',
            },
            ...{
              seriesNumber: '3',
              seriesDescription: 't1',
              state: 'complete',
              firstSeen: '2026-11-28T09:10:00Z',
            },
            images: { inOrthanc: 1, stored: 1 },
            legs: [],
            decision: { kind: 'release', at: '2026-11-28T09:20:00Z', by: 'anna' },
            verification: [{ place: 'storage', good: '2026-11-28T10:00:00Z' }],
          },
        ],
      },
    ],
    hooks: [],
  });
  assert.deepEqual(
    eventsOf({ bookings: { since: 1 }, exams: [], answer }).map(({ text }) => text),
    [
      'the first image of 3 t1 arrives',
      'anna decides where 3 t1 belongs (release)',
      'the files of 3 t1 are verified',
      'the last news of the session',
    ],
  );
});

const moved = {
  ...{ at: '2026-11-28T11:20:00Z', by: 'anna', reason: 'wrong subject' },
  ...{ from: { path: 'p1/a' }, to: { path: 'p2/a' } },
};

const withMore = sessionsAnswer.parse({
  sessions: [
    {
      ...{ id: 's', accessionNumber: 'A', studyInstanceUids: [], complete: true },
      ...{ firstSeen: '2026-11-28T09:10:00Z', updated: '2026-11-28T13:00:00Z' },
      series: [
        {
          ...{ id: 'a', seriesInstanceUid: '1', studyInstanceUid: '2', accessionNumber: 'A', modality: 'MR' },
          ...{
            seriesNumber: '3',
            seriesDescription: 't1',
            state: 'complete',
            firstSeen: '2026-11-28T09:10:00Z',
          },
          images: { inOrthanc: 1, stored: 1 },
          legs: [{ target: 'pacs', state: 'done', attempts: 0, done: 1, total: 1 }],
          decision: { kind: 'move', at: moved.at, by: 'anna' },
          moved: [moved],
          cleaned: '2026-11-28T12:30:00Z',
        },
      ],
    },
  ],
  hooks: [
    {
      ...{ subject: 'a', target: 'hook:nifti', state: 'done', updated: '2026-11-28T12:00:00Z' },
      failure: { code: 'HOOK_SKIPPED', message: 'given up' },
    },
    { subject: 's', target: 'hook:mail', state: 'failed', updated: '2026-11-28T12:10:00Z' },
  ],
});

test('events: moves, hooks, pauses and what people did stand there with who did it', () => {
  const at = (time: string): number => Temporal.Instant.from(`2026-11-28T${time}:00Z`).epochMilliseconds;
  const pause = { destination: 'pacs', since: at('09:00'), by: 'otto', reason: 'update' };
  const entry = { at: at('11:59'), who: 'anna', address: '', what: 'skip', subject: 'a', result: 'done' };
  const events = eventsOf(
    { bookings: [], exams: [], answer: withMore },
    {
      audit: [entry, { ...entry, at: at('12:20'), what: 'retry', result: 'refused: 409' }],
      pauses: {
        open: [{ ...pause, since: at('12:50') }],
        ended: [
          { ...pause, until: at('10:00'), endedBy: 'anna' },
          { ...pause, since: at('08:00'), until: at('08:10'), endedBy: 'anna' },
          { ...pause, destination: 'other', until: at('10:00'), endedBy: 'anna' },
        ],
      },
    },
  );
  assert.deepEqual(
    events.map(({ text }) => text),
    [
      'otto pauses pacs: update',
      'the first image of 3 t1 arrives',
      'anna resumes pacs',
      'anna moves 3 t1 from p1/a to p2/a: wrong subject',
      'anna: skip 3 t1',
      'hook nifti for 3 t1: skipped',
      'hook mail for the session: failed',
      'anna: retry 3 t1 (refused: 409)',
      '3 t1 is deleted from Orthanc',
      'the last news of the session',
    ],
  );
});

test('events: a booking that moved shows from where and where to, each change from the one before', () => {
  const at = (time: string): number => Temporal.Instant.from(`2026-11-28T${time}:00Z`).epochMilliseconds;
  const booking: DayBooking = {
    ...{ id: 'lab/u/', calendar: 'lab', scanner: 'skyra', outcome: 'booking', accessionNumber: 'A' },
    ...{ start: at('14:00'), end: at('15:00') },
    changes: [
      { at: at('08:00'), start: at('09:00'), end: at('10:00') },
      { at: at('08:10'), status: 'scheduled' },
      { at: at('08:20'), start: at('12:00'), scanner: 'prisma', status: 'cancelled' },
    ],
  };
  assert.deepEqual(changesOf(booking), [
    {
      at: at('08:00'),
      slot: {
        from: { start: at('09:00'), end: at('10:00'), scanner: 'prisma', status: 'scheduled' },
        to: { start: at('12:00'), end: at('15:00'), scanner: 'prisma', status: 'scheduled' },
      },
    },
    { at: at('08:10'), status: 'cancelled' },
    {
      at: at('08:20'),
      slot: {
        from: { start: at('12:00'), end: at('15:00'), scanner: 'prisma', status: 'cancelled' },
        to: { start: at('14:00'), end: at('15:00'), scanner: 'skyra', status: 'scheduled' },
      },
      scanner: { from: 'prisma', to: 'skyra' },
      status: 'scheduled',
    },
  ]);
  const texts = eventsOf({ bookings: [booking], exams: [], answer: { sessions: [], hooks: [] } });
  assert.deepEqual(
    texts.map(({ text }) => text),
    [
      'the booking was moved in its calendar',
      'the booking is gone from its calendar',
      'the booking is back in its calendar',
      'the slot begins',
      'the slot ends',
    ],
  );
  assert.deepEqual(changesOf({ ...booking, changes: [] }), [], 'a record of before');
});

test('session: its page says when the calendar moved the booking, and how; a relabelled one stands under Earlier', async (t) => {
  const event = {
    ...{ ...BOOKING, calendar: 'lab', uid: 'u', scanner: 'skyra', start: iso(60), end: iso(120) },
    ...{ project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' },
  };
  const bookings = [
    { ...event, changes: [{ at: iso(-30), start: iso(0), end: iso(60), scanner: 'prisma' }] },
    {
      ...{ ...event, outcome: 'superseded', accessionNumber: 'A0', subject: 'sub-010', code: 'SUPERSEDED' },
      changes: [{ at: iso(-40), status: 'scheduled' }],
    },
  ];
  const board = await rig(t, undefined, {
    '/api/board/bookings?find=A1': { bookings: bookings.slice(0, 1) },
    '/api/board/bookings?find=lab%2Fu%2F': { bookings },
  });
  const { body } = await board.get('/session/A1', { cookie: await board.signedIn('it') });
  assert.match(
    body,
    /noticed: moved from 28 Nov 09:00–10:00 to 28 Nov 10:00–11:00, moved from prisma to skyra/,
  );
  assert.match(body, /sub-010[^]*relabelled: another booking took its place, noticed\s+<time[^>]*T07:20:00Z/);
});
