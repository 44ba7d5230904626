/** Phantom series, judged by dciodvfy (dicom3tools), dcmdump and dcm2niix. */
import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dataSet, makeSeries, transferSyntaxes, type PhantomOptions } from '@scanflow/dicom';
import { dcmtk, GRADIENTS, mrSession, run, SESSION_SERIES, writeMrSession } from '@scanflow/testkit';

const when = Temporal.ZonedDateTime.from('2026-11-22T09:00:00+01:00[Europe/Amsterdam]');
const worklistItem = dataSet({
  AccessionNumber: 'QYV0NHFE5G7CSX1X',
  PatientName: '3015000.01_sub-001',
  PatientID: '3015000.01_sub-001',
  StudyInstanceUID: '2.25.123',
  RequestedProcedureDescription: 'Onderzoek é',
  RequestedProcedureID: 'ses-mri01',
  ScheduledProcedureStepSequence: [{ ScheduledStationAETitle: 'PRISMA', ScheduledProcedureStepID: 'SPS1' }],
});
let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scanflow-phantom-'));
});
after(() => rm(folder, { recursive: true, force: true }));

async function write(name: string, options: Omit<PhantomOptions, 'when'>): Promise<string[]> {
  const paths: string[] = [];
  for (const { bytes } of makeSeries({ when, seed: 1, ...options })) {
    const path = join(folder, `${name}_${paths.length}.dcm`);
    await writeFile(path, bytes);
    paths.push(path);
  }
  return paths;
}

const SYNTAXES = {
  explicit: transferSyntaxes.explicitVRLittleEndian,
  implicit: transferSyntaxes.implicitVRLittleEndian,
};
const IODS = { MR: 'MRImage', CT: 'CTImage', SC: 'SCImage' };
const cases = (['MR', 'CT', 'SC'] as const).flatMap((modality) =>
  (['explicit', 'implicit'] as const).map((syntax) => ({ modality, syntax })),
);

for (const { modality, syntax } of cases) {
  test(`phantom: dciodvfy has no errors for ${modality}, ${syntax} VR, with and without a worklist item`, async (t) => {
    const transferSyntax = SYNTAXES[syntax];
    const paths = [
      ...(await write(`${modality}_${syntax}`, { modality, images: 2, transferSyntax })),
      ...(await write(`${modality}_${syntax}_item`, { modality, images: 1, transferSyntax, worklistItem })),
      ...(await write(`${modality}_${syntax}_odd`, {
        modality,
        images: 1,
        transferSyntax,
        rows: 15,
        columns: 9,
      })),
    ];
    const warnings = new Set<string>();
    for (const path of paths) {
      const { stdout, stderr } = await run('dciodvfy', [path]);
      const lines = `${stdout}\n${stderr}`.split('\n');
      assert.ok(lines.includes(IODS[modality]), `dciodvfy knows it: ${lines.join('\n')}`);
      assert.deepEqual(
        lines.filter((line) => /error/i.test(line)),
        [],
      );
      for (const line of lines.filter((one) => one.startsWith('Warning'))) warnings.add(line);
    }
    for (const line of warnings) t.diagnostic(line);
    const { code, stdout, stderr } = await dcmtk('dcmdump', ['+P', '0008,0060', '+P', '0010,0020', ...paths]);
    assert.equal(code, 0, stderr);
    assert.equal(stderr, '');
    assert.equal(
      stdout.match(modality === 'SC' ? /\[OT\]/g : new RegExp(`\\[${modality}\\]`, 'g'))?.length,
      4,
    );
    assert.equal(stdout.match(/\[3015000\.01_sub-001\]/g)?.length, 1);
  });
}

test('phantom: names of other scripts in the character set asked for', async () => {
  const options = { modality: 'MR', images: 1, patientName: 'Ζήτα^Άλφα' } as const;
  for (const characterSet of ['ISO_IR 126', 'ISO_IR 192']) {
    const [path = ''] = await write(characterSet.slice(-3), { ...options, characterSet });
    const { stdout } = await dcmtk('dcmdump', ['+U8', '+P', '0010,0010', path]);
    assert.match(stdout, /\[Ζήτα\^Άλφα\]/);
    const { stdout: out, stderr } = await run('dciodvfy', [path]);
    assert.doesNotMatch(out + stderr, /Error/);
  }
});

/** What dcm2niix makes of each series of a session: columns × rows × slices × volumes. */
const CONVERTED: Readonly<Record<string, readonly string[]>> = {
  localiser: ['32x32x3x1', '32x32x3x1', '32x32x3x1'],
  t1w: ['48x48x16x1'],
  'field map magnitude': ['32x32x9x1', '32x32x9x1'],
  'field map phase': ['32x32x9x1'],
  'epi AP': ['32x32x9x2'],
  'epi PA': ['32x32x9x2'],
  sbref: ['32x32x9x1'],
  'bold aborted': ['32x32x9x3'],
  bold: ['32x32x9x6'],
  'multi-echo': ['32x32x9x4', '32x32x9x4', '32x32x9x4'],
  dwi: ['32x32x9x8'],
  physiology: [],
  spectroscopy: [],
  'bold cut': [],
  'bold slices': ['32x32x9x4'],
  'dwi slices': ['32x32x9x8'],
  unconvertible: [],
  enhanced: ['32x32x6x1'],
};

test('phantom: an MR session is valid for dciodvfy, and dcm2niix makes of it what was planned', async () => {
  const odd = ['bold cut', 'bold slices', 'dwi slices', 'unconvertible', 'enhanced'] as const;
  const session = mrSession({ series: [...SESSION_SERIES, ...odd] });
  const written = await writeMrSession(join(folder, 'session'), session, { when, worklistItem });
  for (const { folder: from, files, series } of written) {
    const judged = await run('dciodvfy', [files.at(-1) ?? '']);
    const errors = `${judged.stdout}\n${judged.stderr}`.split('\n').filter((line) => /error/i.test(line));
    const expected = series.what === 'unconvertible' ? [/<PixelData>/] : [];
    assert.equal(errors.length, expected.length, `${series.what}: ${errors.join('\n')}`);
    const into = join(folder, 'converted', String(series.seriesNumber));
    await mkdir(into, { recursive: true });
    const { stdout } = await run('dcm2niix', ['-f', 'image_%e', '-o', into, from]);
    const sizes = [...stdout.matchAll(/^Convert \d+ DICOM as .*\((\d+x\d+x\d+x\d+)\)$/gm)];
    assert.deepEqual(
      sizes.map(([, size]) => size),
      CONVERTED[series.what],
      `${series.what}: ${stdout}`,
    );
  }
});

test('phantom: b-values and directions of the diffusion are what dcm2niix reads, in mosaics and slices', async () => {
  const written = await writeMrSession(
    join(folder, 'diffusion'),
    mrSession({ series: ['dwi', 'dwi slices'], first: 30 }),
    { when },
  );
  for (const { folder: from } of written) {
    await run('dcm2niix', ['-f', 'dwi', '-o', from, from]);
    const numbers = async (name: string): Promise<number[][]> =>
      (await readFile(join(from, name), 'utf8'))
        .trim()
        .split('\n')
        .map((line) => line.trim().split(/\s+/).map(Number));
    assert.deepEqual(await numbers('dwi.bval'), [GRADIENTS.map(({ b }) => b)]);
    // columns run towards the patient's left, and rows, which NIfTI has from the back, towards the front
    const axis = (at: 0 | 1 | 2, sign: 1 | -1): number[] =>
      GRADIENTS.map(({ direction = [0, 0, 0] }) => direction[at] * sign + 0);
    assert.deepEqual(await numbers('dwi.bvec'), [axis(0, 1), axis(1, -1), axis(2, 1)]);
  }
});
