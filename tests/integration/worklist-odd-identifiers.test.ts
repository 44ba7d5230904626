/**
 * Identifiers that are not as they should be, sent by hand to DCMTK's wlmscpfs and to Scanflow: the same answer where nothing is
 * ambiguous. Where they differ on purpose, docs/worklist-differences.md has the reason.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeDataSet, sopClasses, text, transferSyntaxes } from '@scanflow/dicom';
import { RawPeer } from '@scanflow/testkit/dimse/raw-peer';
import { REASONS } from './worklist-differences-cases.ts';
import * as worklist from './worklist-support.ts';

const EXPLICIT = transferSyntaxes.explicitVRLittleEndian;
const suite = worklist.wholeFile();
const data = await worklist.scratch(suite);
const folder = await worklist.worklistFolder(data);
const ct = { modality: 'CT', patientName: 'Doe^Jane' };
for (const [name, input] of [
  ['A1', {}],
  ['B1', ct],
] as const)
  await writeFile(join(folder, `${name}.wl`), worklist.encoded(worklist.item(name, input), 'ISO_IR 100'));
const service = await worklist.startService(suite, { data });
const theirPort = await worklist.startWlmscpfs(suite, data);

/** An element of a short VR. `length` lies about it. */
function element(tag: number, vr: string, value: string, length = value.length): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(tag >>> 16, 0);
  head.writeUInt16LE(tag & 0xffff, 2);
  head.write(vr, 4, 'latin1');
  head.writeUInt16LE(length, 6);
  return Buffer.concat([head, Buffer.from(value, 'latin1')]);
}
function step(...keys: Buffer[]): Buffer {
  const inner = Buffer.concat(keys);
  const head = Buffer.from([0x40, 0, 0, 1, 0x53, 0x51, 0, 0, inner.length + 8, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from([0xfe, 0xff, 0, 0xe0, inner.length, 0, 0, 0]), inner]);
}
const accession = (value = ''): Buffer => element(0x00080050, 'SH', value);
const name = (value = ''): Buffer => element(0x00100010, 'PN', value);
const modality = (value: string): Buffer => element(0x00080060, 'CS', value);
const day = (value: string): Buffer => element(0x00400002, 'DA', value);
const time = (value: string): Buffer => element(0x00400003, 'TM', value);
const set = (value: string): Buffer => element(0x00080005, 'CS', value);
const zeros = (count: number): Buffer => Buffer.alloc(count);

const BOTH = 'A1 B1 0000';
/** What is asked; what both answer, or what each does, with the reason. */
type Row = [
  what: string,
  parts: readonly Buffer[],
  ours: string,
  theirs?: string,
  reason?: keyof typeof REASONS,
];
const rows: readonly Row[] = [
  ['a lone - as start date', [accession(), step(day('- '))], BOTH],
  ['a lone - as start time', [accession(), step(time('- '))], BOTH],
  ['a lone - as both', [accession(), step(day('- '), time('- '))], BOTH],
  ['two -', [accession(), step(day('--'))], 'A900'],
  ['a lone - as birth date', [accession(), element(0x00100030, 'DA', '- ')], BOTH, '0000', 'openRange'],
  ['a lone - as accession number', [accession('- '), name()], '0000'],
  ['a key twice, both empty', [accession(), accession(), name()], BOTH],
  ['a key twice with one value', [accession('A1'), accession('A1'), name()], 'A1 0000'],
  ['a key of the step twice', [accession(), step(modality('CT'), modality('CT'))], 'B1 0000'],
  ['the step twice', [accession(), step(modality('CT')), step(modality('CT'))], 'B1 0000'],
  ['the character set twice', [set('ISO_IR 100'), set('ISO_IR 100'), accession(), name('Doe*')], 'B1 0000'],
  ['a key twice with two values', [accession('A1'), accession('B1'), name()], 'A900', 'A1 0000', 'twoValues'],
  ['a key twice, then empty', [accession('A1'), accession(), name()], 'A900', 'A1 0000', 'twoValues'],
  ['a key twice, first empty', [accession(), accession('A1'), name()], 'A900', BOTH, 'twoValues'],
  ['two steps', [accession(), step(modality('MR')), step(modality('CT'))], 'A900', 'A1 0000', 'twoValues'],
  [
    'two character sets',
    [set('ISO_IR 100'), set('ISO_IR 192'), accession(), name('Doe*')],
    'A900',
    'B1 0000',
    'twoValues',
  ],
  ['keys out of order', [name(), accession('A1')], 'A1 0000'],
  ['keys of the step out of order', [accession(), step(day(''), modality('CT'))], 'B1 0000'],
  ['the character set behind ASCII', [accession(), name('Doe*'), set('ISO_IR 100')], 'B1 0000'],
  [
    'the character set behind an umlaut',
    [accession(), name('M\u00fc* '), set('ISO_IR 192')],
    'A900',
    '0000',
    'lateSet',
  ],
  ['two zeros at the end', [accession(), name(), zeros(2)], BOTH],
  ['four zeros at the end', [accession(), name(), zeros(4)], BOTH],
  ['four zeros behind a value', [accession('A1'), name(), zeros(4)], 'A1 0000'],
  ['six zeros at the end', [accession(), name(), zeros(6)], BOTH],
  ['eight zeros at the end', [accession(), name(), zeros(8)], BOTH],
  ['a hundred zeros at the end', [accession(), name(), zeros(100)], BOTH],
  ['one zero at the end', [accession(), name(), zeros(1)], BOTH, 'abort', 'oddZeros'],
  ['three zeros at the end', [accession(), name(), zeros(3)], BOTH, 'abort', 'oddZeros'],
  ['an empty identifier', [zeros(0)], '- - 0000', 'abort', 'noKeys'],
  ['four zeros and nothing else', [zeros(4)], '- - 0000', 'abort', 'noKeys'],
  ['four zeros between two keys', [accession(), zeros(4), name()], 'A900', 'abort', 'broken'],
  ['eight zeros between two keys', [accession(), zeros(8), name()], 'A900', BOTH, 'broken'],
  ['blanks at the end', [accession(), name(), Buffer.from('    ')], 'A900', BOTH, 'broken'],
  ['half a header', [accession(), name().subarray(0, 6)], 'A900', BOTH, 'broken'],
  [
    'a value that goes on behind the end',
    [accession(), element(0x00100010, 'PN', '', 40)],
    'A900',
    BOTH,
    'broken',
  ],
  ['NULs behind a value', [accession('A1\0\0'), name()], 'A1 0000', '0000', 'valueZeros'],
  ['NULs as a value', [accession('\0\0\0\0'), name()], BOTH, '0000', 'valueZeros'],
  ['NULs behind a day', [accession(), step(day('20261122\0\0'))], BOTH, '0000', 'valueZeros'],
  ['blanks as a day', [accession(), step(day('        '))], BOTH],
  ['a day with dashes', [accession(), step(day('2026-11-22'))], 'A900'],
  ['a day that no year has', [accession(), step(day('20260230'))], '0000'],
  ['zeros at the end of the step', [accession(), step(modality('CT'), zeros(4))], 'B1 0000'],
  ['more zeros at the end of the step', [accession(), step(modality('CT'), zeros(8))], 'B1 0000'],
  [
    'a group length twice',
    [element(0x00080000, 'UL', '\x09\0\0\0'), element(0x00080000, 'UL', '\x08\0\0\0'), accession()],
    BOTH,
  ],
  ['a number written as text', [accession(), element(0x001021c0, 'IS', '0 ')], BOTH],
  ['a day of a series that is none', [accession(), element(0x00080021, 'DA', 'tomorrow')], BOTH],
  ['blanks for a weight', [accession(), element(0x00101030, 'DS', '    ')], BOTH],
  ['words for a weight', [accession(), element(0x00101030, 'DS', 'none')], BOTH],
  ['no VR that exists', [element(0x00080050, '??', 'A1'), name()], 'A900', '0000', 'broken'],
  ['several values', [accession(), step(modality('CT\\MR '))], BOTH, 'A900', 'severalValues'],
  ['a value and none', [accession(), step(modality('CT\\ '))], 'B1 0000', 'A900', 'severalValues'],
  ['a code in lower case', [accession(), step(modality('ct'))], 'B1 0000', 'A900', 'lowerCase'],
  ['an odd length', [accession('A1 '), name()], 'A1 0000', 'abort', 'oddLength'],
  ['a day with dots', [accession(), step(day('2026.11.22'))], BOTH, 'A900', 'timeForms'],
  ['a time with colons', [accession(), step(time('09:00-10:00 '))], BOTH, 'A900', 'timeForms'],
  ['a leap second', [accession(), step(time('000000-235960 '))], BOTH, 'A900', 'timeForms'],
  ['a tabulator in a name', [accession(), name('Doe\t')], '0000', 'A900', 'control'],
  ['24 h as the end of the day', [accession(), step(time('000000-240000 '))], 'A900'],
  ['* for a time', [accession(), step(time('* '))], 'A900'],
  ['blanks around the -', [accession(), step(day('20261122 - 20261123 '))], BOTH, 'A900', 'rangeBlanks'],
];

/** `A1 B1 0000`: accession numbers, `-` where an answer has none, then the final status. */
async function ask(port: number, bytes: Uint8Array): Promise<string> {
  const peer = new RawPeer(port);
  const sopClass = sopClasses.modalityWorklistFind;
  const found: string[] = [];
  try {
    await peer.associate({
      calledAet: 'SCANFLOW',
      callingAet: 'PRISMA',
      contexts: [{ id: 1, abstractSyntax: sopClass, transferSyntaxes: [EXPLICIT] }],
    });
    const command = { affectedSopClassUid: sopClass, commandField: 0x20, messageId: 1, priority: 0 };
    peer.send(1, { ...command, dataSetType: 1 }, bytes);
    const aborted = peer.pdu('an abort').then(
      ({ type }) => ({ type }),
      () => ({ type: 'none' }),
    );
    for (;;) {
      const next = await Promise.race([peer.message('a response'), aborted]);
      if ('type' in next) return next.type;
      const status = (next.command.status ?? 0).toString(16).toUpperCase().padStart(4, '0');
      if (next.command.dataSetType === 0x0101) return [...found.sort(), status].join(' ');
      const answer = decodeDataSet(next.dataSet ?? new Uint8Array(), EXPLICIT);
      found.push(text(answer, 'AccessionNumber') ?? '-');
    }
  } finally {
    peer.socket.destroy();
  }
}

for (const [what, parts, ours, theirs = ours, reason] of rows)
  test(`identifiers by hand, ${what}: ${reason === undefined ? 'the same' : REASONS[reason]}`, async () => {
    const bytes = Buffer.concat(parts);
    const answers = await Promise.all([ask(service.port, bytes), ask(theirPort, bytes)]);
    assert.deepEqual(answers, [ours, theirs]);
  });
