/** docs/reconciling.md: what happens while a scan runs, and when a pass is killed. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodeExamRecord } from '@scanflow/booking';
import { writeFileAtomic } from '@scanflow/runtime/files';
import { examRecord, makeCalendar, run, until, type CalendarEntry } from '@scanflow/testkit';
import {
  giving,
  soon,
  startCal2wlWith,
  startCalendarServer,
  temporaryFolder,
  type Cal2wl,
} from './cal2wl-support.ts';
import { accessionOf, anchor, onWorklist, scene, warningsOf } from './cal2wl-reconcile-support.ts';

test('edited while the scan runs: the item is frozen, and the change comes when the exam has ended', () =>
  scene([soon('001', 2), anchor], async (play) => {
    const first = await accessionOf(play, '001');
    const before = await play.record(first);
    const step = async (state: 'IN PROGRESS' | 'COMPLETED'): Promise<void> => {
      const now = Temporal.Now.instant().toString();
      const link = {
        accessionNumber: first,
        scheduledStepId: first,
        requestedProcedureId: '',
        studyInstanceUids: [],
      };
      await mkdir(join(play.data, 'performed'), { recursive: true });
      // as the worklist does: a file takes the other's name
      await writeFileAtomic(
        join(play.data, 'performed', '2.25.7.json'),
        encodeExamRecord(
          examRecord({ sopInstanceUid: '2.25.7', state, created: now, updated: now, links: [link] }),
        ),
      );
    };
    await step('IN PROGRESS');
    await play.cal2wl.pass();
    const edits = [
      soon('001', 3),
      soon('001', 2, { summary: '3010000.01 sub-002 ses-mri01' }),
      soon('001', 2, { status: 'CANCELLED' }),
    ];
    for (const edit of [...edits, undefined]) {
      await play.show(...(edit === undefined ? [] : [edit]), anchor);
      assert.deepEqual(await play.record(first), before);
      assert.ok((await onWorklist(play)).includes(first));
      assert.equal((await onWorklist(play)).length, 3);
    }
    await play.show(soon('001', 3), anchor);
    assert.deepEqual(await warningsOf(play, first), ['FROZEN']);
    await step('COMPLETED');
    await play.cal2wl.pass();
    await play.cal2wl.pass();
    assert.notEqual((await play.record(first)).start, before.start);
    assert.deepEqual(await warningsOf(play, first), []);
  }));

test('kill -9 while everything is relabelled: every file is whole, nobody is lost, and the next pass repairs', async () => {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const entries = (round: number): CalendarEntry[] =>
    Array.from({ length: 60 }, (_, index) =>
      soon(String(100 + index), 1 + index, { summary: `3010000.01 sub-${round}x${100 + index} ses-mri01` }),
    );
  const server = await startCalendarServer(giving(makeCalendar(entries(0))));
  const start = (): Promise<Cal2wl> =>
    startCal2wlWith(data, [
      'scanners: { prisma: { aet: PRISMA, modality: MR } }',
      `calendars: { prisma: { url: 'http://127.0.0.1:${server.port}/', scanner: prisma } }`,
      'bookings: { every: 100ms }',
    ]);
  let running = await start();
  try {
    await running.pass();
    for (const [round, changed] of [1, 25, 50].entries()) {
      const done = async (): Promise<number> =>
        (await running.records()).filter(
          ({ labels, status }) => status === 'scheduled' && labels.subject.startsWith(`sub-${round + 1}x`),
        ).length;
      server.answer = giving(makeCalendar(entries(round + 1)));
      await until(async () => running.program.exited() || (await done()) >= changed, {
        what: `${changed} bookings relabelled; it says ${running.program.output()}`,
        timeoutMs: 60_000,
        everyMs: 1,
      });
      assert.ok(!running.program.exited(), running.program.output());
      await running.program.stop('SIGKILL');
      const records = await running.records();
      const listed = new Set((await running.items()).map((name) => name.slice(0, 16)));
      const uids = new Set(
        records.filter((one) => listed.has(one.accessionNumber)).map(({ source }) => source.uid),
      );
      assert.equal(uids.size, 60, 'a booking was on nobody’s worklist');
      const paths = [...listed].map((accession) => join(running.worklist, `${accession}.wl`));
      assert.equal((await run('dcmdump', ['-q', ...paths])).code, 0);
      running = await start();
      await running.pass();
      const after = await running.records();
      assert.equal((await running.items()).length, 60);
      assert.equal(after.filter(({ status }) => status === 'scheduled').length, 60);
      const accessions = new Set(after.map(({ accessionNumber }) => accessionNumber));
      for (const { status, supersededBy } of after)
        if (status === 'superseded') assert.ok(accessions.has(String(supersededBy)), 'it points nowhere');
    }
  } finally {
    await running.program.stop('SIGKILL');
    await server.close();
    await folder.remove();
  }
});
