/** Whose exam it is: who may change it, which items it closes, and whom a flood of reports hurts. */
import assert from 'node:assert/strict';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { parseExamRecord } from '@scanflow/booking';
import { dataSet, encodeDataSet, sopClasses, transferSyntaxes, type Attributes } from '@scanflow/dicom';
import { nCreate, nSet, type NormalizedAnswer } from '@scanflow/testkit/dimse/normalized';
import { examBegins, examEnds, examSeries } from '@scanflow/testkit';
import { RawPeer } from '@scanflow/testkit/dimse/raw-peer';
import { BEGUN, hospital, link, open } from './worklist-performed-support.ts';
import { encoded, item, publish, scratch, worklistFolder } from './worklist-support.ts';

const MPPS = sopClasses.modalityPerformedProcedureStep;

/** What another AE title than the support's reports. */
function from(port: number, callingAet: string) {
  const peer = { host: '127.0.0.1', port, calledAet: 'SCANFLOW', callingAet };
  const told = async (outcome: ReturnType<typeof nCreate>): Promise<NormalizedAnswer> => {
    const answer = await outcome;
    assert.ok(answer.ok, answer.ok ? '' : answer.failure.message);
    return answer;
  };
  return {
    create: (sopInstanceUid: string, attributes: Attributes) =>
      told(nCreate(peer, { sopClass: MPPS, sopInstanceUid, attributes: dataSet(attributes) })),
    set: (sopInstanceUid: string, modifications: Attributes) =>
      told(nSet(peer, { sopClass: MPPS, sopInstanceUid, modifications: dataSet(modifications) })),
  };
}

test('performed: an exam is ended by the scanner that began it, another one is refused (0124)', async (t) => {
  const { service, create, set, listed, performed } = await hospital(t);
  const skyra = from(service.port, 'SKYRA');
  await create('1.2.3.1', examBegins(link('A1')));
  const foreign = await skyra.set('1.2.3.1', examEnds('COMPLETED'));
  assert.equal(foreign.status, 0x0124);
  assert.deepEqual(await listed(), ['A1', 'B1', 'C1']);
  const [refused] = (await performed()).refused;
  assert.deepEqual([refused?.status, refused?.callingAet], ['0124', 'SKYRA']);
  assert.equal((await set('1.2.3.1', examEnds('COMPLETED'))).status, 0);
  assert.deepEqual(await listed(), ['B1', 'C1']);
});

for (const lines of [['view: own'], ['view: all', 'access: { SKYRA: { view: own } }']])
  test(`performed: with ${lines.join(', ')} no exam closes an item that its scanner may not see`, async (t) => {
    const { service, page, record } = await hospital(t, lines);
    const skyra = from(service.port, 'SKYRA');
    const claimed = { ...link('B1'), stationAet: 'PRISMA' };
    assert.equal((await skyra.create('1.2.3.2', examBegins(claimed))).status, 0);
    assert.equal((await skyra.set('1.2.3.2', examEnds('COMPLETED'))).status, 0);
    const { items, left } = await page();
    assert.deepEqual([items.map(({ state }) => state), left], [Array(3).fill('scheduled'), []]);
    assert.deepEqual((await record('1.2.3.2')).items, []);
  });

test('performed: the other AE titles of a scanner are that scanner', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  await publish(folder, 'A1.wl', encoded(item('A1')));
  const h = await open(t, data, ['view: own'], 'prisma: { aet: PRISMA, modality: MR, sends: [PRISMA_PPS] }');
  const console = from(h.service.port, 'PRISMA_PPS');
  await h.create('1.2.3.3', examBegins(link('A1')));
  assert.equal((await console.set('1.2.3.3', examEnds('COMPLETED'))).status, 0);
  assert.deepEqual(
    (await h.page()).left.map(({ why }) => why),
    ['completed'],
  );
});

test('performed: an exam on record of 0.1.0 goes on and closes its item, whatever its scanner may see', async (t) => {
  const { data, folder, service, create, record } = await hospital(t);
  await create('1.2.3.4', examBegins({ ...link('A1'), at: Temporal.Now.zonedDateTimeISO('UTC') }));
  await service.program.stop();
  const file = join(data, 'performed', '1.2.3.4.json');
  const old = { ...(await record('1.2.3.4')), callingAet: 'SKYRA' };
  await writeFile(file, `${JSON.stringify({ ...old, onlySeen: undefined })}\n`);
  const again = await open(t, data, ['view: own']);
  assert.equal((await from(again.service.port, 'SKYRA').set('1.2.3.4', examEnds('COMPLETED'))).status, 0);
  assert.deepEqual(
    (await again.page()).left.map(({ accessionNumber }) => accessionNumber),
    ['A1'],
  );
  assert.ok((await readdir(folder)).includes('A1.wl'));
});

test('performed: 2,000 exams that one scanner begins cost another one nothing, and no old exam of it', async (t) => {
  const data = await scratch(t);
  const folder = await worklistFolder(data);
  await publish(folder, 'A1.wl', encoded(item('A1')));
  // as if 2,000 had been reported: each is a file
  await mkdir(join(data, 'performed'), { recursive: true });
  const first = await open(t, data);
  await from(first.service.port, 'SKYRA').create(
    '1.2.9.1',
    examBegins({ accessionNumber: 'X', stepId: 'X', at: BEGUN }),
  );
  const text = await readFile(join(data, 'performed', '1.2.9.1.json'), 'utf8');
  await first.create('1.2.3.5', examBegins(link('A1')));
  await first.set('1.2.3.5', examEnds('COMPLETED'));
  await first.service.program.stop();
  for (let index = 2; index <= 2_000; index += 1)
    await writeFile(
      join(data, 'performed', `1.2.9.${index}.json`),
      text.replaceAll('1.2.9.1"', `1.2.9.${index}"`),
    );
  const { service, create, set, page } = await open(t, data);
  const skyra = from(service.port, 'SKYRA');
  assert.equal((await skyra.create('1.2.9.2001', examBegins({ stepId: 'X', at: BEGUN }))).status, 0x0213);
  assert.deepEqual(
    (await page()).left.map(({ accessionNumber }) => accessionNumber),
    ['A1'],
  );
  assert.equal((await create('1.2.3.6', examBegins(link('B1')))).status, 0);
  assert.equal((await set('1.2.3.6', examEnds('COMPLETED'))).status, 0);
});

test('performed: a report of 60,000 images is kept whole, one of 100,000 scheduled steps is refused', async (t) => {
  const { data, service, create, record } = await hospital(t);
  const begun = { ...examBegins(link('A1')), PerformedSeriesSequence: [examSeries(60_000)] };
  assert.equal((await create('1.2.3.7', begun)).status, 0);
  assert.equal((await record('1.2.3.7')).series[0]?.images, 60_000);
  const parsed = parseExamRecord(await readFile(join(data, 'performed', '1.2.3.7.json'), 'utf8'));
  assert.ok(parsed.ok && Object.keys(parsed.record.attributes).length > 20);
  const [step] = examBegins(link('B1'))['ScheduledStepAttributesSequence'] as Attributes[];
  const many = { ...examBegins(link('B1')), ScheduledStepAttributesSequence: Array(5_000).fill(step) };
  const refused = await create('1.2.3.8', many);
  assert.equal(refused.status, 0x0213);
  // empty items, as many as fit
  const peer = new RawPeer(service.port);
  const syntax = transferSyntaxes.implicitVRLittleEndian;
  const contexts = [{ id: 1, abstractSyntax: MPPS, transferSyntaxes: [syntax] }];
  await peer.associate({ calledAet: 'SCANFLOW', callingAet: 'PRISMA', contexts });
  const head = encodeDataSet(dataSet(examBegins(link('B1'))), syntax);
  const sequence = Buffer.concat([
    Buffer.from([0x40, 0, 0x40, 0x03, 0xff, 0xff, 0xff, 0xff]),
    ...Array.from({ length: 100_000 }, () => Buffer.from([0xfe, 0xff, 0, 0xe0, 0, 0, 0, 0])),
    Buffer.from([0xfe, 0xff, 0xdd, 0xe0, 0, 0, 0, 0]),
  ]);
  const create100k = { affectedSopClassUid: MPPS, commandField: 0x0140, messageId: 1, dataSetType: 1 };
  const bytes = Buffer.concat([head.subarray(0, head.length - 8), sequence]);
  const status = await peer.status(1, { ...create100k, affectedSopInstanceUid: '1.2.3.9' }, bytes);
  assert.notEqual(status, 0);
  peer.socket.destroy();
  assert.equal((await stat(join(data, 'performed', '1.2.3.7.json'))).size < 10_000_000, true);
});
