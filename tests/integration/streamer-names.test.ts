/** Images whose file meta information names others than their data set does, and cut ones, through the streamer. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { encodePart10, readPart10Header } from '@scanflow/dicom';
import { startOrthanc } from '@scanflow/testkit';
import { makeRig, phantom, scratch, settled, legOf } from './streamer-support.ts';
import { folderOf } from './streamer-verify.ts';

/** As anonymisers leave it: other UIDs in the file meta information than in the data set. */
async function renamed(path: string, instance: number): Promise<Buffer> {
  const bytes = await readFile(path);
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  const meta = encodePart10(new Map(), {
    transferSyntax: header.transferSyntax,
    characterSet: 'ISO_IR 6',
    sopClassUid: '1.2.840.10008.5.1.4.1.1.2',
    sopInstanceUid: `1.2.826.0.1.17.${instance}`,
  });
  return Buffer.concat([meta, bytes.subarray(header.dataSetOffset)]);
}

test('names: what was uploaded with other UIDs in its meta information is forwarded by C-STORE and by STOW-RS', async (t) => {
  const pacs = await startOrthanc({ folder: await scratch(t) });
  t.after(() => pacs.kill());
  const web = await startOrthanc({
    folder: await scratch(t),
    plugins: ['libOrthancDicomWeb.so'],
    extra: { DicomWeb: { Enable: true, Root: '/dicom-web/' } },
  });
  t.after(() => web.kill());
  const { url, username, passwordFile } = web;
  const rig = await makeRig(t, {
    extra: {
      destinations: {
        pacs: { host: '127.0.0.1', port: pacs.dicomPort, aet: pacs.aet },
        web: { url: `${url}/dicom-web`, username, passwordFile },
      },
    },
  });
  await rig.start();
  const { folder } = await phantom(join(rig.folder, 'a'), { images: 3 });
  let at = 0;
  for (const name of (await readdir(folder)).filter((one) => one.endsWith('.dcm'))) {
    const body = await renamed(join(folder, name), (at += 1));
    const response = await rig.orthanc.request('/instances', { method: 'POST', body });
    assert.equal(response.status, 200);
  }
  assert.equal(at, 3);
  const [series] = await settled(rig, 1, ['complete', 'failed'], 120_000);
  assert.ok(series !== undefined);
  for (const target of ['pacs', 'web']) {
    const { state, done, failure } = legOf(series, target);
    assert.deepEqual([state, done, failure], ['done', 3, undefined], target);
  }
  const record = await readFile(join(folderOf(series), 'series.json'), 'utf8');
  assert.ok(record.includes('"1.2.840.10008.5.1.4.1.1.4"') && !record.includes('1.2.840.10008.5.1.4.1.1.2"'));
  for (const peer of [pacs, web]) assert.equal(((await peer.get('/instances')) as string[]).length, 3);
});
