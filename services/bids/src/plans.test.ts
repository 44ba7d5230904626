import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { BidsRequest } from '@scanflow/bids';
import type { PlanNow } from '@scanflow/bids/diff';
import { parseConfig, type BidsConfig, type Config } from '@scanflow/config';
import { failureIn } from '@scanflow/failure';
import { until } from '@scanflow/testkit';
import { bidsRig, type BidsRig } from '../../../tests/integration/bids-support.ts';
import { convert, type JobDeps } from './jobs.ts';
import { createLine } from './line.ts';
import { createPlans, type Plans } from './plans.ts';

function configured(root: string, bids: object): Config & { readonly bids: BidsConfig } {
  const text = JSON.stringify({
    facility: { name: 'Here', timezone: 'UTC' },
    data: '/data',
    scanners: { prisma: { aet: 'PRISMA', modality: 'MR' } },
    orthanc: { url: 'http://127.0.0.1:8042' },
    storage: { root },
    bids,
  });
  const read = parseConfig(text, join(root, 'scanflow.yaml'));
  assert.ok(read.ok, JSON.stringify(read));
  assert.ok(read.config.bids !== undefined);
  return { ...read.config, bids: read.config.bids };
}

const requestOf = ({ request }: BidsRig, id = 'a'): BidsRequest => ({
  ...{ id, project: request.project, subject: request.subject, session: request.session ?? '' },
  ...{ accessionNumber: request.accessionNumber, root: request.storageRoot },
  series: request.series.map((one) => ({ id: one.id, folder: join(request.storageRoot, one.folder) })),
});

const made = (plans: Plans, request: BidsRequest): Promise<Extract<PlanNow, { state: 'made' }>> =>
  until(
    async () => {
      const now = await plans.now(request);
      return now.state === 'made' ? now : undefined;
    },
    { what: 'the plan is made', timeoutMs: 60_000, everyMs: 20 },
  );
const codeOf = (work: Promise<unknown>): Promise<string | undefined> =>
  work.then(
    () => undefined,
    (error: unknown) => failureIn(error)?.code,
  );

/** dcm2niix, which begins once there is a file of this name. */
const behind = (gate: string): string[] => [
  ...['sh', '-c', 'while [ ! -e "$0" ]; do sleep 0.02; done; exec dcm2niix "$@"', gate],
];

test('plans: under way at first, kept until a file comes, by the rules of the moment, beside what the dataset has', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w', 'unknown'] });
  const request = requestOf(rig);
  const rules = join(request.root, 'rules.yaml');
  await writeFile(rules, 'rules: []\n');
  const gate = join(request.root, 'gate');
  const config = configured(request.root, { rules, dcm2niix: behind(gate) });
  const plans = createPlans({ config }, { signal: t.signal, waitMs: 1 });
  assert.deepEqual(await plans.now(request), { state: 'under way', done: 0, of: 2 });
  await writeFile(gate, '');
  const first = await made(plans, request);
  assert.deepEqual(
    first.plan.series.map(({ decision }) => decision),
    ['convert', 'unknown'],
  );
  assert.match(first.plan.series[1]?.suggestion ?? '', /suffix/);
  assert.equal(first.was, undefined);

  const metrics = { converted: () => undefined } as unknown as JobDeps['metrics'];
  const deps = { config, line: createLine(1, 1), metrics, version: '0' };
  const result = await convert(request, { signal: t.signal }, deps);
  assert.equal(result.verdict, 'valid');
  const { was, images } = await made(plans, request);
  const [t1w] = request.series;
  assert.deepEqual(was, [
    {
      ...{ id: t1w?.id, folder: first.plan.series[0]?.folder, images: images[t1w?.id ?? ''] },
      paths: [first.plan.series[0]?.outputs[0]?.path],
    },
  ]);

  await writeFile(rules, "rules:\n  - when: {name: '^My fancy'}\n    datatype: anat\n    suffix: PDw\n");
  const again = await plans.now(request);
  assert.ok(again.state === 'made', 'no series is read anew');
  assert.equal(again.plan.series[1]?.decision, 'convert');
  await writeFile(rules, 'rules: {\n');
  assert.equal(await codeOf(plans.now(request)), 'BIDS_RULES');
  await writeFile(rules, 'rules: []\n');
  await writeFile(join(t1w?.folder ?? '', 'note.txt'), 'late');
  await rm(gate);
  assert.equal((await plans.now(request)).state, 'under way', 'a file came');
  await writeFile(gate, '');
  await made(plans, request);
  const other = await made(plans, { ...request, id: 'b', accessionNumber: 'OTHER' });
  assert.equal(other.taken?.code, 'BIDS_SESSION_TAKEN');
  assert.equal(other.was, undefined);
});

test('plans: a converter that hangs keeps nobody waiting, and two at a time are the most', async (t) => {
  const rig = await bidsRig(t, { series: ['t1w'] });
  const ending = new AbortController();
  t.after(() => {
    ending.abort();
  });
  const hangs = [process.execPath, '-e', 'setInterval(() => undefined, 1000)'];
  const config = configured(rig.request.storageRoot, { dcm2niix: hangs });
  const plans = createPlans({ config }, { signal: ending.signal, waitMs: 1 });
  for (const id of ['a', 'b', 'a'])
    assert.equal((await plans.now(requestOf(rig, id))).state, 'under way', id);
  assert.equal(await codeOf(plans.now(requestOf(rig, 'c'))), 'BIDS_BUSY');
});
