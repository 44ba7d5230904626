/** Text written with code extensions (PS3.5 6.1.2.5), as DCMTK and pydicom read it. */
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  dataSet,
  decodeDataSet,
  encodePart10,
  readPart10Header,
  text,
  transferSyntaxes,
} from '@scanflow/dicom';
import { run } from '@scanflow/testkit';

const folder = await mkdtemp(join(tmpdir(), 'scanflow-iso2022-'));
after(() => rm(folder, { recursive: true, force: true }));

/** A first component group has no escape sequences: there, only what the first set holds. */
const NAMES: readonly (readonly [characterSet: string, name: string])[] = [
  ['\\ISO 2022 IR 100', 'Muller^Jorg=Müller^Jörg'],
  ['ISO 2022 IR 6\\ISO 2022 IR 100', 'Muller^Jorg=Müller^Jörg'],
  ['ISO 2022 IR 6\\ISO 2022 IR 100\\ISO 2022 IR 101', 'Muller=Müller-Łukasz^Jörg'],
  ['ISO 2022 IR 100\\ISO 2022 IR 144', 'Müller^Jörg=Müller^Иван=Йожеф'],
  ['ISO 2022 IR 100\\ISO 2022 IR 126\\ISO 2022 IR 144', 'é=Ωmega-é-Жукова^Ηλίας-ü'],
];

for (const [index, [characterSet, name]] of NAMES.entries())
  test(`code extensions: '${characterSet}' is read as written by us, by pydicom and by dcmdump`, async () => {
    const file = join(folder, `${index}.dcm`);
    const bytes = encodePart10(dataSet({ PatientName: name, PatientID: 'x' }), {
      transferSyntax: transferSyntaxes.explicitVRLittleEndian,
      characterSet,
      sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
      sopInstanceUid: '2.25.1',
    });
    await writeFile(file, bytes);
    const header = readPart10Header(bytes);
    assert.ok(!('needMore' in header));
    const read = decodeDataSet(bytes.subarray(header.dataSetOffset), transferSyntaxes.explicitVRLittleEndian);
    assert.equal(text(read, 'PatientName'), name);
    const script = 'import pydicom, sys; print(pydicom.dcmread(sys.argv[1]).PatientName)';
    const pydicom = await run('/usr/bin/python3', ['-c', script, file], {
      env: { PYTHONIOENCODING: 'utf-8' },
    });
    assert.equal(pydicom.stdout.trim(), name, pydicom.stderr);
    const dump = await run('dcmdump', ['+U8', '+P', 'PatientName', file]);
    assert.ok(dump.stdout.includes(`[${name}]`), dump.stdout + dump.stderr);
    assert.equal(dump.stderr, '');
  });

test('code extensions: what none of the sets has, and a first component group outside the first set, is transliterated', () => {
  const bytes = encodePart10(dataSet({ PatientName: 'Müller^Ωmega=Müller^Ωmega' }), {
    transferSyntax: transferSyntaxes.explicitVRLittleEndian,
    characterSet: 'ISO 2022 IR 6\\ISO 2022 IR 100',
    sopClassUid: '1.2.840.10008.5.1.4.1.1.7',
    sopInstanceUid: '2.25.1',
  });
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  const read = decodeDataSet(bytes.subarray(header.dataSetOffset), transferSyntaxes.explicitVRLittleEndian);
  assert.equal(text(read, 'PatientName'), 'Muller^Omega=Müller^Omega');
});
