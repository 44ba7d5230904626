/** DICOMweb destinations: images reach a real Orthanc by STOW-RS as they are stored, and what fails shows. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { applyEdits, planSplice } from '@scanflow/dicom';
import { makeAuthority, startOrthanc, type RunningOrthanc } from '@scanflow/testkit';
import { folderOf, recordOf, TAG } from './streamer-verify.ts';
import {
  legOf,
  legWhen,
  makeRig,
  phantom,
  scratch,
  sendTo,
  settled,
  type Rig,
  type Series,
} from './streamer-support.ts';

async function webOrthanc(t: TestContext): Promise<RunningOrthanc> {
  const orthanc = await startOrthanc({
    folder: await scratch(t),
    plugins: ['libOrthancDicomWeb.so'],
    extra: { DicomWeb: { Enable: true, Root: '/dicom-web/' } },
  });
  t.after(() => orthanc.kill());
  return orthanc;
}

const destination = ({ url, username, passwordFile }: RunningOrthanc): object => ({
  url: `${url}/dicom-web`,
  username,
  passwordFile,
});

/** Every stored image is there once, byte for byte (MD5 and SHA-256 of what it keeps). */
async function verifyThere(
  orthanc: RunningOrthanc,
  all: readonly Series[],
  sent = (stored: Buffer): Uint8Array => stored,
): Promise<number> {
  const expected: string[] = [];
  for (const series of all) {
    const folder = folderOf(series);
    for (const { file } of (await recordOf(folder)).instances)
      expected.push(hash('sha256', sent(await readFile(join(folder, file)))));
  }
  const there: string[] = [];
  for (const id of (await orthanc.get('/instances')) as string[]) {
    const bytes = Buffer.from(await (await orthanc.request(`/instances/${id}/file`)).arrayBuffer());
    const md5 = await (await orthanc.request(`/instances/${id}/attachments/dicom/md5`)).text();
    assert.equal(md5, hash('md5', bytes));
    there.push(hash('sha256', bytes));
  }
  assert.deepEqual(there.sort(), expected.sort());
  return there.length;
}

const hash = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest('hex');

test('streamer: images reach a DICOMweb server by STOW-RS, as they are stored', async (t) => {
  const web = await webOrthanc(t);
  const rig = await makeRig(t, { extra: { destinations: { web: destination(web) } } });
  await rig.start();
  const a = await phantom(join(rig.folder, 'a'), { images: 70, seriesNumber: 1 });
  const b = await phantom(join(rig.folder, 'b'), { images: 3, seriesNumber: 2 });
  await sendTo(rig.orthanc, a.folder, b.folder);
  const all = await settled(rig, 2, ['complete']);
  assert.equal(await verifyThere(web, all), 73);
  assert.ok(!rig.streamer().output().includes(web.password));
});

test('streamer: by STOW-RS, too, the tag is put in only on the way', async (t) => {
  const web = await webOrthanc(t);
  const rig = await makeRig(t, {
    extra: { destinations: { web: destination(web) }, tag: { apply: 'forwarded' } },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 3 });
  await sendTo(rig.orthanc, folder);
  const all = await settled(rig, 1, ['complete']);
  const tagged = (stored: Buffer): Uint8Array => {
    const plan = planSplice(stored, TAG, true);
    assert.ok(plan.kind === 'splice');
    return applyEdits(stored, plan.edits);
  };
  assert.equal(await verifyThere(web, all, tagged), 3);
});

test('streamer: a DICOMweb server that is down gets everything when it is back', async (t) => {
  const web = await webOrthanc(t);
  await web.stop();
  const rig = await makeRig(t, { extra: { destinations: { web: destination(web) } } });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 5 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'web', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.equal(leg.failure?.code, 'DEST_UNREACHABLE');
  await web.start();
  assert.equal(await verifyThere(web, await settled(rig, 1, ['complete'], 120_000)), 5);
});

test('streamer: a wrong password shows, and is read anew once corrected', async (t) => {
  const web = await webOrthanc(t);
  const passwordFile = join(await scratch(t), 'password');
  await writeFile(passwordFile, 'wrong\n');
  const rig = await makeRig(t, {
    extra: { destinations: { web: { ...destination(web), passwordFile } } },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'web', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.equal(leg.failure?.code, 'STOW_DENIED');
  await writeFile(passwordFile, `${web.password}\n`);
  assert.equal(await verifyThere(web, await settled(rig, 1, ['complete'], 120_000)), 2);
});

/** A server of one answer, and a streamer that sends to it. */
async function rigWith(
  t: TestContext,
  answer: (body: string, response: ServerResponse) => void,
): Promise<Rig> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
    request.on('end', () => answer(body, response));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const rig = await makeRig(t, {
    extra: { destinations: { web: { url: `http://127.0.0.1:${port}` } } },
  });
  await rig.start();
  return rig;
}

/** (0008,0018) with its VR, as it is encoded: SOP Instance UIDs of a request. */
const SOP_INSTANCE_UID = Buffer.from('080018005549', 'hex').toString('latin1');
const uidsIn = (body: string): string[] =>
  body
    .split(SOP_INSTANCE_UID)
    .slice(1)
    .map((rest) => /^[0-9.]+/.exec(rest.slice(2))?.[0] ?? '');
const item = (uid: string, more: object = {}): object => ({
  '00081155': { vr: 'UI', Value: [uid] },
  ...more,
});

test('streamer: an image that a DICOMweb server refuses fails visibly, the others are sent', async (t) => {
  const rig = await rigWith(t, (body, response) => {
    const [first = '', ...rest] = uidsIn(body);
    const failed = [item(first, { '00081197': { vr: 'US', Value: [0xa900] } })];
    response.writeHead(rest.length > 0 ? 202 : 409, { 'content-type': 'application/dicom+json' }).end(
      JSON.stringify({
        '00081199': { vr: 'SQ', Value: rest.map((uid) => item(uid)) },
        '00081198': { vr: 'SQ', Value: failed },
      }),
    );
  });
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 4 });
  await sendTo(rig.orthanc, folder);
  const [series] = await settled(rig, 1, ['failed']);
  const leg = legOf(series, 'web');
  assert.deepEqual([leg.state, leg.done, leg.total, leg.failure?.code], ['failed', 3, 4, 'STORE_REFUSED']);
});

test('streamer: a server that says when it wants to be asked again is left alone until then', async (t) => {
  let asked = 0;
  const rig = await rigWith(t, (_, response) => {
    asked += 1;
    response.writeHead(503, { 'retry-after': '1800' }).end();
  });
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, folder);
  const leg = await legWhen(rig, 'web', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.equal(leg.failure?.code, 'STOW_BUSY');
  const wait = Temporal.Instant.from(leg.nextTry ?? '').since(Temporal.Now.instant());
  assert.ok(wait.total('minutes') > 20 && wait.total('minutes') < 31, `asked again in ${wait.toString()}`);
  assert.equal(asked, 1);
});

test('streamer: TLS to a DICOMweb server, verified by the given authority only', async (t) => {
  const folder = await scratch(t);
  const authority = await makeAuthority(folder, 'ca');
  const own = await authority.issue('web');
  const answer = (body: string, response: ServerResponse): void => {
    const stored = uidsIn(body).map((uid) => item(uid));
    response.end(JSON.stringify({ '00081199': { vr: 'SQ', Value: stored } }));
  };
  const server = createSecureServer(
    { key: await readFile(own.key), cert: await readFile(own.certificate) },
    (request, response) => {
      let body = '';
      request.setEncoding('latin1').on('data', (chunk: string) => (body += chunk));
      request.on('end', () => answer(body, response));
    },
  ).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  const url = `https://localhost:${port}/dicom-web`;
  const rig = await makeRig(t, {
    extra: { destinations: { trusted: { url, tls: { ca: authority.certificate } }, unknown: { url } } },
  });
  await rig.start();
  const { folder: images } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await sendTo(rig.orthanc, images);
  const good = await legWhen(rig, 'trusted', ({ state }) => state === 'done', 'sent over TLS');
  assert.equal(good.done, 2);
  const bad = await legWhen(rig, 'unknown', ({ failure }) => failure !== undefined, 'the failure shows');
  assert.match(bad.failure?.code ?? '', /^TLS_(WRONG_CA|SELF_SIGNED)$/);
});
