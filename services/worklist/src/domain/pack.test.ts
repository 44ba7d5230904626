import assert from 'node:assert/strict';
import { test } from 'node:test';
import { dataSet, encodeDataSet, type DataSet, type Element } from '@scanflow/dicom';
import { createPacker } from './schedule.ts';

const EXPLICIT = '1.2.840.10008.1.2.1';
const item = (accession: string, more = {}): DataSet =>
  dataSet({
    AccessionNumber: accession,
    PatientName: `Müller^${accession}`,
    PregnancyStatus: null,
    PatientSex: null,
    MedicalAlerts: ['one', 'two'],
    ReferencedStudySequence: [],
    ScheduledProcedureStepSequence: [{ Modality: 'MR', ScheduledStationAETitle: 'PRISMA' }],
    ...more,
  });

/** As plain data, for comparing. */
const plain = (one: DataSet): unknown =>
  [...one].map(([tag, element]): [number, unknown] => [
    tag,
    element.kind === 'sequence' ? { ...element, items: element.items.map(plain) } : element,
  ]);

test('pack: what comes out is what went in', () => {
  const pack = createPacker();
  for (const original of [item('A'), item('B'), item('C', { Rows: 512, PatientSex: 'F' }), dataSet({})]) {
    const packed = pack(original);
    assert.deepEqual(plain(packed), plain(original));
    assert.equal(packed.size, original.size);
    assert.deepEqual([...packed.keys()], [...original.keys()]);
    assert.deepEqual([...packed.values()].length, original.size);
    assert.deepEqual(
      encodeDataSet(packed, EXPLICIT, 'ISO_IR 100'),
      encodeDataSet(original, EXPLICIT, 'ISO_IR 100'),
    );
  }
});

test('pack: lookups and visits are those of a map', () => {
  const packed = createPacker()(item('A'));
  assert.equal(packed.has(0x00080050), true);
  assert.equal(packed.has(0x00080051), false);
  assert.equal(packed.get(0x00080051), undefined);
  const visited: number[] = [];
  packed.forEach((_, tag) => visited.push(tag));
  assert.deepEqual(visited, [...packed.keys()]);
});

test('pack: equal elements of two items are one, different ones are not', () => {
  const pack = createPacker();
  const [a, b] = [pack(item('A')), pack(item('B'))];
  assert.equal(a.get(0x00100040), b.get(0x00100040));
  assert.notEqual(a.get(0x00080050), b.get(0x00080050));
  const text = (...values: string[]): DataSet => new Map([[0x00102000, { vr: 'LO', kind: 'text', values }]]);
  const values = [[], [''], ['a', 'b'], ['a\\b']].map((some) => pack(text(...some)).get(0x00102000));
  assert.deepEqual(
    values.map((element) => (element as Extract<Element, { kind: 'text' }>).values),
    [[], [''], ['a', 'b'], ['a\\b']],
  );
});

test('pack: the same value in another VR stays in its VR', () => {
  const pack = createPacker();
  const of = (vr: string): DataSet => new Map([[0x00100040, { vr, kind: 'text', values: ['F'] }]]);
  assert.deepEqual(
    ['CS', 'LO', 'CS'].map((vr) => pack(of(vr)).get(0x00100040)?.vr),
    ['CS', 'LO', 'CS'],
  );
});

test('pack: a text that no other item has is kept as it is, in its VR', () => {
  const pack = createPacker();
  const of = (vr: string, ...values: string[]): DataSet =>
    new Map([[0x00080050, { vr, kind: 'text', values }]]);
  // more different values than are shared
  for (let index = 0; index < 300; index += 1) pack(of('SH', `A${index}`));
  const rare = [of('SH', 'RARE'), of('LO', 'RARE'), of('SH', 'a', 'b'), of('SH'), of('SH', '')];
  for (const one of rare) assert.deepEqual(plain(pack(one)), plain(one));
});
