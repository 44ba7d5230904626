/** Facts of stored phantoms: dcm2niix runs, over sidecars alone. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, encodePart10, makeSeries, transferSyntaxes } from '@scanflow/dicom';
import { mrSession, writeMrSession, type MrWhat } from '@scanflow/testkit';
import type { SeriesFacts } from '@scanflow/bids';
import { readFacts, type SeriesRead } from './facts.ts';

const WHEN = Temporal.ZonedDateTime.from('2026-11-30T10:00:00[Europe/Amsterdam]');

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'scanflow-facts-'));
  t.after(() => rm(path, { recursive: true }));
  return path;
}

let number = 0;
const facts = (root: string, name: string, signal: AbortSignal): Promise<SeriesRead> =>
  readFacts(
    { id: name, folder: name },
    {
      storageRoot: root,
      aside: join(root, `.aside-${(number += 1)}`),
      dcm2niix: { command: ['dcm2niix'], timeoutMs: 30_000 },
    },
    signal,
  );

test('facts of a session: volumes, whether they are whole and as planned, b-values, geometry, times, outputs', async (t) => {
  const root = await folder(t);
  const all = [
    'localiser',
    't1w',
    'field map magnitude',
    'field map phase',
    'bold aborted',
    'multi-echo',
  ] as const;
  const more = ['dwi', 'dwi slices', 'bold cut', 'enhanced', 'spectroscopy'] as const;
  const written = await writeMrSession(root, mrSession({ series: [...all, ...more] as MrWhat[] }), {
    when: WHEN,
    patientId: 'p',
  });
  const found = new Map<string, SeriesRead>();
  for (const { folder: path, series } of written)
    found.set(series.what, await facts(root, path.slice(root.length + 1), t.signal));
  const shown = [...found].map(([what, { facts: one, voxels }]) => [
    ...[what, one.images, one.volumes, one.whole, one.plannedVolumes, (voxels ?? 0) / 1024],
    one.outputs.map(({ name }) => name).join(' '),
  ]);
  assert.deepEqual(shown, [
    ['localiser', 9, 1, true, undefined, 9, 'out_i00001 out_i00004 out_i00007'],
    ['t1w', 16, 1, true, undefined, (16 * 48 * 48) / 1024, 'out'],
    ['field map magnitude', 18, 1, true, undefined, 18, 'out_e1 out_e2'],
    ['field map phase', 9, 1, true, undefined, 9, 'out_e2_ph'],
    ['bold aborted', 3, 3, true, 6, 27, 'out'],
    ['multi-echo', 12, 4, true, 4, 108, 'out_e1 out_e2 out_e3'],
    ['dwi', 8, 8, true, 8, 72, 'out'],
    ['dwi slices', 72, 8, true, 8, 72, 'out'],
    ['bold cut', 33, 4, false, 6, 33, ''],
    ['enhanced', 1, 1, true, undefined, 6, 'out'],
    ['spectroscopy', 1, 1, true, undefined, 1 / 1024, ''],
  ]);
  const of = (what: string): SeriesFacts => found.get(what)?.facts as SeriesFacts;
  for (const what of ['dwi', 'dwi slices']) assert.deepEqual(of(what).bValues, [0, 1000, 2000]);
  const { geometry } = of('dwi');
  assert.deepEqual([geometry?.rows, geometry?.columns, geometry?.slices], [32, 32, 9]);
  assert.deepEqual(of('bold cut').geometry?.slices, 9);
  assert.equal(of('field map phase').outputs[0]?.part, 'phase');
  assert.deepEqual(
    of('multi-echo').outputs.map(({ echo, echoTime }) => [echo, echoTime]),
    [
      [1, 0.012],
      [2, 0.028],
      [3, 0.044],
    ],
  );
  assert.equal(of('multi-echo').outputs[0]?.shim?.length, 8);
  assert.match(of('t1w').acquired.from, /^2026-11-30T10:01:00\.\d{6}$/);
  assert.ok(of('t1w').acquired.to >= of('t1w').acquired.from);
  assert.match(of('bold cut').unconvertible ?? '', /not divisible/);
});

test('implicit and explicit VR; what lies beside the images is none of them', async (t) => {
  const root = await folder(t);
  const syntaxes = [transferSyntaxes.implicitVRLittleEndian, transferSyntaxes.explicitVRLittleEndian];
  for (const [index, transferSyntax] of syntaxes.entries()) {
    const path = join(root, String(index));
    await mkdir(path);
    let count = 0;
    for (const { bytes } of makeSeries({ modality: 'MR', images: 3, seed: 1, when: WHEN, transferSyntax }))
      await writeFile(join(path, `${(count += 1)}.dcm`), bytes);
    await writeFile(join(path, 'series.json'), '{}');
    await writeFile(join(path, 'series.tar'), await readFile(join(path, '1.dcm')));
    await writeFile(join(path, 'notes.txt'), 'nothing of DICOM');
    const { facts: one, files } = await facts(root, String(index), t.signal);
    assert.deepEqual([one.images, one.volumes, one.geometry?.slices, one.outputs.length], [3, 1, 3, 1]);
    assert.deepEqual(files, ['1.dcm', '2.dcm', '3.dcm']);
  }
});

test('of an image that was corrected, the last version counts, by the record of the series', async (t) => {
  const root = await folder(t);
  const path = join(root, 'series');
  await mkdir(path);
  const [image] = makeSeries({ modality: 'MR', images: 1, seed: 1, when: WHEN });
  for (const name of ['a.dcm', 'b.dcm', 'c.dcm']) await writeFile(join(path, name), image?.bytes ?? '');
  const entry = (file: string, increment: number): object => ({ file, increment });
  const record = { instances: [entry('a.dcm', 1), entry('b.dcm', 3), entry('c.dcm', 2)] };
  await writeFile(join(path, 'series.json'), JSON.stringify(record));
  const { files, sopInstanceUids, facts: one } = await facts(root, 'series', t.signal);
  assert.deepEqual([files, sopInstanceUids.length, one.images], [['b.dcm'], 1, 1]);
});

test('b-values of every vendor, by the private elements that each writes', async (t) => {
  const root = await folder(t);
  const vendors = {
    'GE MEDICAL SYSTEMS': [0x00431039, 'IS', ['1000001000', '8', '0']],
    'Philips Medical Systems': [0x20011003, 'FL', 1000],
    UIH: [0x00651009, 'FD', 1000],
    SIEMENS: [0x0019100c, 'IS', '1000'],
  } as const;
  const { makeElement } = await import('../../../../packages/dicom/src/values.ts');
  for (const [maker, [tag, vr, value]] of Object.entries(vendors)) {
    const path = join(root, maker);
    await mkdir(path);
    const [sopClassUid, sopInstanceUid] = ['1.2.840.10008.5.1.4.1.1.4', '1.2.3'];
    const body = new Map([
      ...dataSet({
        SOPClassUID: sopClassUid,
        SOPInstanceUID: sopInstanceUid,
        Modality: 'MR',
        Manufacturer: maker,
      }),
      [tag, makeElement(vr, value)],
    ]);
    const bytes = encodePart10(body, { transferSyntax: '1.2.840.10008.1.2.1', sopClassUid, sopInstanceUid });
    await writeFile(join(path, '1.dcm'), bytes);
    assert.deepEqual((await facts(root, maker, t.signal)).facts.bValues, [1000], maker);
  }
  assert.ok((await readdir(root)).length > 4);
});

test('grids of UIH: their number of slices, the size of a tile, and the place of the first slice', async (t) => {
  const root = await folder(t);
  const { makeElement } = await import('../../../../packages/dicom/src/values.ts');
  const [sopClassUid, transferSyntax] = ['1.2.840.10008.5.1.4.1.1.4', '1.2.840.10008.1.2.1'];
  const grid = async (
    name: string,
    maker: string,
    [rows, columns, tiles]: readonly number[],
  ): Promise<SeriesRead> => {
    await mkdir(join(root, name));
    for (const volume of [1, 2]) {
      const sopInstanceUid = `1.2.3.${volume}`;
      const body = new Map([
        ...dataSet({
          ...{
            SOPClassUID: sopClassUid,
            SOPInstanceUID: sopInstanceUid,
            Modality: 'MR',
            Manufacturer: maker,
          },
          ...{ ImageType: ['ORIGINAL', 'PRIMARY', 'M', 'VFRAME'], Rows: rows, Columns: columns },
          ...{
            PixelSpacing: [3.5, 3.5],
            SpacingBetweenSlices: 4.2,
            ImageOrientationPatient: [1, 0, 0, 0, 1, 0],
          },
        }),
        [0x00650010, makeElement('LO', 'Image Private Header')],
        [0x00651050, makeElement('DS', tiles ?? null)],
        [0x00651051, makeElement('SQ', [{ ImagePositionPatient: [-114, -112, -6] }, {}])],
      ]);
      const bytes = encodePart10(body, { transferSyntax, sopClassUid, sopInstanceUid });
      await writeFile(join(root, name, `${volume}.dcm`), bytes);
    }
    return facts(root, name, t.signal);
  };
  const shown = ({ voxels, facts: { volumes, geometry } }: SeriesRead): unknown[] => [
    ...[volumes, voxels, geometry?.rows, geometry?.columns, geometry?.slices, geometry?.position],
  ];
  const place = [-114, -112, -6];
  assert.deepEqual(shown(await grid('20', 'UIH', [256, 320, 20])), [2, 2 * 81_920, 64, 64, 20, place]);
  assert.deepEqual(shown(await grid('25', 'UIH', [320, 320, 25])), [2, 2 * 102_400, 64, 64, 25, place]);
  assert.deepEqual(shown(await grid('7', 'UIH', [96, 96, 7])), [2, 2 * 32 * 32 * 7, 32, 32, 7, place]);
  assert.deepEqual(shown(await grid('other', 'Acme', [256, 320, 20])), [2, 2 * 81_920, 256, 320, 1, []]);
});

test('a file without pixels before the images, such as a presentation state of Philips, makes no other series of them', async (t) => {
  const root = await folder(t);
  const series = mrSession({ series: ['t1w', 'physiology'] });
  const [images, other] = await writeMrSession(root, series, { when: WHEN, patientId: 'p' });
  assert.ok(images !== undefined && other !== undefined);
  const name = images.folder.slice(root.length + 1);
  const alone = await facts(root, name, t.signal);
  const [file = ''] = other.files;
  await writeFile(join(images.folder, '00000_1.2.dcm'), await readFile(file));
  const both = await facts(root, name, t.signal);
  assert.deepEqual({ ...both.facts, images: 16 }, alone.facts);
  assert.equal(both.sopInstanceUids.length, 17);
});
