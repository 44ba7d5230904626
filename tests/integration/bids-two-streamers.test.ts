/** Two streamers share deliveries to the bids service by one PostgreSQL: one is killed, then the service; one dataset comes of it, byte for byte. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import type { BidsResult } from '@scanflow/bids';
import {
  apiFetch,
  findPostgres,
  freePort,
  mrSession,
  startPostgres,
  startProgram,
  until,
  writeMrSession,
  type Program,
} from '@scanflow/testkit';
import { sumsOf } from './bids-support.ts';
import { startShared } from './streamer-shared-support.ts';
import { bookingRecord, makeRig } from './streamer-support.ts';

const skip = findPostgres() === undefined ? 'PostgreSQL is not installed' : false;
const SERVICE = join(import.meta.dirname, '../../services/bids/src/main.ts');
const ACCESSION = 'AAAAAAAAAAAAAAAA';
const STUDY = '1.2.826.0.1.3680043.2.1.9';
const PATIENT = '3010000.01_sub-001';

interface Session {
  readonly id: string;
  readonly bids?: { readonly state: string; readonly result?: BidsResult };
}

test(
  'bids: a killed streamer and then a killed bids service in the middle of the work: the other streamer ends it, once',
  { skip },
  async (t) => {
    const server = await startPostgres();
    t.after(() => server.stop());
    const port = await freePort();
    const rig = await makeRig(t, {
      extra: {
        bids: { port, url: `http://127.0.0.1:${port}`, dcm2niix: ['PLACEHOLDER'] },
        sessions: { quiet: '1s' },
      },
    });
    // a converter that stands still while the test wants it to
    const [converter, hold] = [join(rig.folder, 'converter'), join(rig.folder, 'hold')];
    const script = `#!/bin/sh\n[ "$1" = --version ] || while [ -e ${hold} ]; do sleep 0.05; done\nexec dcm2niix "$@"\n`;
    await writeFile(converter, script);
    await chmod(converter, 0o755);
    await writeFile(hold, '');
    const config = await readFile(rig.configFile, 'utf8');
    await writeFile(rig.configFile, config.replace('PLACEHOLDER', converter));
    const labels = { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' };
    const booked = { accessionNumber: ACCESSION, studyInstanceUid: STUDY, labels };
    await rig.book(bookingRecord({ ...booked, patientId: PATIENT, patientName: PATIENT }));
    const startBids = async (): Promise<Program> => {
      const program = await startProgram(process.execPath, [SERVICE, '--config', rig.configFile]);
      t.after(() => program.stop('SIGKILL'));
      t.after(() => !t.passed && t.diagnostic(`the bids service said:\n${program.output()}`));
      return program;
    };
    const taken = (program: Program, times: number): Promise<true> =>
      until(() => program.output().split('"session taken"').length > times || undefined, {
        what: `the work begins ${times} times`,
        timeoutMs: 60_000,
        everyMs: 50,
      });

    const service = await startBids();
    const first = await startShared(t, rig, server);
    const scanned = join(rig.folder, 'scanned');
    await mkdir(scanned);
    const made = await writeMrSession(scanned, mrSession({ series: ['t1w', 'bold', 'dwi'] }), {
      when: Temporal.ZonedDateTime.from('2026-11-30T10:00:00[Europe/Amsterdam]'),
      patientId: PATIENT,
      worklistItem: dataSet({ AccessionNumber: ACCESSION, StudyInstanceUID: STUDY }),
    });
    for (const { files } of made) for (const file of files) await rig.orthanc.upload(await readFile(file));
    await taken(service, 1);
    const second = await startShared(t, rig, server);
    const { url } = second;
    await first.program.stop('SIGKILL');
    await taken(service, 2);
    await service.stop('SIGKILL');
    const again = await startBids();
    await taken(again, 1);
    const dataset = join(rig.root, '3010000.01/bids');
    assert.ok(!existsSync(join(dataset, 'sub-001')), 'nothing is there before its time');
    await rm(hold);

    const session = async (): Promise<Session | undefined> =>
      ((await (await apiFetch(rig.data, `${url}/api/bids`)).json()) as { sessions: Session[] }).sessions[0];
    const done = (what: string): Promise<Session> =>
      until(
        async () => {
          const found = await session();
          return found?.bids?.state === 'done' ? found : undefined;
        },
        { what, timeoutMs: 60_000, everyMs: 100 },
      );
    const { id, bids } = await done('the second streamer has the verdict');
    assert.deepEqual([bids?.result?.state, bids?.result?.verdict], ['published', 'valid']);
    const said = service.output() + again.output();
    assert.equal(said.split('"session done"').length, 2, 'one of three runs came to its end');
    const left = (await readdir(join(dataset, '.scanflow'))).filter((name) => name.startsWith('aside'));
    assert.deepEqual(left, []);
    assert.deepEqual(
      (await readdir(dataset)).filter((name) => name.startsWith('sub-')),
      ['sub-001'],
    );

    // the same as without any of it
    const survived = await sumsOf(dataset);
    assert.equal(Object.keys(survived).filter((name) => name.endsWith('.nii.gz')).length, 3);
    await rm(dataset, { recursive: true });
    const redo = { method: 'POST', body: JSON.stringify({ sessions: [id], by: 'test' }) };
    const asked = await apiFetch(rig.data, `${url}/api/bids/redo`, {
      ...redo,
      headers: { 'content-type': 'application/json' },
    });
    assert.equal(asked.status, 200, await asked.text());
    await done('the session is converted again');
    assert.deepEqual(await sumsOf(dataset), survived);
  },
);
