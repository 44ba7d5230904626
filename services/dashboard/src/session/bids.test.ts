import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerText, type BidsResult } from '@scanflow/bids/answer';
import { sessionsAnswer } from '../sources/streamer-answers.ts';
import { sessionsOf } from '../sources/read.ts';
import { HOSTILE, iso, rig } from '../web/board-kit.test.ts';

const RESULT: BidsResult = {
  ...{ state: 'kept aside', dataset: '/project/p/bids', folder: 'sub-01/ses-01', verdict: 'invalid' },
  ...{ errorCount: 1, warningCount: 0, warnings: [], versions: {} },
  errors: [{ code: 'NOT_INCLUDED', message: HOSTILE, count: 1, files: ['sub-01/note.txt'] }],
  counts: { series: 2, converted: 2, failed: 0, left: 0, files: 4, images: 20 },
  conflicts: [{ code: 'BIDS_NAME_TAKEN', message: 'Series 2 and series 6' }],
  failed: [],
  kept: [{ path: 'sub-01/note.txt', why: 'not ours' }],
};

const answerOf = (result: BidsResult): object => ({
  sessions: [
    {
      ...{ id: 's', accessionNumber: 'AAAAAAAAAAAAAAAA', studyInstanceUids: ['1.2'], complete: true },
      ...{ firstSeen: '2026-11-28T09:10:00Z', updated: '2026-11-28T13:00:00Z', series: [] },
      bids: { state: 'done', result },
    },
  ],
  hooks: [{ subject: 's', target: 'hook:bids', state: 'done', output: answerText({ ok: true, result }) }],
});

test('bids: an invalid dataset, and a series that failed, are no success; warnings are none of these', () => {
  const became = (over: Partial<BidsResult>): unknown =>
    sessionsOf(sessionsAnswer.parse(answerOf({ ...RESULT, ...over })))[0]?.bids;
  assert.deepEqual(became({}), { became: 'invalid', count: 1 });
  assert.deepEqual(became({ verdict: 'valid', warningCount: 3 }), { became: 'valid' });
  const failed = { verdict: 'valid', counts: { ...RESULT.counts, failed: 1 } } as const;
  assert.deepEqual(became(failed), { became: 'lacking', count: 1 });
});

test('bids: the page of a session has verdict, errors, conflicts and kept files, and hostile text is text', async (t) => {
  const board = await rig(t, undefined, { '/api/board/find': answerOf(RESULT) });
  const cookie = await board.signedIn('it');
  const { statusCode, body } = await board.get('/session/AAAAAAAAAAAAAAAA', { cookie });
  assert.equal(statusCode, 200);
  assert.match(body, /invalid \(1 error\)/);
  assert.match(body, /<code>NOT_INCLUDED<\/code> &quot;&gt;&lt;img/);
  assert.match(body, /BIDS_NAME_TAKEN/);
  assert.match(body, /sub-01\/note\.txt/);
  assert.ok(!body.includes(HOSTILE));
});

test('bids: members see nothing of a part that may be in the dataset of another project', async (t) => {
  const labelled = (project: string): object => ({ labels: { project, subject: 's', session: '1' } });
  const series = {
    ...{ id: 't1', seriesInstanceUid: '1.3', studyInstanceUid: '1.2', accessionNumber: 'A', modality: 'MR' },
    ...{ seriesNumber: '1', seriesDescription: 't1', state: 'complete', firstSeen: iso(-5), legs: [] },
    ...{ images: { inOrthanc: 10, stored: 10 }, ...labelled('p') },
  };
  const others: BidsResult = {
    ...{ ...RESULT, dataset: '/project/q/bids', folder: 'sub-secret' },
    also: [{ folder: 'sub-01', state: 'published', verdict: 'valid', errorCount: 0 }],
  };
  const failure = { code: 'BIDS_LABEL_TAKEN', message: 'sub-secret belongs to another' };
  const found = (project: string, bids: object) => {
    const { sessions, hooks } = answerOf(others) as Record<'sessions' | 'hooks', object[]>;
    return {
      sessions: sessions.map((one) => ({ ...one, ...labelled(project), series: [series] })),
      hooks: hooks.map((one) => ({ ...one, ...bids })),
    };
  };
  const seenBy = async (person: 'it' | 'own', answer: object): Promise<string> => {
    const board = await rig(t, undefined, { '/api/board/find': answer });
    await board.store.add({ name: 'own', role: 'member', projects: ['p'], addresses: [] }, 0);
    const now = Temporal.Instant.from(iso(0)).epochMilliseconds;
    const own = `__Host-scanflow=${await board.store.signIn('own', '127.0.0.1', now)}`;
    const cookie = person === 'own' ? own : await board.signedIn('it');
    const { statusCode, body } = await board.get('/session/AAAAAAAAAAAAAAAA', { cookie });
    assert.equal(statusCode, 200);
    return body;
  };
  for (const answer of [found('p', {}), found('q', { state: 'failed', failure })]) {
    const body = await seenBy('own', answer);
    for (const text of ['secret', '/project/q', 'sub-01/note.txt']) assert.ok(!body.includes(text), text);
    assert.match(await seenBy('it', answer), /sub-secret/);
  }
  assert.match(await seenBy('own', found('p', {})), /invalid \(1 error\)/);
  // one part failed: its words are for members of its project
  const failed = (project: string): object => {
    const told = { kind: 'permanent', ...failure } as const;
    const output = answerText({ ok: false, failure: told, project, result: others });
    return found('p', { state: 'failed', failure, output });
  };
  const theirs = await seenBy('own', failed('q'));
  for (const text of ['secret', '/project/q', 'sub-01/note.txt']) assert.ok(!theirs.includes(text), text);
  assert.match(theirs, /BIDS_LABEL_TAKEN/);
  assert.match(await seenBy('own', failed('p')), /sub-secret belongs to another/);
  assert.match(await seenBy('it', failed('q')), /sub-secret belongs to another[^]*NOT_INCLUDED/);
});
