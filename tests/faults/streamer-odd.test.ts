/** Images that are not like the others: of any SOP class, without what is usual, with text that cannot be read. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { test } from 'node:test';
import { dcmtk, startStorescp } from '@scanflow/testkit';
import { folderOf, verifyForwarded, verifyStored } from '../integration/streamer-verify.ts';
import { makeRig, phantom, scratch, settled, type Rig } from '../integration/streamer-support.ts';

const MODIFY = ['-nb', '-nrc'];

async function modify(file: string, ...changes: readonly string[]): Promise<void> {
  const { code, stderr } = await dcmtk('dcmodify', [...MODIFY, ...changes, file]);
  assert.equal(code, 0, stderr);
}

/** One image of a series of its own. */
async function image(rig: Rig, number: number, description = 'odd'): Promise<string> {
  const { files } = await phantom(join(rig.folder, `odd${number}`), {
    images: 1,
    seriesNumber: number,
    seriesDescription: description,
    seed: number,
  });
  return files[0] ?? '';
}

async function upload(rig: Rig, file: string): Promise<void> {
  const { status, body } = await rig.orthanc.upload(await readFile(file));
  assert.equal(status, 200, JSON.stringify(body));
}

/** SOP classes (PS3.4 B.5, and one of nobody's list) whose objects have no pixels. */
const CLASSES = {
  'MR spectroscopy': '1.2.840.10008.5.1.4.1.1.4.2',
  'raw data': '1.2.840.10008.5.1.4.1.1.66',
  'encapsulated PDF': '1.2.840.10008.5.1.4.1.1.104.1',
  'comprehensive SR': '1.2.840.10008.5.1.4.1.1.88.33',
  'a private one': '1.2.826.0.1.3680043.2.1545.1.99.1',
};

test('streamer: objects of any SOP class, without pixels, are stored and sent', async (t) => {
  const scp = await startStorescp({ folder: await scratch(t), aet: 'PACS', extra: ['-pm'] });
  t.after(() => scp.stop());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  await rig.start();
  const classes = Object.values(CLASSES);
  for (const [index, sopClass] of classes.entries()) {
    const file = await image(rig, index + 1);
    await modify(file, '-m', `(0008,0016)=${sopClass}`, '-e', '(7fe0,0010)');
    await upload(rig, file);
  }
  const all = await settled(rig, classes.length, ['complete']);
  for (const series of all) assert.equal(await verifyStored(rig, series), 1);
  assert.equal(await verifyForwarded(all.map(folderOf), await scp.files()), classes.length);
});

/** What becomes of the text, as it stands in the file: of the length of `odd text`. */
const TEXTS = {
  'bad UTF-8': ['ISO_IR 192', [0x6f, 0xc3, 0x28, 0xff, 0xe2, 0x82, 0x28, 0x74]],
  'a character set that there is not': ['ISO_IR 999', [0x6f, 0xe9, 0x64, 0xe9, 0x74, 0x65, 0x78, 0x74]],
  'several character sets': ['\\ISO 2022 IR 87', [0x1b, 0x24, 0x42, 0x3b, 0x33, 0x1b, 0x28, 0x42]],
  'several, of which one there is not': [
    'ISO_IR 100\\NONE',
    [0x6f, 0xe9, 0x64, 0xe9, 0x74, 0x65, 0x78, 0x74],
  ],
  'none declared': [undefined, [0x6f, 0xe9, 0x64, 0xe9, 0x74, 0x65, 0x78, 0x74]],
} as const;

test('streamer: text that cannot be read, and a study without a date, are stored byte for byte', async (t) => {
  const rig = await makeRig(t, {
    layout: '{project}/{StudyDate}/{SeriesNumber:3}-{SeriesDescription}/{SOPInstanceUID}.dcm',
  });
  await rig.start();
  const texts = Object.entries(TEXTS);
  for (const [index, [what, [characterSet, bytes]]] of texts.entries()) {
    const file = await image(rig, index + 1, 'odd text');
    const declared =
      characterSet === undefined ? ['-ea', '(0008,0005)'] : ['-i', `(0008,0005)=${characterSet}`];
    await modify(file, ...declared, '-ea', '(0008,0020)');
    const content = await readFile(file);
    const at = content.indexOf('odd text');
    assert.ok(at > 0, what);
    content.set(bytes, at);
    await writeFile(file, content);
    await upload(rig, file);
  }
  const all = await settled(rig, texts.length, ['complete']);
  for (const series of all) {
    assert.equal(await verifyStored(rig, series), 1);
    const below = relative(rig.root, folderOf(series));
    assert.match(below, /^3010000\.01\/none\/00\d-[^/]+$/);
    assert.doesNotMatch(below, /[\p{Cc}\ufffd]/u, 'a name that no program reads');
  }
  assert.equal(new Set(all.map(folderOf)).size, texts.length);
});
