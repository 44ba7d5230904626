import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admission, type AdmissionSettings } from './door.ts';

const caller = { callingAet: 'PRISMA', calledAet: 'ORTHANC', address: '10.1.2.3' };
const decide = (settings: Partial<AdmissionSettings>, who: Partial<typeof caller> = {}): string => {
  const decision = admission({ called: undefined, takes: () => true, proofs: {}, ...settings })({
    ...caller,
    ...who,
  });
  if (decision.accept) return 'accepted';
  const { result, source, reason, why } = decision;
  return `${result}/${source}/${reason} ${why}`;
};

test('admission: without settings everybody is admitted, by any name', () => {
  assert.equal(decide({}), 'accepted');
  assert.equal(decide({}, { callingAet: 'STRANGER', calledAet: 'ANY' }), 'accepted');
});

test('admission: another called AE title is reason 7, by case, and names the right ones', () => {
  const called = ['SCANFLOW', 'ORTHANC'];
  assert.equal(decide({ called }), 'accepted');
  assert.match(decide({ called }, { calledAet: 'orthanc' }), /^1\/1\/7 the receiver is SCANFLOW, ORTHANC/);
});

test('admission: another calling AE title is reason 3, and the log says where to add it', () => {
  const takes = (aet: string): boolean => aet === 'PRISMA';
  assert.equal(decide({ takes }), 'accepted');
  assert.match(decide({ takes }, { callingAet: 'STRANGER' }), /^1\/1\/3 .*arrivals\.from/);
});

test('admission: an AE title from another address is rejected like an unknown one', () => {
  const proofs = { PRISMA: { addresses: ['10.1.2.0/24'] } };
  assert.equal(decide({ proofs }), 'accepted');
  assert.equal(decide({ proofs }, { address: '::ffff:10.1.2.3' }), 'accepted');
  assert.match(decide({ proofs }, { address: '10.1.3.3' }), /^1\/1\/3 .*receiver\.access/);
  // who has no entry proves nothing
  assert.equal(decide({ proofs }, { callingAet: 'OTHER', address: '10.9.9.9' }), 'accepted');
});

test('admission: a certificate is asked for where it is configured, and nobody comes in without', () => {
  assert.match(decide({ proofs: { PRISMA: { certificates: ['CN=prisma'] } } }), /^1\/1\/3 /);
});
