/** What happens to the worklist when files and the process come and go. */
import assert from 'node:assert/strict';
import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { until } from '@scanflow/testkit';
import * as worklist from './worklist-support.ts';

const { accessions, encoded, find, IDENTITY, item, publish, scratch, startService, worklistFolder } =
  worklist;
type Service = worklist.Service;

async function served(t: worklist.Owner, { port }: Service): Promise<string[]> {
  return accessions(await find(t, port, IDENTITY));
}

/** Asks until the answers are these; gives how long it took in milliseconds, from `since` to the last query's start. */
async function shows(
  t: worklist.Owner,
  service: Service,
  expected: readonly string[],
  since: number,
): Promise<number> {
  return until(
    async () => {
      const asked = performance.now();
      const got = await served(t, service);
      return got.join() === expected.join() && asked - since;
    },
    { what: `the worklist holds ${expected.join()}`, timeoutMs: 5_000, everyMs: 1 },
  );
}

test('files: what is added, replaced and removed shows within a second', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  const service = await startService(t, { data });
  assert.deepEqual(await served(t, service), []);
  const steps: [() => Promise<void>, string[]][] = [
    [() => publish(folder, 'a.wl', encoded(item('A1'))), ['A1']],
    [() => publish(folder, 'b.wl', encoded(item('B1'))), ['A1', 'B1']],
    [() => publish(folder, 'a.wl', encoded(item('A2'))), ['A2', 'B1']],
    [() => writeFile(join(folder, 'c.wl'), encoded(item('C1'))), ['A2', 'B1', 'C1']],
    [() => rm(join(folder, 'b.wl')), ['A2', 'C1']],
  ];
  for (const [change, expected] of steps) {
    await change();
    const ms = await shows(t, service, expected, performance.now());
    assert.ok(ms < 1_000, `${expected.join()} took ${ms} ms`);
  }
});

test('files: a broken one is reported and costs no other', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  const whole = encoded(item('X1'));
  await writeFile(join(folder, 'good.wl'), encoded(item('A1')));
  await writeFile(join(folder, 'half.wl'), whole.subarray(0, whole.length - 11));
  await writeFile(join(folder, 'text.wl'), 'this is no DICOM file');
  await writeFile(join(folder, 'empty.wl'), '');
  const service = await startService(t, { data });
  await publish(folder, 'later.wl', encoded(item('B1')));
  await shows(t, service, ['A1', 'B1'], performance.now());
  const problems = async (): Promise<string[] | false> => {
    const page = (await service.get('/api/worklist')) as { problems: { file: string; code: string }[] };
    return page.problems.length === 3 && page.problems.map(({ file, code }) => `${file} ${code}`).sort();
  };
  assert.deepEqual(await until(problems, { what: 'three files are reported', timeoutMs: 8_000 }), [
    'empty.wl BROKEN',
    'half.wl BROKEN',
    'text.wl BROKEN',
  ]);
  const reported = service.program.output().match(/worklist\.file-not-served/g);
  assert.equal(reported?.length, 3, 'each once');
});

test('files: the folder may appear after the service has started', async (t) => {
  const data = await scratch(t);
  const service = await startService(t, { data });
  assert.partialDeepStrictEqual(await service.get('/healthz'), {
    status: 'ok',
    folderState: 'missing',
    items: 0,
  });
  assert.deepEqual(await served(t, service), []);
  const folder = await worklistFolder(data);
  await publish(folder, 'a.wl', encoded(item('A1')));
  const ms = await shows(t, service, ['A1'], performance.now());
  assert.ok(ms < 1_000, `${ms} ms`);
});

test('files: a folder that vanishes leaves the last worklist, and the service says it is not well', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  await publish(folder, 'a.wl', encoded(item('A1')));
  const service = await startService(t, { data });
  await rename(folder, `${folder}-away`);
  const state = async (wanted: string): Promise<boolean> =>
    ((await service.get('/healthz')) as { status: string }).status === wanted;
  await until(() => state('failing'), { what: 'it is failing', timeoutMs: 5_000 });
  assert.deepEqual(await served(t, service), ['A1']);
  await rename(`${folder}-away`, folder);
  await until(() => state('ok'), { what: 'it is well again', timeoutMs: 5_000 });
});

test('process: after kill -9 the next one serves the same worklist on the same port', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  await publish(folder, 'a.wl', encoded(item('A1')));
  const first = await startService(t, { data });
  assert.deepEqual(await served(t, first), ['A1']);
  await first.program.stop('SIGKILL');
  const second = await startService(t, { data, port: first.port });
  assert.deepEqual(await served(t, second), ['A1']);
});

test('process: SIGTERM ends it in order', async (t) => {
  const data = await scratch(t);
  await worklistFolder(data);
  const service = await startService(t, { data });
  await service.program.stop('SIGTERM');
  assert.equal(await service.program.ended, 0, service.program.output());
});

test('process: a port that is taken is told at once', async (t) => {
  const data = await scratch(t);
  await worklistFolder(data);
  const first = await startService(t, { data });
  await assert.rejects(startService(t, { data, port: first.port }), /EADDRINUSE/);
});
