import assert from 'node:assert/strict';
import { test } from 'node:test';
import { UsageError } from '../command.ts';
import type { SeriesRow } from './client.ts';
import { countText, dayIn, queryOf, type Filters } from './many.ts';

const AT = { now: Temporal.Instant.from('2026-11-28T12:00:00Z'), timezone: 'Europe/Amsterdam' };
const asked = (filters: Filters): object => queryOf(filters, AT);

test('select: options are filters of the streamer; --since is a time before now, or the midnight of a day there', () => {
  assert.deepEqual(asked({}), {});
  const filters = { state: 'failed', project: ' p ', scanner: 'prisma', accession: 'A1' };
  assert.deepEqual(asked(filters), { ...filters, project: 'p' });
  assert.deepEqual(asked({ since: '2h' }), { from: '2026-11-28T10:00:00Z' });
  assert.deepEqual(asked({ since: '2026-07-01' }), { from: '2026-06-30T22:00:00Z' }, 'in summer time');
});

test('select: a value that no series can have is a mistake, not a filter that finds nothing', () => {
  for (const filters of [{ state: 'lost' }, { since: 'soon' }, { since: '2026-13-01' }, { project: ' ' }])
    assert.throws(() => asked(filters), UsageError, JSON.stringify(filters));
});

test('select: a day is written with or without hyphens, and a project number is none', () => {
  assert.equal(dayIn('2026-11-28')?.toString(), '2026-11-28');
  assert.equal(dayIn('20261128')?.toString(), '2026-11-28');
  for (const text of ['30100001', '2026-02-30', '3010000.01', '11-28', ''])
    assert.equal(dayIn(text), undefined, text);
});

test('many: the count names states and reasons of the target, the most first', () => {
  const row = (state: string, code: string): SeriesRow => ({
    ...{ id: 'a', seriesInstanceUid: '1', accessionNumber: '', modality: 'MR', seriesNumber: '1' },
    ...{ seriesDescription: '', state, outcome: '', firstSeen: AT.now.toString() },
    images: { inOrthanc: 1, stored: 1 },
    legs: [
      { target: 'pacs', state: 'failed', attempts: 1, done: 0, total: 1, failure: { code, message: 'x' } },
      {
        target: 'other',
        state: 'failed',
        attempts: 1,
        done: 0,
        total: 1,
        failure: { code: 'NO', message: 'x' },
      },
    ],
  });
  const chosen = [
    row('failed', 'DEST_REFUSED'),
    row('working', 'DEST_UNREACHABLE'),
    row('failed', 'DEST_REFUSED'),
  ];
  assert.equal(
    countText({ order: 'retry', target: 'pacs' }, chosen),
    '3 series of pacs: 2 failed, 1 working\n  2 pacs: DEST_REFUSED\n  1 pacs: DEST_UNREACHABLE\n',
  );
});
