import assert from 'node:assert/strict';
import { test } from 'node:test';
import { privateTagOf } from '@scanflow/dicom';
import { tagRecord, type TagRules } from './tag.ts';

const RULES: TagRules = { group: 0x0021, creator: 'SCANFLOW', element: 0x10, vr: 'LO', value: 'DICOM send' };
const now = Temporal.Instant.from('2026-11-22T09:15:00.75Z');

test('tag: what a series gets is what its record says, and comes back from it', () => {
  const record = tagRecord(RULES, { accession: 'A1', now });
  assert.deepEqual(record, { group: '0021', creator: 'SCANFLOW', element: '10', value: 'DICOM send' });
  assert.deepEqual(privateTagOf(record), { ...RULES, also: [] });
});

test('tag: accession number and time are added where they are wanted', () => {
  const record = tagRecord({ ...RULES, accession: 0x11, time: 0xab }, { accession: ' A1 ', now });
  assert.ok(record !== undefined);
  assert.deepEqual(privateTagOf(JSON.parse(JSON.stringify(record)) as typeof record).also, [
    { element: 0x11, vr: 'SH', value: 'A1' },
    { element: 0xab, vr: 'DT', value: '20261122091500+0000' },
  ]);
});

test('tag: an accession number that is missing, too long or not ASCII is left out', () => {
  for (const accession of [undefined, '', '12345678901234567', 'Zugang-Ä'])
    assert.equal(tagRecord({ ...RULES, accession: 0x11 }, { accession, now })?.accession, undefined);
});

test('tag: apply', () => {
  assert.equal(tagRecord({ ...RULES, apply: 'none' }, { now }), undefined);
  assert.equal(tagRecord({ ...RULES, apply: 'forwarded' }, { now })?.apply, 'forwarded');
  assert.equal(tagRecord({ ...RULES, apply: 'stored+forwarded' }, { now })?.apply, undefined);
});
