/** Character sets of scanners, of queries and of files, judged with findscu: each console reads what it can show. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { dataSet, text, texts, type DataSet } from '@scanflow/dicom';
import { dcmtk } from '@scanflow/testkit';
import * as worklist from './worklist-support.ts';

const { accessions, encoded, find, item, scratch, startService, worklistFolder } = worklist;
const NAMES: Readonly<Record<string, string>> = {
  'ISO_IR 126': 'Διονυσιος^ά',
  'ISO_IR 148': 'Çavuşoğlu^İ',
  'ISO_IR 127': 'قباني^لنزار',
  'ISO_IR 138': 'שרון^דבורה',
  'ISO_IR 13': 'ﾔﾏﾀﾞ^ﾀﾛｳ',
  'ISO_IR 166': 'นามสกุล^ชื่อ',
  GB18030: 'Wang^XiaoDong=王^小东',
  GBK: 'Wang^XiaoDong=王^小东',
  'ISO 2022 IR 87': 'Yamada^Tarou=山田^太郎=やまだ^たろう',
  'ISO 2022 IR 13\\ISO 2022 IR 87': 'ﾔﾏﾀﾞ^ﾀﾛｳ=山田^太郎',
  'ISO 2022 IR 149': 'Hong^Gildong=洪^吉洞=홍^길동',
};

/** Each with an item that only its character set holds. */
const suite = worklist.wholeFile();
for (const [characterSet, name] of Object.entries(NAMES))
  test(`findscu: a scanner with characterSet: ${characterSet} is answered in it`, async (t) => {
    const data = await scratch(t);
    await writeFile(join(await worklistFolder(data), 'A1.wl'), encoded(item('A1', { patientName: name })));
    const prisma = `prisma: { aet: PRISMA, modality: MR, characterSet: '${characterSet}' }`;
    const service = await startService(t, { data, prisma });
    const found = await find(t, service.port, ['AccessionNumber', 'PatientName'], { callingAet: 'PRISMA' });
    const [answer] = found.answers;
    assert.ok(answer, found.output);
    assert.equal(text(answer, 'PatientName'), name);
    const declared = texts(answer, 'SpecificCharacterSet').join('\\');
    assert.ok(declared.endsWith(characterSet), declared);
    const dump = await dcmtk('dcmdump', ['+U8', '+P', 'PatientName', ...found.files]);
    // what DCMTK's iconv does not know, it says; what it knows must be the name
    if (dump.code === 0 && dump.stderr === '') assert.ok(dump.stdout.includes(name), dump.stdout);
  });

const data = await scratch(suite);
const folder = await worklistFolder(data);
const zone = dataSet({ TimezoneOffsetFromUTC: '+0100' });
const german = { patientName: 'Müller^Jörg' };
await writeFile(join(folder, 'A1.wl'), encoded(new Map([...item('A1', german), ...zone])));
await writeFile(join(folder, 'B1.wl'), encoded(item('B1')));
/** Latin-1 that says nothing of it: as PS3.3 C.12.1.1.2 does not allow, and older programs write it. */
const undeclared = Buffer.from(encoded(item('C1', { patientName: 'Größe^Ida' }), 'ISO_IR 100'));
undeclared.write('          ', undeclared.indexOf('ISO_IR 100'), 'latin1');
await writeFile(join(folder, 'C1.wl'), undeclared);
const service = await startService(suite, { data });

/** A query of this (0008,0005) and a name in Latin-1, from a file; SKYRA has no `characterSet`. */
async function ask(t: TestContext, declared: string, name: string, callingAet: string) {
  const query = dataSet({ AccessionNumber: null, PatientName: name, PatientID: null });
  const bytes = Buffer.from(encoded(query, 'ISO_IR 100'));
  bytes.write(declared.padEnd(10, ' '), bytes.indexOf('ISO_IR 100'), 'latin1');
  const file = join(await scratch(t), 'query.dcm');
  await writeFile(file, bytes);
  // findscu takes the file behind the address: given as a key, it would be read as text
  return find(t, service.port, [], { callingAet, extra: [], files: [file] });
}

for (const declared of ['ISO_IR 100', 'iso_ir 100', 'ISO-IR 100', 'ISO IR100', 'ISO_IR_100', 'latin1', ''])
  for (const callingAet of ['PRISMA', 'SKYRA'])
    test(`findscu: an umlaut under '${declared}' is read for ${callingAet}`, async (t) => {
      const found = await ask(t, declared, 'M\u00fcller*', callingAet);
      assert.deepEqual(accessions(found), ['A1'], found.output);
    });

const setOf = ({ answers: [answer] }: { readonly answers: readonly DataSet[] }) =>
  texts(answer ?? new Map(), 'SpecificCharacterSet').join('\\');

test('findscu: a scanner without characterSet gets that of its query, else UTF-8', async (t) => {
  const keys = ['AccessionNumber=A1', 'PatientName'];
  const asks = (...more: string[]) => find(t, service.port, [...more, ...keys], { callingAet: 'SKYRA' });
  assert.equal(setOf(await asks('SpecificCharacterSet=ISO_IR 100')), 'ISO_IR 100');
  assert.equal(setOf(await asks('SpecificCharacterSet=iso_ir 101')), 'ISO_IR 101');
  assert.equal(setOf(await asks()), 'ISO_IR 192');
  const prisma = await find(t, service.port, ['SpecificCharacterSet=ISO_IR 192', ...keys], {
    callingAet: 'PRISMA',
  });
  assert.equal(setOf(prisma), 'ISO_IR 100', 'the configuration of the scanner wins');
});

test('findscu: a file with Latin-1 and no character set is served, and reported', async (t) => {
  const found = await find(t, service.port, ['AccessionNumber=C1', 'PatientName'], { callingAet: 'SKYRA' });
  assert.equal(text(found.answers[0] ?? new Map(), 'PatientName'), 'Größe^Ida');
  const { problems } = (await service.get('/api/worklist')) as { problems: { file: string; code: string }[] };
  assert.deepEqual(
    problems.map(({ file, code }) => `${file} ${code}`),
    ['C1.wl TEXT_ASSUMED'],
  );
});

test('findscu: Timezone Offset From UTC is returned where it is asked for and stated', async (t) => {
  const offsetOf = async (accession: string, key: string): Promise<string | undefined> => {
    const found = await find(t, service.port, [`AccessionNumber=${accession}`, key, 'PatientID']);
    assert.deepEqual(accessions(found), [accession], 'it is no matching key');
    const [answer] = found.answers;
    return answer?.has(0x00080201) === true ? (text(answer, 'TimezoneOffsetFromUTC') ?? '') : undefined;
  };
  assert.equal(await offsetOf('A1', 'TimezoneOffsetFromUTC'), '+0100');
  assert.equal(await offsetOf('A1', 'TimezoneOffsetFromUTC=+0900'), '+0100');
  assert.equal(await offsetOf('B1', 'TimezoneOffsetFromUTC'), undefined);
  assert.equal(await offsetOf('A1', 'PatientName'), undefined);
});
