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
