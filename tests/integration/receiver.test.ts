/** The receiver before a real Orthanc, with DCMTK's senders as scanners: what arrives is what was sent. */
import assert from 'node:assert/strict';
import { appendFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPart10Header } from '@scanflow/dicom';
import { store } from '@scanflow/dimse';
import { dcmtk, storescu, until } from '@scanflow/testkit';
import { hashOf, instances, startRig, storedHashes, writeImages } from './receiver-support.ts';

const TO = { calledAet: 'ORTHANC', callingAet: 'PRISMA' };

test('receiver: every data set is in Orthanc byte for byte, and the file says who sent it', async (t) => {
  const rig = await startRig(t);
  const paths = await writeImages(join(rig.folder, 'images'), 5);
  await storescu({ ...TO, port: rig.port }, paths);
  assert.deepEqual(await storedHashes(rig), (await Promise.all(paths.map(hashOf))).sort());
  const [id = ''] = await instances(rig);
  const header = (await rig.orthanc.get(`/instances/${id}/header?simplify`)) as Record<string, string>;
  assert.equal(header['SourceApplicationEntityTitle'], 'PRISMA');
  const [series = ''] = (await rig.orthanc.get('/series')) as string[];
  const sender = await rig.orthanc.get(`/series/${series}/metadata/5101`);
  assert.deepEqual(sender, { aet: 'PRISMA', called: 'ORTHANC', address: '127.0.0.1', scanner: 'prisma' });
});

test('receiver: what DCMTK makes of an image in other transfer syntaxes arrives as it was sent', async (t) => {
  const rig = await startRig(t);
  const folder = join(rig.folder, 'images');
  // one image each: a SOP Instance UID counts once
  const [implicit = '', big = '', deflated = '', groups = '', rle = '', jpeg = '', jpegls = ''] =
    await writeImages(folder, 7);
  const made: [string, string, string[]][] = [
    [implicit, 'dcmconv', ['+ti']],
    [big, 'dcmconv', ['+tb']],
    [deflated, 'dcmconv', ['+td']],
    [groups, 'dcmconv', ['+te', '+g=', '+e']],
    [rle, 'dcmcrle', []],
    [jpeg, 'dcmcjpeg', ['+e1']],
    [jpegls, 'dcmcjpls', []],
  ];
  for (const [path, program, args] of made) {
    const { code, stderr } = await dcmtk(program, [...args, path, path]);
    assert.equal(code, 0, `${program} ${args.join(' ')}: ${stderr}`);
  }
  await padDeflated(deflated);
  const items = made.map(([path]) => ({ id: path, path }));
  // DCMTK's senders convert what is not compressed; ours sends the bytes of the file
  for await (const outcome of store({ ...TO, host: '127.0.0.1', port: rig.port }, items))
    assert.equal(outcome.result, 'sent', JSON.stringify(outcome));
  assert.deepEqual(await storedHashes(rig), (await Promise.all(made.map(([path]) => hashOf(path)))).sort());
});

/** A sender adds a NUL to a deflated stream of odd length (PS3.5 A.5), which DCMTK's file lacks. */
async function padDeflated(path: string): Promise<void> {
  const file = await readFile(path);
  const header = readPart10Header(file, file.length);
  assert.ok(!('needMore' in header));
  if ((file.length - header.dataSetOffset) % 2 === 1) await appendFile(path, Uint8Array.of(0));
}

test('receiver: C-ECHO is answered, C-FIND is not served', async (t) => {
  const rig = await startRig(t);
  const at = ['-aec', 'ORTHANC', '127.0.0.1', String(rig.port)];
  assert.equal((await dcmtk('echoscu', at)).code, 0);
  const find = await dcmtk('findscu', ['-S', '-k', 'QueryRetrieveLevel=STUDY', ...at]);
  assert.match(find.stderr + find.stdout, /No Acceptable Presentation Contexts/i);
});

test('receiver: the same image again is Success and changes nothing', async (t) => {
  const rig = await startRig(t);
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  for (let turn = 0; turn < 3; turn += 1) await storescu({ ...TO, port: rig.port }, [path]);
  const [id = ''] = await instances(rig);
  assert.deepEqual(await rig.orthanc.get(`/instances/${id}/attachments`), ['dicom']);
  const metrics = async (): Promise<string> => (await fetch(`${rig.url}/metrics`)).text();
  assert.match(await metrics(), /images_total\{outcome="repeated"\} 2/);
  const over = async (): Promise<boolean> => /^scanflow_receiver_associations 0$/m.test(await metrics());
  await until(over, { what: 'no association counts as open', timeoutMs: 10_000 });
});

test('receiver: where Orthanc keeps no MD5, the same image again changes nothing either', async (t) => {
  const rig = await startRig(t, { orthanc: { extra: { StoreMD5ForAttachments: false } } });
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  for (let turn = 0; turn < 3; turn += 1) await storescu({ ...TO, port: rig.port }, [path]);
  const [id = ''] = await instances(rig);
  assert.deepEqual(await rig.orthanc.get(`/instances/${id}/attachments`), ['dicom']);
});

test('receiver: other bytes under the same UID are kept beside, each once, and nothing is overwritten', async (t) => {
  const rig = await startRig(t);
  const [path = ''] = await writeImages(join(rig.folder, 'images'), 1);
  const original = await readFile(path);
  const send = async (last: number): Promise<void> => {
    const other = Buffer.from(original);
    other[other.length - 1] = last;
    await writeFile(path, other);
    await storescu({ ...TO, port: rig.port }, [path]);
  };
  for (const last of [1, 2, 3, 2, 3, 1]) await send(last);
  const [id = ''] = await instances(rig);
  assert.deepEqual(await rig.orthanc.get(`/instances/${id}/attachments`), ['dicom', '5110', '5111']);
  const lastOf = async (attachment: string): Promise<number | undefined> => {
    const answer = await rig.orthanc.request(`/instances/${id}/attachments/${attachment}/data`);
    return new Uint8Array(await answer.arrayBuffer()).at(-1);
  };
  assert.deepEqual(await Promise.all(['dicom', '5110', '5111'].map(lastOf)), [1, 2, 3]);
  await rig.receiver().said(/image\.other-version/);
});
