/** One request that a node breaks off over costs itself, not the rest of the list. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FailureError } from '@scanflow/failure';
import { transferList, type Result } from './list.ts';
import type { Source } from './nodes.ts';
import type { Request } from './requests.ts';

const LOST = { kind: 'transient', code: 'DEST_LOST', message: 'It broke off.' } as const;

/** Breaks off whenever it is asked for A2; `there`: whether it answers otherwise. */
const source = (there: boolean): Source => ({
  name: 'PACS',
  check: () => (there ? Promise.resolve() : Promise.reject(new FailureError(LOST))),
  studies: ({ accession }) =>
    accession === 'A2' || !there
      ? Promise.reject(new FailureError(LOST))
      : Promise.resolve([{ studyUid: `1.2.${accession ?? ''}` }]),
  holding: () => Promise.resolve(new Map([['1.2.3', { count: 1 }]])),
  move: () => Promise.resolve({ result: 'complete', counts: { completed: 1 }, failedUids: [] }),
});

const requests = ['A1', 'A2', 'A3', 'A4'].map((accession, index): Request => ({
  line: index + 1,
  accession,
}));

const transferred = async (there: boolean): Promise<readonly Result[]> =>
  transferList({
    terms: {
      source: source(there),
      target: undefined,
      waitMs: 1,
      again: 0,
      retryMs: 0,
      signal: new AbortController().signal,
      retrying: () => undefined,
    },
    requests,
    journal: undefined,
    atOnce: 1,
    progress: () => undefined,
  });

const statuses = (results: readonly Result[]): string[] =>
  results.map(({ rows: [row] }) => `${row?.status ?? ''} ${row?.code ?? ''}`.trim());

test('transfer list: a request that a node breaks off over keeps no other, while it answers', async () => {
  assert.deepEqual(statuses(await transferred(true)), [
    'Unverified',
    'Failed DEST_LOST',
    'Unverified',
    'Unverified',
  ]);
});

test('transfer list: a node that does not answer at all ends it', async () => {
  assert.deepEqual(statuses(await transferred(false)), [
    'Failed DEST_LOST',
    'Interrupted',
    'Interrupted',
    'Interrupted',
  ]);
});
