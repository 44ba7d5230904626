/** A facility for tests of BIDS: images that arrive at Orthanc, the streamer, and the bids service with dcm2niix and the validator. */
import assert from 'node:assert/strict';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { dataSet } from '@scanflow/dicom';
import type { BidsResult } from '@scanflow/bids';
import {
  freePort,
  mrSession,
  run,
  startProgram,
  until,
  writeMrSession,
  type MrWhat,
  type Program,
  type RunResult,
} from '@scanflow/testkit';
import { bookingRecord, makeRig, type Rig } from './streamer-support.ts';

const SERVICE = join(import.meta.dirname, '../../services/bids/src/main.ts');
const COMMAND = join(import.meta.dirname, '../../services/cli/bin/scanflow');
const ACCESSION = 'AAAAAAAAAAAAAAAA';
const STUDY = '1.2.826.0.1.3680043.2.1.9';
const PATIENT = '3010000.01_sub-001';

export interface Session {
  readonly id: string;
  readonly bids?: {
    readonly state: string;
    readonly attempts: number;
    readonly failure?: { readonly code: string };
    readonly result?: BidsResult;
  };
}

export interface Facility {
  readonly rig: Rig;
  readonly dataset: string;
  readonly startBids: () => Promise<Program>;
  /** Scans these series, the first one with this number. */
  readonly scan: (series: readonly MrWhat[], first?: number) => Promise<void>;
  readonly session: () => Promise<Session | undefined>;
  /** The session, once it is as wanted. */
  readonly becomes: (what: string, is: (session: Session) => boolean) => Promise<Session>;
  readonly scanflow: (...args: string[]) => Promise<RunResult>;
}

export async function openFacility(t: TestContext, bids: object = {}): Promise<Facility> {
  const port = await freePort();
  const rig = await makeRig(t, {
    extra: { bids: { port, url: `http://127.0.0.1:${port}`, ...bids }, sessions: { quiet: '1s' } },
  });
  await rig.book(
    bookingRecord({
      accessionNumber: ACCESSION,
      studyInstanceUid: STUDY,
      labels: { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' },
      patientId: PATIENT,
      patientName: PATIENT,
    }),
  );
  await rig.start();
  const session = async (): Promise<Session | undefined> => {
    const response = await rig.api('/api/bids');
    assert.equal(response.status, 200);
    return ((await response.json()) as { sessions: Session[] }).sessions[0];
  };
  return {
    rig,
    session,
    dataset: join(rig.root, '3010000.01/bids'),
    startBids: async () => {
      const program = await startProgram(process.execPath, [SERVICE, '--config', rig.configFile]);
      t.after(() => program.stop('SIGKILL'));
      t.after(() => !t.passed && t.diagnostic(`the bids service said:\n${program.output()}`));
      return program;
    },
    scan: async (series, first = 1) => {
      const folder = join(rig.folder, `scanned-${first}`);
      await mkdir(folder);
      const made = await writeMrSession(folder, mrSession({ series, first }), {
        when: Temporal.ZonedDateTime.from('2026-11-30T10:00:00[Europe/Amsterdam]'),
        patientId: PATIENT,
        worklistItem: dataSet({ AccessionNumber: ACCESSION, StudyInstanceUID: STUDY }),
      });
      for (const { files } of made) for (const file of files) await rig.orthanc.upload(await readFile(file));
    },
    becomes: (what, is) =>
      until(
        async () => {
          const found = await session().catch(() => undefined);
          return found !== undefined && is(found) ? found : undefined;
        },
        { what, timeoutMs: 60_000, everyMs: 100 },
      ),
    scanflow: (...args) => run(COMMAND, [...args, '--config', rig.configFile], { timeoutMs: 60_000 }),
  };
}
