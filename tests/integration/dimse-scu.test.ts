/** Our C-ECHO and C-FIND against DCMTK, Orthanc and our own SCP. */
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { dataSet, encodePart10, sopClasses, text, transferSyntaxes } from '@scanflow/dicom';
import { echo, find, listen, type FindHandler, type Peer } from '@scanflow/dimse';
import {
  findOrthanc,
  freePort,
  startOrthanc,
  startProgram,
  startScriptedScp,
  startStorescp,
  until,
} from '@scanflow/testkit';

const MWL = sopClasses.modalityWorklistFind;
const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
const silent = {
  error: () => undefined,
  warn: () => undefined,
  info: () => undefined,
  debug: () => undefined,
};

const peerAt = (port: number, more: Partial<Peer> = {}): Peer => ({
  host: '127.0.0.1',
  port,
  calledAet: 'PEER',
  callingAet: 'SCANFLOW',
  ...more,
});

async function folder(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'dimse-scu-'));
  t.after(() => rm(made, { recursive: true, force: true }));
  return made;
}

async function scpWith(t: TestContext, onFind: FindHandler): Promise<Peer> {
  const { port, close } = await listen({
    bind: '127.0.0.1',
    port: 0,
    admit: () => ({ accept: true }),
    contexts: [{ abstractSyntax: MWL, transferSyntaxes: [EXPLICIT] }],
    onFind,
    log: silent,
    limits: { closeMs: 100 },
  });
  t.after(close);
  return peerAt(port);
}

const named = (name: string, status: 0xff00 | 0xff01 = 0xff00) => ({
  status,
  identifier: dataSet({ PatientName: name }),
  characterSet: 'ISO_IR 192',
});

test('echo: storescp answers', async (t) => {
  const storescp = await startStorescp({ folder: await folder(t) });
  t.after(() => storescp.stop());
  const result = await echo(peerAt(storescp.port));
  assert.equal(result.ok, true);
});

test('echo: nobody there, a silent peer and a rejection are failures with a kind', async (t) => {
  const nobody = await echo(peerAt(await freePort()));
  assert.deepEqual(!nobody.ok && [nobody.failure.kind, nobody.failure.code], [
    'transient',
    'DEST_UNREACHABLE',
  ]);
  const mute = createServer((socket) => socket.on('error', () => socket.destroy())).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  t.after(() => mute.close());
  const address = mute.address();
  const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
  const start = performance.now();
  const late = await echo(peerAt(port, { timeouts: { association: 300 } }));
  assert.ok(performance.now() - start < 3_000);
  assert.deepEqual(!late.ok && [late.failure.kind, late.failure.code], ['transient', 'DEST_NO_ASSOCIATION']);
  const rejecting = await startScriptedScp({ onAssociation: { result: 1, source: 1, reason: 3 } });
  t.after(() => rejecting.close());
  const rejected = await echo(peerAt(rejecting.port));
  assert.deepEqual(!rejected.ok && [rejected.failure.kind, rejected.failure.code], [
    'permanent',
    'DEST_REJECTED',
  ]);
  assert.match(rejected.ok ? '' : rejected.failure.message, /calling AE title not recognized/);
});

test('echo: a peer that talks something else is a failure', async (t) => {
  const web = createServer((socket) => {
    socket.on('error', () => socket.destroy());
    socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
  }).listen(0, '127.0.0.1');
  await once(web, 'listening');
  t.after(() => web.close());
  const address = web.address();
  const result = await echo(peerAt(typeof address === 'object' ? (address?.port ?? 0) : 0));
  assert.equal(!result.ok && result.failure.code, 'DEST_NO_ASSOCIATION');
});

test('echo: an AE title that is too long is refused before anything is sent', async () => {
  const result = await echo(peerAt(1, { calledAet: 'SEVENTEEN_LETTERS' }));
  assert.equal(!result.ok && result.failure.code, 'AET_TOO_LONG');
});

test('echo: a signal that has aborted connects to nobody', async () => {
  const result = await echo(peerAt(1), AbortSignal.abort());
  assert.equal(!result.ok && result.failure.code, 'CANCELLED');
});

test('find: wlmscpfs answers as often as it has items, and FF01 does not end it', async (t) => {
  const root = await folder(t);
  const items = join(root, 'PEER');
  await mkdir(items);
  await writeFile(join(items, 'lockfile'), '');
  for (const index of [1, 2, 3]) {
    const step = {
      ScheduledStationAETitle: 'MR1',
      Modality: 'MR',
      ScheduledProcedureStepStartDate: '20261122',
    };
    const item = dataSet({
      PatientName: `Sub^${index}`,
      PatientID: `P${index}`,
      StudyInstanceUID: `1.2.${index}`,
      ScheduledProcedureStepSequence: [{ ...step, ScheduledProcedureStepStartTime: '090000' }],
    });
    const options = { transferSyntax: EXPLICIT, characterSet: 'ISO_IR 6', sopClassUid: MWL };
    await writeFile(
      join(items, `${index}.wl`),
      encodePart10(item, { ...options, sopInstanceUid: `1.3.${index}` }),
    );
  }
  const port = await freePort();
  const program = await startProgram('wlmscpfs', ['-dfr', '-dfp', root, String(port)]);
  t.after(() => program.stop());
  await until(async () => (await echo(peerAt(port))).ok, { what: 'wlmscpfs answers', timeoutMs: 10_000 });
  // an optional key that wlmscpfs does not support makes every response FF01
  const identifier = dataSet({
    PatientName: '',
    PatientID: '',
    ImageComments: '',
    ScheduledProcedureStepSequence: [{ Modality: '' }],
  });
  const result = await find(peerAt(port), { sopClass: MWL, identifier });
  assert.ok(result.ok);
  assert.equal(result.status, 0);
  assert.deepEqual(result.matches.map((match) => text(match, 'PatientName')).sort(), [
    'Sub^1',
    'Sub^2',
    'Sub^3',
  ]);
});

test('find: Orthanc answers a study query', { skip: findOrthanc() === undefined }, async (t) => {
  const orthanc = await startOrthanc({
    folder: await folder(t),
    extra: { DicomAlwaysAllowFind: true, DefaultEncoding: 'Utf8' },
  });
  t.after(() => orthanc.stop());
  assert.equal((await echo(peerAt(orthanc.dicomPort, { calledAet: orthanc.aet }))).ok, true);
  const image = dataSet({
    SOPClassUID: sopClasses.secondaryCapture,
    SOPInstanceUID: '1.2.3.4',
    StudyInstanceUID: '1.2.3',
    SeriesInstanceUID: '1.2.3.1',
    PatientID: 'P1',
    PatientName: 'Müller^Ö',
    Modality: 'OT',
  });
  const sent = await orthanc.upload(
    encodePart10(image, {
      transferSyntax: EXPLICIT,
      characterSet: 'ISO_IR 192',
      sopClassUid: sopClasses.secondaryCapture,
      sopInstanceUid: '1.2.3.4',
    }),
  );
  assert.equal(sent.status, 200);
  const result = await find(peerAt(orthanc.dicomPort, { calledAet: orthanc.aet }), {
    sopClass: sopClasses.studyRootFind,
    identifier: dataSet({
      SpecificCharacterSet: 'ISO_IR 192',
      QueryRetrieveLevel: 'STUDY',
      PatientID: 'P1',
      PatientName: '',
      StudyInstanceUID: '',
    }),
  });
  assert.ok(result.ok);
  assert.deepEqual(
    result.matches.map((match) => [text(match, 'StudyInstanceUID'), text(match, 'PatientName')]),
    [['1.2.3', 'Müller^Ö']],
  );
});

test('find: FF00 and FF01 are matches alike', async (t) => {
  const peer = await scpWith(t, async function* () {
    await pause(0);
    yield named('A');
    yield named('B', 0xff01);
    yield named('C');
    return { status: 0 };
  });
  const result = await find(peer, { sopClass: MWL, identifier: dataSet({ PatientName: '' }) });
  assert.deepEqual(result.ok && result.matches.map((match) => text(match, 'PatientName')), ['A', 'B', 'C']);
});

const endless: FindHandler = async function* () {
  for (let index = 0; ; index += 1) {
    await pause(0);
    yield named(`N${index}`);
  }
};

test('find: the limit is exact and ends with C-CANCEL', async (t) => {
  const result = await find(await scpWith(t, endless), { sopClass: MWL, identifier: dataSet({}), limit: 7 });
  assert.ok(result.ok);
  assert.equal(result.matches.length, 7);
  assert.equal(result.status, 0xfe00);
});

test('find: the signal cancels, and a peer that goes on regardless is left', async (t) => {
  const peer = await scpWith(t, endless);
  const controller = new AbortController();
  setTimeout(() => controller.abort(), 100);
  const result = await find(peer, { sopClass: MWL, identifier: dataSet({}) }, controller.signal);
  assert.equal(!result.ok && result.failure.code, 'CANCELLED');
});

test('find: a failure of the peer is told with its comment, whether it passes by the status', async (t) => {
  for (const [status, kind] of [
    [0xa700, 'transient'],
    [0xa900, 'permanent'],
  ] as const) {
    const peer = await scpWith(t, async function* () {
      await pause(0);
      if (status < 0) yield named('A');
      return { status, comment: 'so it is' };
    });
    const result = await find(peer, { sopClass: MWL, identifier: dataSet({ PatientName: '' }) });
    assert.ok(!result.ok);
    assert.equal(result.failure.kind, kind);
    assert.match(result.failure.message, /so it is/);
  }
});

test('find: a SOP class that the peer does not have, and a peer that never answers', async (t) => {
  const peer = await scpWith(t, async function* () {
    await new Promise(() => undefined);
    yield named('A');
    return { status: 0 };
  });
  const other = await find(peer, {
    sopClass: sopClasses.studyRootFind,
    identifier: dataSet({ PatientName: '' }),
  });
  assert.equal(!other.ok && other.failure.code, 'NOT_NEGOTIATED');
  const start = performance.now();
  const mute = await find(
    { ...peer, timeouts: { response: 200 } },
    { sopClass: MWL, identifier: dataSet({}) },
  );
  assert.deepEqual(!mute.ok && [mute.failure.kind, mute.failure.code], ['transient', 'DEST_LOST']);
  assert.ok(performance.now() - start < 3_000);
});
