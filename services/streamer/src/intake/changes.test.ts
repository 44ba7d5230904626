import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { createOrthanc } from '@scanflow/orthanc';
import { httpServer } from '@scanflow/testkit';
import { routeRules } from '@scanflow/testkit/streamer';
import { readCursor } from '../ledger/claims.ts';
import { openLedger } from '../ledger/database.ts';
import { listSeries } from '../ledger/views.ts';
import type { Settings } from '../model/settings.ts';
import { parseLayout } from '../store/place/layout.ts';
import { Condition } from '../work/condition.ts';
import { createWakes } from '../work/loop.ts';
import { intakeRound, type IntakeDeps } from './changes.ts';
import { LATEST, MOST_GAPS } from './gaps.ts';

const settings: Settings = {
  quietMs: 1,
  pollMs: 0,
  route: routeRules(),
  tag: { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' },
  layout: parseLayout('{project}/{subject}/{session}/{SOPInstanceUID}.dcm'),
  unmatched: undefined,
  destinations: [],
  limits: { count: 2, bytes: 1e9 },
  retry: { firstMs: 1, capMs: 1 },
  reconcileMs: 1e9,
  recheckMs: 1e9,
};

const idOf = (number: number): string => `${String(number).padStart(8, '0')}${'-00000000'.repeat(4)}`;

/** An index of Orthanc: which numbers are visible, and which it calls the last one. */
interface Index {
  visible: number[];
  last: number | undefined;
  plugin: string | null;
}

/** A streamer's intake at an Orthanc whose changes are those of the index. */
async function intake(t: TestContext) {
  const index: Index = { visible: [], last: undefined, plugin: 'PostgreSQL' };
  const url = await httpServer(t, (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://x');
    if (pathname === '/system')
      return response.end(JSON.stringify({ Version: '1.12.7', DatabaseBackendPlugin: index.plugin }));
    if (pathname !== '/changes') return response.writeHead(404).end();
    const since = Number(searchParams.get('since'));
    const behind = index.visible.filter((number) => number > since).sort((a, b) => a - b);
    const page = behind.slice(0, Number(searchParams.get('limit')));
    const last = page.at(-1) ?? index.last ?? Math.max(0, ...index.visible);
    const changes = page.map((seq) => ({ Seq: seq, ChangeType: 'NewSeries', ID: idOf(seq) }));
    return response.end(
      JSON.stringify({ Changes: changes, Last: last, Done: page.length === behind.length }),
    );
  });
  const folder = await mkdtemp(join(tmpdir(), 'scanflow-intake-'));
  const ledger = openLedger(join(folder, 'ledger.sqlite'));
  const orthanc = createOrthanc({ url });
  t.after(async () => {
    orthanc.close();
    await ledger.close();
    await rm(folder, { recursive: true });
  });
  const said: string[] = [];
  const log = Object.fromEntries(
    ['debug', 'info', 'warn', 'error'].map((level) => [level, (event: string) => void said.push(event)]),
  ) as unknown as IntakeDeps['log'];
  const time = { now: 1_000_000 };
  const clock = { now: () => time.now, random: () => 0.5 };
  const deps = { orthanc, ledger, settings, clock, log, condition: new Condition(), wakes: createWakes() };
  return {
    index,
    time,
    said,
    deps,
    round: () => intakeRound(deps, new AbortController().signal),
    cursor: () => ledger.read(readCursor),
    found: async () =>
      (await ledger.read(listSeries, { limit: 99 })).map(({ id }) => Number(id.slice(0, 8))).sort(),
  };
}

test('intake: a number that appears below the cursor is found, and it is no wiped database', async (t) => {
  const { index, time, said, round, found, cursor } = await intake(t);
  index.visible = [1, 2, 4, 6];
  await round();
  assert.deepEqual(
    (await cursor())?.gaps?.open.map(({ from, to }) => [from, to]),
    [
      [3, 3],
      [5, 5],
    ],
  );
  time.now += 2_000;
  // it was committed last
  index.visible.push(3);
  index.last = 3;
  await round();
  assert.deepEqual(await found(), [1, 2, 3, 4, 6]);
  await round();
  assert.deepEqual(
    said.filter((event) => /wiped|another database/.test(event)),
    [],
  );
  assert.equal((await cursor())?.seq, 6);
  index.visible = [1, 2];
  index.last = undefined;
  await round();
  assert.deepEqual(
    said.filter((event) => /wiped/.test(event)),
    ['database wiped'],
  );
  assert.deepEqual(await cursor(), { seq: 0, database: undefined });
});

test('intake: an empty page whose end was read a moment later hides nothing', async (t) => {
  const { index, time, round, found } = await intake(t);
  index.visible = [1];
  await round();
  index.last = 3;
  await round();
  index.visible = [1, 2, 3];
  time.now += 1_000;
  await round();
  assert.deepEqual(await found(), [1, 2, 3]);
});

test('intake: a number that never appears is given up; an Orthanc with one writer has none', async (t) => {
  const { index, time, round, cursor } = await intake(t);
  index.visible = [1, 3];
  await round();
  time.now += LATEST;
  await round();
  assert.deepEqual(await cursor(), { seq: 3, database: undefined });
  index.plugin = null;
  time.now += 60_000;
  index.visible = [1, 3, 7];
  await round();
  assert.deepEqual(await cursor(), { seq: 7, database: undefined });
});

test('intake: after too many missing numbers everything is compared, once none can appear any more', async (t) => {
  const { index, time, said, deps, round, cursor } = await intake(t);
  index.visible = Array.from({ length: MOST_GAPS + 9 }, (_, at) => 2 * at + 2);
  await round();
  const began = time.now;
  assert.equal((await cursor())?.gaps?.forgotten, began);
  const asked = (): number => said.filter((event) => event.startsWith('compares')).length;
  deps.condition.comparing = deps.condition.compared = began;
  time.now = began + LATEST - 1;
  await round();
  assert.equal(asked(), 0);
  time.now = began + LATEST;
  const before = deps.wakes.reconcile.count;
  await round();
  assert.deepEqual([asked(), deps.wakes.reconcile.count - before], [1, 1]);
  await round();
  assert.equal(asked(), 1, 'another comparison is under way, and this one comes next');
  deps.condition.comparing = time.now;
  await round();
  assert.equal(asked(), 1, 'it is under way');
  deps.condition.compared = time.now;
  await round();
  assert.deepEqual(await cursor(), { seq: index.visible.at(-1), database: undefined });
});
