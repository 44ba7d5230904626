/** The data set codec against DCMTK and pydicom, and against the files that pydicom ships. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import {
  decodeDataSet,
  DicomDecodeError,
  encodePart10,
  items,
  readPart10Header,
  sopClasses,
  text,
  transferSyntaxes,
  worklistItem,
  type DataSet,
  type DecodeOptions,
} from '@scanflow/dicom';
import { dcmtk, run } from '@scanflow/testkit';

const PYDICOM = '/usr/lib/python3/dist-packages/pydicom/data';
const PYTHON = '/usr/bin/python3';
const { implicitVRLittleEndian, explicitVRLittleEndian, explicitVRBigEndian } = transferSyntaxes;

let folder = '';
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'scanflow-codec-'));
});
after(async () => {
  await rm(folder, { recursive: true, force: true });
});

const item = (patientName: string): DataSet =>
  worklistItem({
    accessionNumber: '0123456789ABCDEF',
    studyInstanceUid: '2.25.232903626792356601117187032160059121040',
    patientId: '3010000.01_sub-001',
    patientName,
    requestedProcedureId: 'ses-mri01',
    description: 'Resting state',
    requestingPhysician: patientName,
    scheduledProcedureStepId: '0123456789ABCDEF',
    stationAet: 'PRISMA',
    stationName: 'PRISMA',
    location: 'MR1',
    modality: 'MR',
    start: Temporal.ZonedDateTime.from('2026-07-06T09:30:00[Europe/Amsterdam]'),
  });

function decodeFile(bytes: Uint8Array, options?: DecodeOptions): DataSet {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return decodeDataSet(bytes.subarray(header.dataSetOffset), header.transferSyntax, options);
}

const SYNTAXES = {
  '+ti': implicitVRLittleEndian,
  '+te': explicitVRLittleEndian,
  '+tb': explicitVRBigEndian,
};
const NAMES: Readonly<Record<string, string>> = {
  'ISO_IR 100': 'Müller^Jürgen',
  'ISO_IR 192': 'Müller^Jürgen=山田^太郎',
  'ISO_IR 144': 'Люкceмбypг^Анна',
};
for (const [characterSet, name] of Object.entries(NAMES)) {
  test(`codec and DCMTK: a worklist item in ${characterSet}, converted to every syntax`, async () => {
    const written = item(name);
    const file = join(folder, `${characterSet}.dcm`);
    const part10 = { characterSet, sopClassUid: sopClasses.modalityWorklistFind, sopInstanceUid: '2.25.1' };
    const bytes = encodePart10(written, { ...part10, transferSyntax: explicitVRLittleEndian });
    await writeFile(file, bytes);
    assert.deepEqual(withoutCharacterSet(decodeFile(bytes)), written);

    const dump = await dcmtk('dcmdump', ['+U8', '+P', '0010,0010', '+P', '0032,1032', file]);
    assert.equal(dump.stderr, '');
    assert.equal(dump.stdout.split(`[${name}]`).length, 3, 'name and physician, as DCMTK reads them');

    for (const [option, syntax] of Object.entries(SYNTAXES)) {
      for (const lengths of ['+e', '-e']) {
        const converted = join(folder, `${characterSet}${option}${lengths}.dcm`);
        const { stderr } = await dcmtk('dcmconv', [option, lengths, file, converted]);
        assert.equal(stderr, '');
        const back = await readFile(converted);
        assert.deepEqual(withoutCharacterSet(decodeFile(back)), written, `${option} ${lengths}`);
        if (lengths === '-e') continue;
        const ours = encodePart10(written, { ...part10, transferSyntax: syntax });
        assert.deepEqual(dataSetBytes(back), dataSetBytes(ours), `byte for byte, ${option}`);
      }
    }
  });
}

function dataSetBytes(bytes: Uint8Array): Buffer {
  const header = readPart10Header(bytes);
  assert.ok(!('needMore' in header));
  return Buffer.from(bytes.subarray(header.dataSetOffset));
}

function withoutCharacterSet(dataSet: DataSet): DataSet {
  return new Map([...dataSet].filter(([tag]) => tag !== 0x00080005));
}

test('codec and pydicom: the names in its character set files', async () => {
  const script = [
    'import glob, json, os, warnings, pydicom',
    'warnings.simplefilter("ignore")',
    'names = {}',
    `for path in glob.glob("${PYDICOM}/charset_files/*.dcm"):`,
    '    data = pydicom.dcmread(path)',
    '    data.decode()',
    '    names[os.path.basename(path)] = str(data.get("PatientName") or "")',
    'print(json.dumps(names))',
  ].join('\n');
  const { stdout } = await run(PYTHON, ['-c', script]);
  const names = JSON.parse(stdout) as Record<string, string>;
  assert.ok(Object.keys(names).length >= 17);
  for (const [file, name] of Object.entries(names)) {
    const bytes = await readFile(join(PYDICOM, 'charset_files', file));
    // pydicom leaves out component groups that are empty at the end.
    assert.equal((text(decodeFile(bytes), 'PatientName') ?? '').replace(/=+$/, ''), name, file);
  }
});

test('codec: text within items has the character set of its place', async () => {
  const bytes = await readFile(join(PYDICOM, 'charset_files', 'chrSQEncoding1.dcm'));
  const [outer] = items(decodeFile(bytes), 'RequestedProcedureCodeSequence');
  assert.ok(outer);
  assert.equal(text(outer, 'PatientName'), 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎=やまだ^たろう');
});

/** Bare data sets among pydicom's files, without preamble and file meta information. */
const BARE: Readonly<Record<string, string>> = {
  'ExplVR_BigEndNoMeta.dcm': explicitVRBigEndian,
  'ExplVR_LitEndNoMeta.dcm': explicitVRLittleEndian,
  'no_meta.dcm': explicitVRLittleEndian,
  'rtstruct.dcm': implicitVRLittleEndian,
};
/** What of them is refused, and why; all others are decoded whole, or up to their pixels. */
const REFUSED: Readonly<Record<string, string>> = {
  'SC_rgb_jpeg.dcm': 'BAD_VR at 4', // implicit VR under an explicit transfer syntax
  'image_dfl.dcm': 'TRANSFER_SYNTAX at 0', // deflated
  'meta_missing_tsyntax.dcm': 'NOT_PART10 at 202',
  'no_meta.dcm': 'BAD_VR at 4', // a stray byte before the data set
  'rtplan_truncated.dcm': 'TRUNCATED at 1118',
};

test('codec: every file that pydicom ships is decoded, or refused for a known reason', async () => {
  const refused: Record<string, string> = {};
  let decoded = 0;
  for (const sub of ['test_files', 'charset_files', 'palettes']) {
    const entries = await readdir(join(PYDICOM, sub));
    for (const name of entries.filter((entry) => entry.endsWith('.dcm'))) {
      const bytes = await readFile(join(PYDICOM, sub, name));
      const options = { before: 0x7fe00000, maxElements: 1_000_000 };
      const bare = BARE[name];
      try {
        if (bare === undefined) decodeFile(bytes, options);
        else decodeDataSet(bytes, bare, options);
        decoded += 1;
      } catch (error) {
        if (!(error instanceof DicomDecodeError)) throw error;
        refused[name] = `${error.code} at ${error.offset}`;
      }
    }
  }
  assert.deepEqual(refused, REFUSED);
  assert.ok(decoded > 85, `${decoded} decoded`);
});
