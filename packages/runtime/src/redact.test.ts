import assert from 'node:assert/strict';
import { test } from 'node:test';
import { redact } from './redact.ts';

const above = (fields: object): Record<string, unknown> => redact({ ...fields }, { everything: false });

for (const name of [
  'PatientName',
  'patient_id',
  'patient-birth-date',
  'PatientComments',
  'OtherPatientIDs',
  'birthDate',
  'project',
  'SUBJECT',
  'StudyID',
  'ProtocolName',
  'username',
])
  test(`redact: ${name} is withheld`, () =>
    assert.deepEqual(above({ [name]: 'Jansen' }), { [name]: '[withheld]' }));

for (const name of ['accession', 'studyInstanceUid', 'series', 'code', 'callingAet', 'subjects', 'file'])
  test(`redact: ${name} is written`, () => assert.deepEqual(above({ [name]: 'x' }), { [name]: 'x' }));

test('redact: what is absent is not said to be withheld', () =>
  assert.equal(JSON.stringify(above({ labels: undefined })), '{}'));

test('redact: maps, instances of classes and errors are looked into', () => {
  class Booking {
    readonly subject = 'Jansen';
  }
  const error = Object.assign(
    new Error('failed', { cause: Object.assign(new Error('why'), { code: 'EIO' }) }),
    {
      code: 'STORE',
      subject: 'Jansen',
    },
  );
  const written = JSON.stringify(
    above({
      map: new Map([['PatientName', 'Jansen']]),
      set: new Set([new Booking()]),
      booking: new Booking(),
      error,
    }),
  );
  assert.doesNotMatch(written, /Jansen/);
  assert.match(
    written,
    /"code":"STORE","message":"failed","cause":\{"name":"Error","code":"EIO","message":"why"\}/,
  );
});

test('redact: cycles, depth, length and bytes are bounded', () => {
  const cycle: Record<string, unknown> = { name: 'a' };
  cycle['self'] = cycle;
  let deep: unknown = 'bottom';
  for (let level = 0; level < 100; level += 1) deep = { deep };
  const written = JSON.stringify(
    above({
      cycle,
      deep,
      text: 'x'.repeat(1_000_000),
      list: Array.from({ length: 10_000 }, () => 'item'),
      keys: Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`k${index}`, index])),
      bytes: new Uint8Array(1_000_000),
    }),
  );
  assert.ok(written.length < 8_000, `${written.length}`);
  assert.match(written, /\(1000000 bytes\)/);
  assert.match(written, /1000000 characters/);
});

test('redact: what knows how it is written is asked', () =>
  assert.deepEqual(above({ at: Temporal.Instant.from('2026-01-01T00:00:00Z'), url: new URL('http://h/') }), {
    at: '2026-01-01T00:00:00Z',
    url: 'http://h/',
  }));

test('redact: a field that cannot be read does not throw', () => {
  const awkward = {
    get field(): string {
      throw new Error('no');
    },
  };
  assert.deepEqual(above({ awkward }), { fields: '(cannot be written)' });
});

test('redact: an aggregate has its errors, and debug has the stack', () => {
  const error = new AggregateError([new Error('first')], 'several');
  assert.match(JSON.stringify(above({ error })), /"errors":\[\{"name":"Error","message":"first"\}\]/);
  assert.match(JSON.stringify(redact({ error }, { everything: true })), /"stack":/);
});
