import assert from 'node:assert/strict';
import { test } from 'node:test';
import { changesNothing, countsOf, planDiff, type WasSeries } from './diff.ts';
import type { Plan } from './types.ts';

const target = { datatype: 'anat', suffix: 'T1w', entities: {} };

/** A plan of series with these names in the dataset. */
const planOf = (named: Readonly<Record<string, readonly string[]>>): Plan => ({
  ...{ project: 'p', subject: '01', session: undefined, accessionNumber: 'A', conflicts: [] },
  series: Object.entries(named).map(([id, paths]) => ({
    ...{ id, folder: `raw/${id}`, seriesNumber: 1, seriesDescription: id, reason: '' },
    ...{ decision: paths.length > 0 ? 'convert' : 'unknown', rule: undefined, suggestion: undefined },
    outputs: paths.map((path) => ({ output: path, path, target, metadata: {} })),
  })),
});
const wasOf = (named: Readonly<Record<string, readonly string[]>>): WasSeries[] =>
  Object.entries(named).map(([id, paths]) => ({ id, folder: `raw/${id}`, images: 10, paths }));
const rowsOf = (...args: Parameters<typeof planDiff>): string[] =>
  planDiff(...args).map(
    ({ id, change, before = '', after = '', moreImages }) =>
      `${id} ${change} ${before}>${after}${moreImages === 0 ? '' : ` ${moreImages}`}`,
  );

test('diff: what is new, gone, renamed, and the same', () => {
  const was = wasOf({ t1: ['a/T1w'], bold: ['a/bold'], two: ['a/e1', 'a/e2'], moved: ['a/T2w'] });
  const plan = planOf({ t1: ['a/T1w'], bold: ['a/task_bold'], two: ['a/e1'], scout: [], fancy: ['a/PDw'] });
  assert.deepEqual(rowsOf(was, { plan, images: { t1: 10, two: 12, bold: 10 } }), [
    't1 same a/T1w>a/T1w',
    'bold renamed a/bold>a/task_bold',
    'two same a/e1>a/e1 2',
    'two removed a/e2> 2',
    'fancy added >a/PDw',
    'moved removed a/T2w>',
  ]);
  const rows = planDiff(was, { plan, images: {} });
  assert.deepEqual(countsOf(rows), { added: 1, removed: 2, renamed: 1, same: 2 });
  assert.equal(changesNothing(rows), false);
});

test('diff: a name that goes from one series to another is removed there and added here', () => {
  const was = wasOf({ first: ['a/bold'] });
  assert.deepEqual(rowsOf(was, { plan: planOf({ first: [], last: ['a/bold'] }), images: {} }), [
    'first removed a/bold>',
    'last added >a/bold',
  ]);
});

test('diff: the same plan changes nothing, unless images came', () => {
  const was = wasOf({ t1: ['a/T1w'], scout: [] });
  const plan = planOf({ t1: ['a/T1w'], scout: [] });
  assert.equal(changesNothing(planDiff(was, { plan, images: { t1: 10 } })), true);
  assert.equal(changesNothing(planDiff(was, { plan, images: { t1: 11 } })), false);
  assert.equal(changesNothing(planDiff([], { plan, images: { t1: 10 } })), false);
});
