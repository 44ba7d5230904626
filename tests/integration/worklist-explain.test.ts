/** Why is it not on the scanner's list? By page and by command, after queries of DCMTK's findscu. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { run, until } from '@scanflow/testkit';
import { RawPeer } from '@scanflow/testkit/dimse/raw-peer';
import * as worklist from './worklist-support.ts';
import { with_ } from './worklist-differences-cases.ts';

const { encoded, find, item, scratch, startService, step, wholeFile, worklistFolder } = worklist;
const CLI = join(import.meta.dirname, '../../services/cli/src/main.ts');

const suite = wholeFile();
const data = await scratch(suite);
const folder = await worklistFolder(data);
await writeFile(join(folder, 'A1.wl'), encoded(item('A1')));
await writeFile(join(folder, 'C1.wl'), encoded(item('C1', { stationAet: 'CT1', modality: 'CT' })));
await writeFile(join(folder, 'M1.wl'), encoded(with_(item('M1'), { StudyInstanceUID: '1.2.study' })));
const old = { start: Temporal.ZonedDateTime.from('2001-11-22T09:30[Europe/Amsterdam]') };
await writeFile(join(folder, 'OLD.wl'), encoded(item('OLD', old)));
const service = await startService(suite, { data, worklist: ['access: { MEG: { view: own } }'] });

interface Explained {
  readonly listed: boolean;
  readonly query: { readonly from: string; readonly values: Readonly<Record<string, string>> };
  readonly reasons: readonly { readonly code: string; readonly key?: string; readonly text: string }[];
  readonly notes: readonly string[];
}
const explain = async (accession: string, scanner: string, ...keys: string[]): Promise<Explained> => {
  const asked = new URLSearchParams([
    ['accession', accession],
    ['scanner', scanner],
    ...keys.map((key) => ['key', key]),
  ]);
  return (await service.get(`/api/worklist/explain?${asked.toString()}`)) as Explained;
};
const reasons = ({ reasons: list }: Explained): string[] =>
  list.map(({ code, key }) => (key === undefined ? code : `${code} ${key}`));

/** `scanflow worklist explain …`. */
async function command(...args: string[]) {
  const config = join(data, `scanflow-${service.port}-${service.httpPort}.yaml`);
  const { code, stdout, stderr } = await run(process.execPath, [
    CLI,
    'worklist',
    'explain',
    ...args,
    '--config',
    config,
  ]);
  return { code, output: stdout + stderr };
}

test('explain: the last query of the scanner, the key that excluded it, and what a person has no right to see is not shown', async (t) => {
  const before = await explain('C1', 'prisma');
  assert.deepEqual([before.query.from, before.listed], ['none', true]);
  const keys = [
    'PatientName=Secret*',
    step('Modality=MR'),
    step('ScheduledProcedureStepStartDate=20261122-'),
  ];
  await find(t, service.port, ['AccessionNumber', ...keys], { callingAet: 'PRISMA' });
  const explained = await explain('C1', 'prisma');
  assert.equal(explained.query.from, 'last');
  assert.deepEqual(reasons(explained), ['KEY PatientName', 'KEY ScheduledProcedureStepSequence.Modality']);
  assert.match(explained.reasons[1]?.text ?? '', /Modality MR; the item has CT/);
  assert.deepEqual(explained.query.values, {
    'ScheduledProcedureStepSequence.Modality': 'MR',
    'ScheduledProcedureStepSequence.ScheduledProcedureStepStartDate': '20261122-',
  });
  for (const page of [
    JSON.stringify(explained),
    await service.page('/api/queries'),
    service.program.output(),
  ])
    assert.ok(!page.includes('Secret'));
  const { queries } = (await service.get('/api/queries')) as { queries: { values: object }[] };
  assert.deepEqual(queries[0]?.values, explained.query.values);
});

test('explain: a query of your own, and other reasons', async () => {
  const given = await explain(
    'C1',
    'PRISMA',
    'ScheduledProcedureStepSequence.ScheduledStationAETitle=PRISMA',
  );
  assert.deepEqual(
    [given.query.from, ...reasons(given)],
    ['given', 'KEY ScheduledProcedureStepSequence.ScheduledStationAETitle'],
  );
  assert.ok((await explain('C1', 'PRISMA', 'PatientName')).listed);
  assert.deepEqual(reasons(await explain('X9', 'skyra')), ['NOT_IN_FOLDER']);
  assert.deepEqual(reasons(await explain('OLD', 'skyra')), ['LEFT']);
  assert.ok((await explain(' A1 ', 'Skyra ', 'PatientID')).listed, 'as people type it');
  assert.deepEqual(reasons(await explain('A1', 'STRANGER')), ['NOT_ADMITTED']);
  assert.deepEqual(reasons(await explain('A1', 'meg')), ['OUT_OF_VIEW']);
  const flawed = await explain('M1', 'skyra');
  assert.ok(flawed.listed);
  assert.match(flawed.notes[0] ?? '', /StudyInstanceUID \(digits and dots/);
  const wrong = (await service.get('/api/worklist/explain?accession=A1')) as { error: string };
  assert.match(wrong.error, /give accession and scanner/);
});

test('explain: by command', async () => {
  const shown = await command('A1', '--scanner', 'skyra');
  assert.deepEqual([shown.code, shown.output.split('\n')[0]], [0, 'A1 is in the list that SKYRA gets']);
  const hidden = await command('C1', '--scanner', 'prisma');
  assert.equal(hidden.code, 1);
  assert.match(
    hidden.output,
    /KEY: the query requires ScheduledProcedureStepSequence\.Modality MR; the item has CT/,
  );
  assert.match(hidden.output, /judged: the last query of this scanner, \d{4}-/);
  const json = await command('C1', '--scanner', 'prisma', '--json', '--key', 'PatientID');
  assert.equal((JSON.parse(json.output) as Explained).listed, true);
  assert.equal((await command('C1', '--scanner', 'prisma', '--key', 'Modlity=MR')).code, 2);
  assert.equal((await command('C1')).code, 2);
});

test('queries: one that is refused and one that cannot be read are listed, with who asked and why', async (t) => {
  await find(t, service.port, ['AccessionNumber', step('ScheduledProcedureStepStartDate=tomorrow')], {
    callingAet: 'SKYRA',
  });
  const peer = new RawPeer(service.port);
  const abstractSyntax = sopClasses.modalityWorklistFind;
  await peer.associate({
    calledAet: 'SCANFLOW',
    callingAet: 'MEG',
    contexts: [{ id: 1, abstractSyntax, transferSyntaxes: [transferSyntaxes.explicitVRLittleEndian] }],
  });
  const request = { affectedSopClassUid: abstractSyntax, commandField: 0x20, messageId: 1, priority: 0 };
  assert.equal(await peer.status(1, { ...request, dataSetType: 1 }, Buffer.from('garbage!')), 0xa900);
  peer.socket.destroy();
  const { queries } = (await service.get('/api/queries')) as {
    queries: { callingAet: string; address: string; outcome: string; why?: string }[];
  };
  const [unreadable, refused] = queries;
  assert.deepEqual([unreadable?.callingAet, unreadable?.outcome], ['MEG', 'unreadable']);
  assert.match(unreadable?.why ?? '', /no value representation|bytes end/);
  assert.deepEqual([refused?.callingAet, refused?.outcome], ['SKYRA', 'refused']);
  assert.equal(refused?.why, 'A900: Invalid ScheduledProcedureStepStartDate');
  assert.deepEqual(reasons(await explain('A1', 'skyra')), ['QUERY_REFUSED']);
  const codes = reasons(await explain('A1', 'meg'));
  assert.ok(codes.includes('QUERY_UNREADABLE'), codes.join());
});

test('rejected associations are listed by who called, with the reason', async () => {
  await worklist.echo(service.port, { callingAet: 'STRANGER' });
  await worklist.echo(service.port, { callingAet: 'STRANGER' });
  await worklist.echo(service.port, { callingAet: 'SKYRA', calledAet: 'WRONG' });
  const { rejected } = (await service.get('/api/rejected')) as {
    rejected: { callingAet: string; calledAet: string; count: number; why: string }[];
  };
  assert.deepEqual(
    rejected.map(({ callingAet, calledAet, count, why }) => [callingAet, calledAet, count, why]),
    [
      ['SKYRA', 'WRONG', 1, 'the worklist is SCANFLOW: correct the called AE title'],
      ['STRANGER', 'SCANFLOW', 2, 'add the calling AE title to scanners or worklist.allow'],
    ],
  );
});

test('explain: a scanner whose association was rejected', async () => {
  const { notes } = await explain('A1', 'skyra');
  assert.ok(
    notes.some((note) => /^an association of SKYRA was rejected at .*: the worklist is SCANFLOW/.test(note)),
    notes.join(),
  );
});

test('/api/worklist?caller= shows what a caller may see', async () => {
  const of = async (caller: string): Promise<string[]> => {
    const { items } = (await service.get(`/api/worklist?caller=${caller}`)) as {
      items: { accessionNumber: string }[];
    };
    return items.map(({ accessionNumber }) => accessionNumber).sort();
  };
  assert.deepEqual(await of('PRISMA'), ['A1', 'C1', 'M1']);
  assert.deepEqual(await of('meg'), []);
});

test('metric and /healthz count what is served; a file with a date of long ago is told in the log, once', async () => {
  const metrics = await service.page('/metrics');
  assert.match(metrics, /^scanflow_worklist_items 3$/m);
  assert.match(metrics, /^scanflow_worklist_items_left\{reason="over"\} 1$/m);
  const health = JSON.parse(await service.page('/healthz')) as { items: number; itemsInFolder: number };
  assert.deepEqual([health.items, health.itemsInFolder], [3, 4]);
  await writeFile(join(folder, 'OLD2.wl'), encoded(item('OLD2', old)));
  const lines = (name: string): number =>
    service.program
      .output()
      .split('\n')
      .filter((line) => line.includes('worklist.item-too-old') && line.includes(name)).length;
  await until(() => lines('OLD2.wl') > 0, { what: 'the old file is told', timeoutMs: 30_000 });
  assert.deepEqual([lines('"OLD.wl"'), lines('OLD2.wl')], [1, 1]);
  assert.match(
    service.program.output(),
    /worklist\.item-too-old.*came with a start of longer ago than worklist\.retain/,
  );
});
