/** One file that is cut, refused, or that a peer aborts or hangs over never stops the others of a `scanflow send`. */
import { strict as assert } from 'node:assert';
import { appendFile, chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, encodePart10 } from '@scanflow/dicom';
import { dcmtk, run, startOrthanc, startStorescp } from '@scanflow/testkit';
import {
  assertReceived,
  folder,
  images,
  json,
  SCANFLOW,
  scripted,
  send,
  storescp,
  to,
  type Images,
  type Json,
} from './send-support.ts';

/** Images in the order of their names; `bad` stands 11th. */
async function withEleventh(t: TestContext, all: Images, bad: Uint8Array): Promise<string> {
  const root = await folder(t);
  let at = 0;
  for (const bytes of all.values()) {
    at += at === 10 ? 2 : 1;
    await writeFile(join(root, `${String(at).padStart(3, '0')}.dcm`), bytes);
  }
  await writeFile(join(root, '011.dcm'), bad);
  return root;
}

const one = (seed: number): Buffer => Buffer.from([...images(1, seed).values()][0] ?? []);
const codes = ({ failures }: Json): string[] => failures.map(({ file, code }) => `${file.slice(-7)} ${code}`);

/** Compressed pixel data with one fragment. */
function compressed(fragment: number): Buffer {
  const sopClassUid = '1.2.840.10008.5.1.4.1.1.4';
  const attributes = dataSet({ SOPClassUID: sopClassUid, SOPInstanceUID: '1.2.3.9', PatientID: 'X' });
  const file = encodePart10(attributes, {
    transferSyntax: '1.2.840.10008.1.2.1',
    characterSet: 'ISO_IR 6',
    sopClassUid,
    sopInstanceUid: '1.2.3.9',
  });
  const length = Buffer.alloc(4);
  length.writeUInt32LE(fragment);
  return Buffer.concat([
    file,
    Buffer.from('e07f10004f420000ffffffff', 'hex'),
    Buffer.from('feff00e000000000', 'hex'),
    Buffer.from('feff00e0', 'hex'),
    length,
    Buffer.alloc(fragment, 7),
  ]);
}

test('hindrance: 40 good images and one cut file, to storescp: 40 sent, one DICOM_BROKEN, at once', async (t) => {
  const all = images(40);
  const cut = one(9);
  const scp = await storescp(t);
  const root = await withEleventh(t, all, cut.subarray(0, cut.length - 1000));
  const began = performance.now();
  const result = await send(root, ...to(scp), '--tag', 'none', '--json');
  assert.ok(performance.now() - began < 60_000);
  assert.equal(result.code, 1);
  assert.deepEqual(
    [json(result).sent, json(result).failed, codes(json(result))],
    [40, 1, ['011.dcm DICOM_BROKEN']],
  );
  await assertReceived(scp, all);
});

test('hindrance: cut files of every kind cost themselves only, to Orthanc', async (t) => {
  const orthanc = await startOrthanc({ folder: await folder(t) });
  t.after(() => orthanc.stop());
  const all = images(12);
  const whole = one(9);
  const jpeg = compressed(3000);
  const kinds: Readonly<Record<string, Buffer>> = {
    'in its header': whole.subarray(0, 700),
    'in its file meta information': whole.subarray(0, 200),
    'at the first pixel': whole.subarray(0, whole.indexOf(Buffer.from('e07f1000', 'hex'), 1000) + 12),
    'without sequence delimiter': jpeg,
    'within a fragment': jpeg.subarray(0, jpeg.length - 9),
    empty: Buffer.alloc(0),
  };
  for (const [kind, bad] of Object.entries(kinds)) {
    const root = await withEleventh(t, all, bad);
    const result = await send(root, '--to', `${orthanc.aet}@127.0.0.1:${orthanc.dicomPort}`, '--json');
    assert.equal(result.code, 1, kind);
    assert.deepEqual([json(result).sent, codes(json(result))], [12, ['011.dcm DICOM_BROKEN']], kind);
  }
});

test(
  'hindrance: a file that may not be read, one among several names',
  { skip: process.getuid?.() === 0 },
  async (t) => {
    const all = images(12);
    const root = await withEleventh(t, all, one(9));
    const secret = join(root, '011.dcm');
    await chmod(secret, 0);
    const scp = await storescp(t);
    const result = await send(secret, root, ...to(scp), '--tag', 'none', '--json', '--retry-time', '0s');
    assert.equal(result.code, 1);
    assert.deepEqual([json(result).sent, codes(json(result))], [12, ['011.dcm FILE_UNREADABLE']]);
  },
);

/** The peer does this to one instance, each time that it comes, and takes all others. */
const KINDS = ['abort', 'close', 'never answer', 'answer for another instance', { status: 0xa700 }] as const;

for (const step of KINDS)
  test(`hindrance: ${typeof step === 'string' ? step : 'out of resources'} at one instance keeps no other`, async (t) => {
    const all = images(20);
    const [, , , ...rest] = all.keys();
    const [bad = ''] = rest;
    const scp = await scripted(t, { onStore: (_, uid) => (uid === bad ? step : { status: 0 }) });
    const root = await withEleventh(t, new Map(), all.get(bad) ?? new Uint8Array());
    for (const [uid, bytes] of all)
      if (uid !== bad)
        await writeFile(join(root, `${uid === [...all.keys()][0] ? '001' : `1${uid.slice(-6)}`}.dcm`), bytes);
    const result = await send(root, ...to(scp), '--json', '--retry-time', '2s', '--timeout', '1s');
    assert.equal(result.code, 1);
    assert.deepEqual([json(result).sent, json(result).failed], [19, 1], result.stderr);
    assert.match(json(result).failures[0]?.file ?? '', /011\.dcm$/);
  });

test('hindrance: several in a row that break the association off keep no other, even where nothing is tried again', async (t) => {
  const all = images(24);
  const bad = new Set([...all.keys()].slice(0, 6));
  const scp = await scripted(t, { onStore: (_, uid) => (bad.has(uid) ? 'abort' : { status: 0 }) });
  const root = await folder(t);
  let at = 0;
  for (const bytes of all.values())
    await writeFile(join(root, `${String((at += 1)).padStart(3, '0')}.dcm`), bytes);
  const result = await send(root, ...to(scp), '--json', '--retry-time', '0s');
  assert.equal(json(result).sent, 18, result.stderr);
});

test('hindrance: a peer that closes after each file that it refuses gets all the others', async (t) => {
  const all = images(20);
  const bad = new Set([...all.keys()].filter((_, index) => index % 4 === 1));
  const scp = await scripted(t, {
    onStore: (_, uid) => (bad.has(uid) ? { status: 0xa900, then: 'close' } : { status: 0 }),
  });
  const root = await folder(t);
  for (const [uid, bytes] of all) await writeFile(join(root, `${uid}.dcm`), bytes);
  const result = await send(root, ...to(scp), '--json', '--retry-time', '10s');
  assert.deepEqual([json(result).sent, json(result).failed], [15, 5], result.stderr);
  assert.ok(json(result).failures.every(({ code }) => code === 'STORE_REFUSED'));
});

test('hindrance: a SOP class that is not taken, in the middle', async (t) => {
  const all = images(12);
  const odd = encodePart10(
    dataSet({ SOPClassUID: '1.2.826.0.1.99', SOPInstanceUID: '1.2.3.9', PatientID: 'X' }),
    {
      transferSyntax: '1.2.840.10008.1.2.1',
      characterSet: 'ISO_IR 6',
      sopClassUid: '1.2.826.0.1.99',
      sopInstanceUid: '1.2.3.9',
    },
  );
  const scp = await scripted(t, { contextResult: (sopClass) => (sopClass === '1.2.826.0.1.99' ? 3 : 0) });
  const result = await send(await withEleventh(t, all, odd), ...to(scp), '--json');
  assert.deepEqual([json(result).sent, codes(json(result))], [12, ['011.dcm NOT_NEGOTIATED']]);
});

test('hindrance: an odd data set arrives even, as dcmsend sends it (PS3.5 7.1.1)', async (t) => {
  const [uid = '', bytes = new Uint8Array()] = [...images(1)][0] ?? [];
  // pixel data of an odd length, as some programs write them for 3 × 3 pixels
  const pixels = Buffer.from(bytes).indexOf(Buffer.from('e07f1000', 'hex'), 1000);
  const odd = Buffer.from(bytes.subarray(0, bytes.length - 1));
  const length = odd.readUInt32LE(pixels + 8) - 1;
  odd.writeUInt32LE(length, pixels + 8);
  const even = Buffer.concat([odd, Buffer.alloc(1)]);
  even.writeUInt32LE(length + 1, pixels + 8);
  const root = await folder(t);
  await writeFile(join(root, 'odd.dcm'), odd);
  for (const tag of [['--tag', 'none'], []]) {
    const scp = await storescp(t);
    const result = await send(root, ...to(scp), '--json', ...tag);
    assert.equal(result.code, 0, result.stdout);
    await assertReceived(scp, new Map([[uid, even]]), tag.length === 0);
  }
});

test('hindrance: deflated files with zeros behind them arrive, and the tag is put into them', async (t) => {
  const [[uid, bytes] = ['', new Uint8Array()]] = [...images(1)];
  const root = await folder(t);
  const plain = join(root, 'plain.dcm');
  await writeFile(plain, bytes);
  const scp = await startStorescp({ folder: await folder(t), extra: ['+xd'] });
  t.after(() => scp.stop());
  for (const zeros of [1, 2, 513]) {
    const path = join(root, `deflated-${zeros}.dcm`);
    assert.equal((await dcmtk('dcmconv', ['+td', plain, path])).code, 0);
    await appendFile(path, Buffer.alloc(zeros));
    const tagged = await run(SCANFLOW, ['tag', path, `${path}.tagged`]);
    assert.equal(tagged.code, 0, tagged.stderr);
    const { stdout } = await dcmtk('dcmdump', [`${path}.tagged`]);
    assert.match(stdout, /DICOM send/);
    for (const file of [path, `${path}.tagged`]) {
      const result = await send(file, ...to(scp), '--json', '--tag', 'none');
      assert.equal(result.code, 0, result.stdout);
    }
    const [came = '', ...more] = await scp.files();
    assert.deepEqual(more, []);
    assert.match(
      (await dcmtk('dcmdump', ['+P', '0008,0018', came])).stdout,
      new RegExp(uid.replaceAll('.', '\\.')),
    );
  }
});
