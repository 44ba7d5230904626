/** The worklist's clients beside DCMTK: Orthanc and dcmjs-dimse ask the service, as scanners would. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { findOrthanc, startOrthanc } from '@scanflow/testkit';
import { askWorklist } from '../../packages/testkit/src/exams.ts';
import * as worklist from './worklist-support.ts';

const { AET, encoded, item, publish, scratch, startService, wholeFile, worklistFolder } = worklist;
const file = wholeFile();
const start = (day: number) =>
  Temporal.ZonedDateTime.from({ year: 2026, month: 11, day, hour: 9, timeZone: 'Europe/Amsterdam' });
let data: string;
let service: worklist.Service;

before(async () => {
  data = await scratch(file);
  const folder = await worklistFolder(data);
  await publish(folder, 'a.wl', encoded(item('A', { patientName: 'Müller^A', start: start(22) })));
  await publish(folder, 'b.wl', encoded(item('B', { patientName: 'Jansen^B', start: start(23) })));
  await publish(folder, 'c.wl', encoded(item('C', { stationAet: 'SKYRA', stationName: 'SKYRA' })));
  service = await startService(file, { data });
});

test('clients: Orthanc finds the items of a station and a day, and names beyond ASCII', async (t) => {
  assert.ok(findOrthanc() !== undefined, 'Orthanc is installed');
  const orthanc = await startOrthanc({
    folder: join(data, 'orthanc'),
    aet: 'SKYRA',
    extra: { DicomModalities: { worklist: [AET, '127.0.0.1', service.port] } },
  });
  t.after(() => orthanc.stop());
  const echo = await orthanc.request('/modalities/worklist/echo', { method: 'POST', body: '{}' });
  assert.equal(echo.status, 200);
  const ask = async (step: object): Promise<Record<string, unknown>[]> => {
    const query = { PatientName: '', AccessionNumber: '', ScheduledProcedureStepSequence: [step] };
    const response = await orthanc.request('/modalities/worklist/find-worklist', {
      method: 'POST',
      body: JSON.stringify({ Query: query }),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as Record<string, unknown>[];
  };
  const names = (found: readonly Record<string, unknown>[]): unknown[] =>
    found.map(({ PatientName }) => PatientName);
  const step = { ScheduledStationAETitle: 'PRISMA', ScheduledProcedureStepStartDate: '20261122' };
  assert.deepEqual(names(await ask(step)), ['Müller^A']);
  assert.deepEqual(names(await ask({ ...step, ScheduledProcedureStepStartDate: '20261122-' })), [
    'Müller^A',
    'Jansen^B',
  ]);
  assert.equal((await ask({})).length, 3);
});

test('clients: dcmjs-dimse gets every match, and then the final status', async () => {
  const ask = (stationAet: string) =>
    askWorklist({
      port: service.port,
      calledAet: AET,
      callingAet: 'SKYRA',
      elements: {
        PatientName: '',
        AccessionNumber: '',
        ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: stationAet, Modality: '' }],
      },
    });
  const { statuses, answers } = await ask('PRISMA');
  assert.deepEqual(statuses, [0xff00, 0xff00, 0]);
  assert.deepEqual(
    answers.map(({ AccessionNumber }) => AccessionNumber),
    ['A', 'B'],
  );
  assert.match(JSON.stringify(answers[0]), /Müller/);
  assert.deepEqual((await ask('NOBODY')).statuses, [0]);
});
