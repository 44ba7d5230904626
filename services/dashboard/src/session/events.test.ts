import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sessionsAnswer } from '../sources/answers.ts';
import { eventsOf } from './events.ts';

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
