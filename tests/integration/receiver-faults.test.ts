/** What may go wrong around the receiver: nothing is acknowledged that Orthanc does not have, and nothing is there twice. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { makeSeries, readPart10Header, sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { dcmtk, until, type RunningOrthanc } from '@scanflow/testkit';
import type { Command } from '../../packages/dimse/src/message.ts';
import { RawPeer } from '@scanflow/testkit/dimse/raw-peer';
import { hashOf, instances, startRig, storedHashes, writeImages, type Rig } from './receiver-support.ts';

const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;

/** What storescu says with -v. */
async function send({ port }: Rig, path: string): Promise<string> {
  const args = ['-v', '-aet', 'PRISMA', '-aec', 'ORTHANC', '127.0.0.1', String(port), path];
  const { stdout, stderr } = await dcmtk('storescu', args, { timeoutMs: 120_000 });
  return stdout + stderr;
}
const SUCCESS = /Received Store Response \(Success\)/;

/** Between receiver and Orthanc: `answer` says what becomes of Orthanc's answer to an image. */
async function between(
  t: TestContext,
  { url }: RunningOrthanc,
  answer: () => number | 'pass' | 'lost',
): Promise<string> {
  const server = createServer((incoming, outgoing) => {
    const what = incoming.method === 'POST' && incoming.url === '/instances' ? answer() : 'pass';
    if (typeof what === 'number') {
      incoming.resume();
      outgoing.writeHead(what).end('{}');
      return;
    }
    const { method, headers } = incoming;
    const onward = httpRequest(new URL(incoming.url ?? '/', url), { method, headers }, (response) => {
      if (what === 'lost') response.resume();
      else response.pipe(outgoing.writeHead(response.statusCode ?? 500, response.headers));
    });
    onward.on('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === 'object' ? (address?.port ?? 0) : 0}`;
}

test('faults: a refusal, a full disk and an error of Orthanc are A700 with the reason; then the image is stored', async (t) => {
  const answers: (number | 'pass')[] = [401, 507, 500];
  const rig = await startRig(t, {
    between: (orthanc) => between(t, orthanc, () => answers.shift() ?? 'pass'),
  });
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  for (let turn = 0; turn < 3; turn += 1) assert.match(await send(rig, path), /OutOfResources|0xa700/i);
  const log = rig.receiver().output();
  for (const why of [/refuses the user/, /disk of Orthanc is full/, /cannot store it \(500\)/])
    assert.match(log, why);
  assert.equal((await instances(rig)).length, 0);
  assert.match(await send(rig, path), SUCCESS);
  assert.deepEqual(await storedHashes(rig), [await hashOf(path)]);
});

test('faults: Orthanc that restarts is waited for; one that is away is A700, and /healthz says so', async (t) => {
  const rig = await startRig(t);
  const [one = '', two = ''] = await writeImages(join(rig.folder, 'images'), 2);
  await rig.orthanc.kill();
  const sending = send(rig, one);
  await rig.orthanc.start();
  assert.match(await sending, SUCCESS);
  await rig.orthanc.stop();
  assert.match(await send(rig, two), /OutOfResources|0xa700/i);
  await until(async () => (await fetch(`${rig.url}/healthz`)).status === 503, {
    what: 'it shows',
    timeoutMs: 60_000,
  });
  await rig.orthanc.start();
  assert.match(await send(rig, two), SUCCESS);
  assert.equal((await instances(rig)).length, 2);
});

test('faults: killed after Orthanc has the image and before the scanner knows: sent again, it is there once', async (t) => {
  let taken = 0;
  const answer = (): 'pass' | 'lost' => {
    taken += 1;
    return taken === 1 ? 'lost' : 'pass';
  };
  const rig = await startRig(t, { between: (orthanc) => between(t, orthanc, answer) });
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  const sending = send(rig, path);
  await until(async () => (await instances(rig)).length === 1, { what: 'Orthanc has it', timeoutMs: 60_000 });
  await rig.receiver().stop('SIGKILL');
  assert.doesNotMatch(await sending, SUCCESS);
  await rig.start();
  assert.match(await send(rig, path), SUCCESS);
  const [id = ''] = await instances(rig);
  assert.deepEqual(await rig.orthanc.get(`/instances/${id}/attachments`), ['dicom']);
});

test('faults: an image that is too large for memory goes by the disk, byte for byte, and leaves nothing there', async (t) => {
  const rig = await startRig(t);
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const [image] = [...makeSeries({ modality: 'MR', images: 1, rows: 4096, columns: 4096, when })];
  assert.ok(image !== undefined && image.bytes.length > 30_000_000);
  const path = join(rig.folder, 'large.dcm');
  await writeFile(path, image.bytes);
  assert.match(await send(rig, path), SUCCESS);
  assert.deepEqual(await storedHashes(rig), [await hashOf(path)]);
  await until(async () => (await rig.api('/healthz'))['heldOnDisk'] === 0, {
    what: 'it is let go',
    timeoutMs: 60_000,
  });
});

test('faults: a disk that cannot be written to is A700 for what is too large for memory, and small images go on', async (t) => {
  const rig = await startRig(t);
  const [small = ''] = await writeImages(join(rig.folder, 'images'), 1);
  // a file where the folder should be
  await writeFile(join(rig.folder, 'data', 'receiver'), '');
  const when = Temporal.ZonedDateTime.from('2026-11-22T09:00[Europe/Amsterdam]');
  const [image] = [...makeSeries({ modality: 'MR', images: 1, rows: 4096, columns: 4096, when })];
  const path = join(rig.folder, 'large.dcm');
  await writeFile(path, image?.bytes ?? '');
  assert.match(await send(rig, path), /OutOfResources|0xa700/i);
  assert.match(await send(rig, small), SUCCESS);
});

test('faults: a copy that is damaged in Orthanc is mended by sending again', async (t) => {
  const extra = { MaximumStorageCacheSize: 0 };
  const rig = await startRig(t, { orthanc: { extra } });
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  assert.match(await send(rig, path), SUCCESS);
  const [id = ''] = await instances(rig);
  const { Uuid: uuid } = (await rig.orthanc.get(`/instances/${id}/attachments/dicom/info`)) as {
    Uuid: string;
  };
  const stored = join(rig.folder, 'orthanc', 'storage', uuid.slice(0, 2), uuid.slice(2, 4), uuid);
  const bytes = await readFile(stored);
  bytes[bytes.length - 5] = (bytes.at(-5) ?? 0) ^ 1;
  await writeFile(stored, bytes);
  await rig.orthanc.stop();
  await rig.orthanc.start();
  assert.match(await send(rig, path), SUCCESS);
  assert.deepEqual(await rig.orthanc.get(`/instances/${id}/attachments`), ['dicom', '5110']);
  await rig.receiver().said(/image\.mended/);
});

test('faults: requests that contradict their data set are stored by the data set, with a warning; nonsense is C000', async (t) => {
  const rig = await startRig(t);
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  const file = await readFile(path);
  const header = readPart10Header(file, file.length);
  assert.ok(!('needMore' in header));
  const data = file.subarray(header.dataSetOffset);
  const peer = new RawPeer(rig.port);
  t.after(() => peer.socket.destroy());
  const contexts = [{ id: 1, abstractSyntax: sopClasses.mrImageStorage, transferSyntaxes: [EXPLICIT] }];
  await peer.associate({ contexts });
  let messageId = 0;
  const ask = (change: Partial<Command>, bytes?: Uint8Array): Promise<number | undefined> => {
    messageId += 1;
    const dataSetType = bytes === undefined ? 0x0101 : 1;
    return peer.status(1, { commandField: 1, messageId, dataSetType, ...change }, bytes);
  };
  const affectedSopClassUid = sopClasses.mrImageStorage;
  assert.equal(await ask({ affectedSopClassUid, affectedSopInstanceUid: '1.2.3' }, data), 0xb007);
  assert.equal(await ask({ affectedSopClassUid: sopClasses.ctImageStorage }, data), 0xb007);
  assert.equal(await ask({ affectedSopClassUid }, data), 0);
  assert.equal(
    await ask({ affectedSopClassUid, affectedSopInstanceUid: '1.2.3' }, Buffer.from('nonsense')),
    0xc000,
  );
  assert.equal(await ask({ affectedSopClassUid, affectedSopInstanceUid: '1.2.3' }), 0xc000, 'no data set');
  assert.deepEqual(await storedHashes(rig), [await hashOf(path)]);
});
