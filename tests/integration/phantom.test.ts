/** Phantom series, judged by dciodvfy (dicom3tools) and dcmdump. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { dataSet, makeSeries, transferSyntaxes, type PhantomOptions } from '@scanflow/dicom';
import { dcmtk, run } from '@scanflow/testkit';

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
