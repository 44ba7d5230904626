/** Our SCP as DCMTK's echoscu and findscu see it. */
import { strict as assert } from 'node:assert';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import {
  dataSet,
  decodeDataSet,
  items,
  readPart10Header,
  sopClasses,
  text,
  transferSyntaxes,
  type DataSet,
} from '@scanflow/dicom';
import {
  listen,
  type AsyncMatches,
  type FindHandler,
  type FindRequest,
  type RequestReport,
} from '@scanflow/dimse';
import { dcmtk, until } from '@scanflow/testkit';

const MWL = sopClasses.modalityWorklistFind;
const SYNTAXES = {
  '-xe': transferSyntaxes.explicitVRLittleEndian,
  '-xb': transferSyntaxes.explicitVRBigEndian,
  '-xi': transferSyntaxes.implicitVRLittleEndian,
};
const silent = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

const five: (request: FindRequest) => AsyncMatches = async function* ({ identifier }) {
  for (let index = 1; index <= 5; index += 1) {
    await pause(0);
    const modality = text(items(identifier, 'ScheduledProcedureStepSequence')[0] ?? new Map(), 'Modality');
    const step = { Modality: modality ?? '', ScheduledStationAETitle: 'PRISMA' };
    yield {
      status: index === 5 ? 0xff01 : 0xff00,
      characterSet: 'ISO_IR 100',
      identifier: dataSet({
        PatientName: `Müller^${index}`,
        PregnancyStatus: null,
        Rows: 300 + index,
        ScheduledProcedureStepSequence: [step],
      }),
    };
  }
  return { status: 0 };
};

interface Scp {
  readonly port: number;
  readonly reports: RequestReport[];
}

async function scp(t: TestContext, onFind: FindHandler = five): Promise<Scp> {
  const reports: RequestReport[] = [];
  const { port, close } = await listen({
    bind: '127.0.0.1',
    port: 0,
    admit: ({ calledAet }) =>
      calledAet === 'SCANFLOW'
        ? { accept: true }
        : { accept: false, result: 1, source: 1, reason: 7, why: 'not our AE title' },
    contexts: [{ abstractSyntax: MWL, transferSyntaxes: Object.values(SYNTAXES) }],
    onFind,
    log: silent,
    events: { request: (_, report) => void reports.push(report) },
  });
  t.after(close);
  return { port, reports };
}

/** findscu's answers as data sets, and what it printed. */
async function findscu(
  t: TestContext,
  port: number,
  ...options: string[]
): Promise<{ answers: DataSet[]; output: string; code: number | null }> {
  const folder = await mkdtemp(join(tmpdir(), 'dimse-findscu-'));
  t.after(() => rm(folder, { recursive: true }));
  const keys = ['-k', 'PatientName', '-k', 'ScheduledProcedureStepSequence[0].Modality=MR'];
  const args = [
    '-v',
    '-W',
    '-aec',
    'SCANFLOW',
    '-X',
    '-od',
    folder,
    ...options,
    ...keys,
    '127.0.0.1',
    String(port),
  ];
  const { code, stdout, stderr } = await dcmtk('findscu', args);
  const answers: DataSet[] = [];
  for (const name of (await readdir(folder)).sort()) {
    const bytes = await readFile(join(folder, name));
    const header = readPart10Header(bytes);
    assert.ok(!('needMore' in header));
    answers.push(decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax));
  }
  return { answers, output: stdout + stderr, code };
}

test('dimse scp: echoscu is answered, by name and with all its contexts', async (t) => {
  const { port, reports } = await scp(t);
  const args = ['-aec', 'SCANFLOW', '-pts', '3', '-ppc', '10', '--repeat', '20', '127.0.0.1', String(port)];
  const { code, stderr } = await dcmtk('echoscu', args);
  assert.equal(code, 0, stderr);
  await until(() => reports.length === 20, { what: 'twenty reports', timeoutMs: 2_000 });
});

test('dimse scp: a wrong called AE title is rejected by the standard', async (t) => {
  const { port } = await scp(t);
  const { code, stdout, stderr } = await dcmtk('echoscu', ['-aec', 'OTHER', '127.0.0.1', String(port)]);
  assert.notEqual(code, 0);
  assert.match(stdout + stderr, /Rejected Permanent, Source: Service User[^]*Called AE Title Not Recognized/);
});

test('dimse scp: findscu gets the same answers in each transfer syntax', async (t) => {
  const { port, reports } = await scp(t);
  for (const option of Object.keys(SYNTAXES)) {
    const { answers, code } = await findscu(t, port, option);
    assert.equal(code, 0);
    assert.equal(answers.length, 5, option);
    answers.forEach((answer, index) => {
      assert.equal(text(answer, 'PatientName'), `Müller^${index + 1}`);
      assert.equal(text(answer, 'SpecificCharacterSet'), 'ISO_IR 100');
      assert.equal(text(items(answer, 'ScheduledProcedureStepSequence')[0] ?? new Map(), 'Modality'), 'MR');
      assert.deepEqual(answer.get(0x001021c0), { vr: 'US', kind: 'binary', bytes: new Uint8Array(0) });
    });
  }
  assert.deepEqual(
    reports.map(({ operation, status, responses }) => [operation, status, responses]),
    [...Array(3).keys()].map(() => ['C-FIND', 0, 5]),
  );
});

test('dimse scp: findscu with the smallest maximum PDU of DCMTK gets them whole', async (t) => {
  const large: FindHandler = async function* (request) {
    for await (const response of five(request)) {
      if (response === undefined) continue;
      const identifier = new Map([...response.identifier, ...dataSet({ ImageComments: 'x'.repeat(9_000) })]);
      yield { ...response, identifier };
    }
    return { status: 0 };
  };
  const { port } = await scp(t, large);
  const { answers, output } = await findscu(t, port, '-pdu', '4096');
  assert.equal(answers.length, 5, output);
  assert.ok(answers.every((answer) => text(answer, 'ImageComments')?.length === 9_000));
});

test('dimse scp: findscu --cancel ends the answer with FE00', async (t) => {
  const patient: FindHandler = async function* (request) {
    let count = 0;
    for await (const response of five(request)) {
      if (response === undefined) continue;
      count += 1;
      if (count > 3) await until(() => request.signal.aborted, { what: 'the cancel', timeoutMs: 10_000 });
      yield response;
    }
    return { status: 0 };
  };
  const { port, reports } = await scp(t, patient);
  const { answers, output } = await findscu(t, port, '--cancel', '3');
  assert.match(output, /Received Final Find Response \(Cancel/);
  assert.equal(answers.length, 3);
  await until(() => reports.length > 0, { what: 'a report', timeoutMs: 2_000 });
  assert.deepEqual(
    reports.map(({ status, responses }) => [status, responses]),
    [[0xfe00, 3]],
  );
});

test('dimse scp: a failure reaches findscu with its comment', async (t) => {
  const { port } = await scp(t, async function* (request) {
    if (request.signal.aborted) yield* five(request);
    await pause(0);
    return { status: 0xa900, comment: 'PatientID is no date', offendingElement: 0x00100020 };
  });
  const { output, answers } = await findscu(t, port, '-d');
  assert.equal(answers.length, 0);
  assert.match(output, /DIMSE Status +: 0xa900/);
  assert.match(output, /PatientID is no date/);
});

test('dimse scp: another SOP class is refused, and findscu says so', async (t) => {
  const { port } = await scp(t);
  const args = ['-v', '-S', '-aec', 'SCANFLOW', '-k', 'QueryRetrieveLevel=STUDY', '127.0.0.1', String(port)];
  const { stdout, stderr } = await dcmtk('findscu', args);
  assert.match(stdout + stderr, /No Acceptable Presentation Contexts/i);
});

test('dimse scp: twenty findscu at once are all answered', async (t) => {
  const { port } = await scp(t);
  const results = await Promise.all(Array.from({ length: 20 }, () => findscu(t, port)));
  assert.ok(results.every(({ answers }) => answers.length === 5));
});
