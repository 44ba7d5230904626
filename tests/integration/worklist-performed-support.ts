/** A service with some items, a scanner that reports its exams (MPPS), and the pages about them. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseExamRecord, type ExamRecord } from '@scanflow/booking';
import { defined } from '@scanflow/failure/defined';
import { dataSet, sopClasses, text, type Attributes, type DataSet } from '@scanflow/dicom';
import { nCreate, nSet, type NormalizedAnswer } from '@scanflow/testkit/dimse/normalized';
import { accessions, encoded, find, IDENTITY, item, publish, scratch } from './worklist-support.ts';
import { startService, worklistFolder, type Owner } from './worklist-support.ts';

/** An exam that began over a day ago is stale, so these begin while the tests run. */
export const BEGUN = Temporal.Now.zonedDateTimeISO('Europe/Amsterdam').round('second');

const MPPS = sopClasses.modalityPerformedProcedureStep;

export interface Page {
  items: { accessionNumber: string; state: string }[];
  left: { accessionNumber: string; why: string }[];
}
export interface Steps {
  steps: (ExamRecord & { linked: boolean; stale: boolean; scanner: string | null; images: number })[];
  refused: { operation: string; status: string; comment: string; callingAet: string }[];
  problems: { file: string }[];
}

/** A service with items A1, B1 and C1, and what tests ask of it. */
export async function hospital(t: Owner, lines: readonly string[] = []) {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  for (const one of ['A1', 'B1', 'C1']) await publish(folder, `${one}.wl`, encoded(item(one)));
  return { data, folder, ...(await open(t, data, lines)) };
}

/** Starts the service over a data folder; `prisma` is that scanner's line of the configuration. */
export async function open(t: Owner, data: string, lines: readonly string[] = [], prisma?: string) {
  const change = defined({ prisma });
  const service = await startService(t, { data, worklist: lines, ...change });
  const peer = { host: '127.0.0.1', port: service.port, calledAet: 'SCANFLOW', callingAet: 'PRISMA' };
  const create = async (uid: string, attributes: Attributes | DataSet, syntaxes?: string[]) =>
    answered(await nCreate(peer, { ...order(uid, syntaxes), attributes: asDataSet(attributes) }));
  const set = async (uid: string, modifications: Attributes | DataSet, syntaxes?: string[]) =>
    answered(await nSet(peer, { ...order(uid, syntaxes), modifications: asDataSet(modifications) }));
  return {
    service,
    create,
    set,
    listed: async () => accessions(await find(t, service.port, IDENTITY)),
    page: async () => (await service.get('/api/worklist')) as Page,
    performed: async () => (await service.get('/api/performed')) as Steps,
    record: async (uid: string) => {
      const parsed = parseExamRecord(await readFile(join(data, 'performed', `${uid}.json`), 'utf8'));
      assert.ok(parsed.ok);
      return parsed.record;
    },
  };
}

const order = (sopInstanceUid: string, syntaxes?: string[]) => ({
  sopClass: MPPS,
  sopInstanceUid,
  ...defined({ transferSyntaxes: syntaxes }),
});
const asDataSet = (given: Attributes | DataSet): DataSet =>
  given instanceof Map ? given : dataSet(given as Attributes);
function answered(outcome: Awaited<ReturnType<typeof nCreate>>): NormalizedAnswer {
  assert.ok(outcome.ok, outcome.ok ? '' : outcome.failure.message);
  return outcome;
}
/** The accession number, study and step of such an item, and an exam of it that begins now. */
export const link = (accession: string) => ({
  accessionNumber: accession,
  studyInstanceUid: text(item(accession), 'StudyInstanceUID') ?? '',
  stepId: accession,
  at: BEGUN,
});
