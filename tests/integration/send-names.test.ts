/** C-STORE names what is in the data set (PS3.4 B.2.1), not what the file meta information says, whoever sends. */
import { strict as assert } from 'node:assert';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { dataSet, encodePart10, readPart10Header } from '@scanflow/dicom';
import { startOrthanc, startStorescp } from '@scanflow/testkit';
import { dataSetOf, folder, images, json, scripted, send, storescp, to } from './send-support.ts';

const CT = '1.2.840.10008.5.1.4.1.1.2';
const EXPLICIT = '1.2.840.10008.1.2.1';

/** As anonymisers leave it: other UIDs in the file meta information than in the data set. */
function renamed(bytes: Uint8Array): Buffer {
  const meta = encodePart10(new Map(), {
    transferSyntax: EXPLICIT,
    characterSet: 'ISO_IR 6',
    sopClassUid: CT,
    sopInstanceUid: '1.2.826.0.1.17',
  });
  return Buffer.concat([meta, dataSetOf(bytes)]);
}

test('names: where the file meta information has other UIDs, the data set’s are sent, to storescp and to Orthanc', async (t) => {
  const all = images(3);
  const root = await folder(t);
  for (const [uid, bytes] of all) await writeFile(join(root, `${uid}.dcm`), renamed(bytes));
  const scp = await storescp(t);
  const orthanc = await startOrthanc({ folder: await folder(t) });
  t.after(() => orthanc.stop());
  for (const target of [to(scp)[1] ?? '', `${orthanc.aet}@127.0.0.1:${orthanc.dicomPort}`]) {
    const result = await send(root, '--to', target, '--tag', 'none', '--json');
    assert.equal(result.code, 0, result.stdout + result.stderr);
    assert.equal(json(result).sent, 3);
  }
  const came = await scp.files();
  assert.equal(came.length, 3);
});

test('names: the SOP class of the data set is negotiated, a private one too', async (t) => {
  const made = '1.2.826.0.1.3680043.2.1143.99';
  const asked: string[] = [];
  const scp = await scripted(t, {
    contextResult: (sopClass) => {
      asked.push(sopClass);
      return 0;
    },
  });
  const root = await folder(t);
  const attributes = dataSet({ SOPClassUID: made, SOPInstanceUID: '1.2.3.4', PatientID: 'X' });
  const options = { transferSyntax: EXPLICIT, characterSet: 'ISO_IR 6' };
  await writeFile(
    join(root, 'a.dcm'),
    encodePart10(attributes, { ...options, sopClassUid: CT, sopInstanceUid: '1.2.9' }),
  );
  const bare = dataSet({ PatientID: 'X' });
  await writeFile(
    join(root, 'b.dcm'),
    encodePart10(bare, { ...options, sopClassUid: CT, sopInstanceUid: '1.2.8' }),
  );
  const result = await send(root, ...to(scp), '--json');
  assert.equal(result.code, 0, result.stderr);
  assert.deepEqual(asked.toSorted(), [CT, made].toSorted());
  assert.deepEqual([...scp.requests].toSorted(), ['1.2.3.4', '1.2.8']);
});

test('names: a wrong UID goes as it stands in the data set', async (t) => {
  const [bytes = new Uint8Array()] = [...images(1).values()];
  const scp = await startStorescp({ folder: await folder(t) });
  t.after(() => scp.stop());
  const root = await folder(t);
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  const wrong = Buffer.from(renamed(bytes));
  const at = wrong.indexOf(header.sopInstanceUid, 400, 'latin1');
  wrong.write('x', at + 10, 'latin1');
  await writeFile(join(root, 'wrong.dcm'), wrong);
  const result = await send(root, ...to(scp), '--tag', 'none', '--json');
  assert.equal(result.code, 0, result.stdout);
});
