/** What people hear of a session. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BidsResult } from '@scanflow/bids';
import type { BidsReport } from '../reports/session.ts';
import { peopleMatters, type PeopleRules } from './matters-people.ts';
import type { Facts, SessionFact } from './types.ts';

const TO = [{ channel: 'mail', address: 'it@example.org' }];
const facts = (sessions: readonly SessionFact[]): Facts => ({
  ...{
    now: 0,
    quarantined: [],
    failed: [],
    waiting: [],
    verification: [],
    hooks: [],
    troubles: [],
    sessions,
  },
  ...{ calendars: [], events: undefined, machines: new Map(), away: [] },
});
const RULES: PeopleRules = {
  booker: {
    ...{ domains: new Set(['example.org']), topics: new Set(['stored']) },
    ...{ example: undefined, contact: undefined },
  },
  ...{ projects: new Map([['p', TO]]), board: undefined, zone: 'Europe/Amsterdam' },
};

const session = (outcome: string, lacking: string[] = []): SessionFact => ({
  ...{
    id: 'S',
    increment: 1,
    outcome,
    series: 8,
    images: 1024,
    folder: '/project/p/raw/s/t',
    project: 'p',
  },
  ...{ name: 'p s t', lacking, bookers: ['anna@example.org'] },
});
const of = (one: SessionFact, over: Partial<PeopleRules> = {}) =>
  peopleMatters(facts([one]), { ...RULES, ...over }).matters;

test('matters of sessions: complete, incomplete, failed, to booker and project', () => {
  const [mine, theirs] = of(session('Complete'));
  assert.deepEqual(
    [mine?.heading, mine?.role, theirs?.role],
    ['Stored: 8 series of p s t', 'booker', 'project'],
  );
  assert.equal(mine?.items[0]?.text, '8 series, 1024 images, stored in /project/p/raw/s/t');
  assert.equal(of(session('Incomplete', ['series 5 (MR): Incomplete']))[0]?.items.length, 2);
  assert.match(of(session('Failed'))[0]?.heading ?? '', /^Failed: not all series of p s t/);
  assert.deepEqual(
    of(session('Complete'), { booker: undefined }).map(({ role }) => role),
    ['project'],
  );
  assert.deepEqual(of({ ...session('Complete'), project: 'q', bookers: [] }), []);
});

test('matters of sessions: the verdict on BIDS, with errors, warnings and what was left', () => {
  const told = (bids: Partial<BidsReport>) => {
    const report = { state: 'done' as const, increment: 1, updated: '2026-11-30T08:00:00Z', attempts: 1 };
    const [one] = of({ ...session('Complete'), bids: { ...report, ...bids } });
    return {
      heading: one?.heading,
      line: one?.items[1]?.text,
      paragraphs: one?.paragraphs,
      id: one?.items[1]?.id,
    };
  };
  assert.deepEqual(told({ result: RESULT }), {
    heading: 'Stored: 8 series of p s t, BIDS valid',
    line: 'BIDS: valid (1 warning, 2 left), in /project/p/bids/sub-s/ses-t',
    paragraphs: ['Warnings of the validator:\nFEW (2 files, such as a): few subjects'],
    id: '1.bids.valid',
  });
  const error = { code: 'BAD', message: 'no\nname', count: 1, files: ['b.json'] };
  const errors = Array.from({ length: 6 }, () => error);
  const invalid = { ...RESULT, verdict: 'invalid' as const, errors, errorCount: 9 };
  const failed = [{ series: '009-bold', code: 'BIDS_CONVERT', message: 'dcm2niix: no such slice' }];
  const bad = told({ result: { ...invalid, failed, counts: { ...RESULT.counts, failed: 1 } } });
  assert.equal(bad.heading, 'Stored: 8 series of p s t, BIDS invalid');
  assert.equal(bad.line, 'BIDS: invalid (9 errors, 1 warning, 1 series failed, 2 left)');
  assert.deepEqual(bad.paragraphs?.slice(1), [
    `Errors of the validator:\n${'BAD (b.json): no name\n'.repeat(5)}and 4 more`,
    'Warnings of the validator:\nFEW (2 files, such as a): few subjects',
    'Series that were not converted:\n009-bold: dcm2niix: no such slice',
  ]);
  assert.equal(bad.id, '1.bids.invalid, partly');
  const taken = told({ state: 'failed', failure: { code: 'BIDS_SESSION_TAKEN', message: 'It is taken.' } });
  assert.deepEqual(
    [taken.heading, taken.line, taken.paragraphs],
    [
      'Stored: 8 series of p s t, not converted to BIDS',
      'BIDS: not converted (BIDS_SESSION_TAKEN)',
      ['It is taken.'],
    ],
  );
  // the worst of several parts may be that of another project
  const also = [{ folder: 'sub-s/ses-t', state: 'published', verdict: 'valid', errorCount: 0 } as const];
  const parts = told({ result: { ...invalid, failed, dataset: '/project/q/bids', also } });
  assert.equal(parts.line, 'BIDS: invalid (9 errors, 1 warning, 2 left)');
  assert.deepEqual(parts.paragraphs, [
    'Some series of the session have other labels. Facility IT sees what became of each part.',
  ]);
  assert.equal(
    told({ result: { ...RESULT, dataset: '/project/q/bids', also } }).line,
    'BIDS: valid (1 warning, 2 left)',
  );
  assert.match(told({ state: 'pending' }).line ?? '', /^BIDS: not converted yet/);
  const none = told({ result: { ...RESULT, state: 'not configured' } });
  assert.deepEqual([none.heading, none.line], ['Stored: 8 series of p s t', undefined]);
});

const RESULT: BidsResult = {
  ...{ state: 'published', dataset: '/project/p/bids', folder: 'sub-s/ses-t', verdict: 'valid' },
  ...{ errorCount: 0, warningCount: 1, errors: [] },
  warnings: [{ code: 'FEW', message: 'few subjects', count: 2, files: ['a'] }],
  counts: { series: 3, converted: 1, failed: 0, left: 2, files: 2, images: 9 },
  ...{ conflicts: [], failed: [], kept: [], versions: {} },
};
