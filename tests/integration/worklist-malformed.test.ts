/** Items that are not as they should be, in a running service: they are served, listed as problems, and counted right. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { text, type Attributes } from '@scanflow/dicom';
import { until } from '@scanflow/testkit';
import { with_, withStep } from './worklist-differences-cases.ts';
import { encoded, find, item, scratch, startService, wholeFile, worklistFolder } from './worklist-support.ts';

interface Malformed {
  readonly name: string;
  readonly root?: Attributes;
  readonly step?: Attributes;
  readonly code: string;
  readonly message: RegExp;
}
const MALFORMED: readonly Malformed[] = [
  { name: 'NOMOD', step: { Modality: null }, code: 'INCOMPLETE', message: /Modality/ },
  { name: 'NOSTATION', step: { ScheduledStationAETitle: null }, code: 'INCOMPLETE', message: /AETitle/ },
  {
    name: 'NODAY',
    step: { ScheduledProcedureStepStartDate: null },
    code: 'INCOMPLETE',
    message: /StartDate/,
  },
  { name: 'NONAME', root: { PatientName: null }, code: 'INCOMPLETE', message: /PatientName/ },
  {
    name: 'UID',
    root: { StudyInstanceUID: '1.2.study' },
    code: 'MALFORMED',
    message: /StudyInstanceUID \(digits/,
  },
  {
    name: 'UIDZERO',
    root: { StudyInstanceUID: '1.02.3' },
    code: 'MALFORMED',
    message: /no number with a zero/,
  },
  {
    name: 'UIDLONG',
    root: { StudyInstanceUID: `1.${'2'.repeat(64)}` },
    code: 'MALFORMED',
    message: /at most 64/,
  },
  {
    name: 'AELONG',
    step: { ScheduledStationAETitle: 'PRISMA_OF_THE_NORTH1' },
    code: 'MALFORMED',
    message: /ScheduledStationAETitle \(at most 16/,
  },
  {
    name: 'NODATE',
    step: { ScheduledProcedureStepStartDate: '20260230' },
    code: 'MALFORMED',
    message: /a day that exists/,
  },
  {
    name: 'DASHES',
    step: { ScheduledProcedureStepStartDate: '2026-11-28' },
    code: 'MALFORMED',
    message: /YYYYMMDD/,
  },
  { name: 'NOTIME', step: { ScheduledProcedureStepStartTime: '9h30' }, code: 'MALFORMED', message: /HHMMSS/ },
  { name: 'LOWER', step: { Modality: 'mr' }, code: 'MALFORMED', message: /Modality \(at most 16 capitals/ },
];

const suite = wholeFile();
const data = await scratch(suite);
const folder = await worklistFolder(data);
await writeFile(join(folder, 'GOOD.wl'), encoded(item('GOOD')));
for (const { name, root = {}, step = {} } of MALFORMED)
  await writeFile(join(folder, `${name}.wl`), encoded(with_(withStep(item(name), step), root)));
await writeFile(join(folder, 'BROKEN.wl'), encoded(item('BROKEN')).subarray(0, 600));
const long = { start: Temporal.ZonedDateTime.from('2001-11-22T09:30[Europe/Amsterdam]') };
await writeFile(join(folder, 'OLD.wl'), encoded(item('OLD', long)));
const service = await startService(suite, { data });
// a file that was written a moment ago is read once more before it counts as broken
const settled = async (): Promise<boolean> =>
  /problem_files 1$(?:.|\n)*items_left\{reason="over"\} 1$/m.test(await service.page('/metrics'));
await until(settled, { what: 'the folder is read as it is', timeoutMs: 30_000 });

interface Page {
  readonly items: readonly { readonly accessionNumber: string }[];
  readonly left: readonly { readonly accessionNumber: string; readonly why: string }[];
  readonly problems: readonly {
    readonly file: string;
    readonly code: string;
    readonly message: string;
    readonly served: boolean;
  }[];
}
const page = (await service.get('/api/worklist')) as Page;

for (const { name, code, message } of MALFORMED)
  test(`malformed: ${name} is served, and /api/worklist says what is wrong with it`, () => {
    assert.ok(page.items.some(({ accessionNumber }) => accessionNumber === name));
    const found = page.problems.filter(({ file }) => file === `${name}.wl`);
    assert.deepEqual(
      found.map(({ code: of, served }) => [of, served]),
      [[code, true]],
    );
    assert.match(found[0]?.message ?? '', message);
    assert.ok(service.program.output().includes(`"file":"${name}.wl"`), 'the log names it');
  });

test('malformed: scanners get the items, and nothing is said of a good one', async (t) => {
  const { answers } = await find(t, service.port, ['AccessionNumber']);
  const names = MALFORMED.map(({ name }) => name);
  assert.deepEqual(
    answers.map((answer) => text(answer, 'AccessionNumber')).sort(),
    ['GOOD', ...names].sort(),
  );
  assert.ok(!page.problems.some(({ file }) => file === 'GOOD.wl'));
});

test('malformed: the metric and /healthz count what is served, not what lies in the folder', async () => {
  const served = MALFORMED.length + 1;
  assert.equal(page.items.length, served);
  assert.deepEqual(
    page.left.map(({ accessionNumber, why }) => [accessionNumber, why]),
    [['OLD', 'over']],
  );
  const metrics = await service.page('/metrics');
  assert.match(metrics, new RegExp(`^scanflow_worklist_items ${served}$`, 'm'));
  assert.match(metrics, /^scanflow_worklist_items_left\{reason="over"\} 1$/m);
  assert.match(metrics, /^scanflow_worklist_problem_files 1$/m);
  const health = JSON.parse(await service.page('/healthz')) as { items: number; itemsInFolder: number };
  assert.deepEqual([health.items, health.itemsInFolder], [served, served + 1]);
});
