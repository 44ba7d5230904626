import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Caller } from '@scanflow/dimse/access';
import { accessPolicy, type AccessEntry, type AccessSettings } from './access.ts';

const scanners = [
  { aet: 'PRISMA', characterSet: 'ISO_IR 100' },
  { aet: 'SKYRA', characterSet: 'ISO_IR 192' },
  { aet: 'TRIO', sends: ['TRIO_Q'] },
];
const policy = (settings: Partial<AccessSettings> = {}) =>
  accessPolicy({ aet: 'SCANFLOW', allow: 'scanners', view: 'all', scanners, ...settings });

const KEY = 'ab'.repeat(32);
const prisma = { fingerprint: KEY, subject: String.raw`C=NL,O=Example\, Inc.,CN=prisma` };

const outcome = (settings: Partial<AccessSettings>, calledAet: string, callingAet: string): string => {
  const decision = policy(settings).admit({ calledAet, callingAet, address: '10.1.2.3' });
  return decision.accept ? 'accepted' : `${decision.result}/${decision.source}/${decision.reason}`;
};

const admissions: [string, Partial<AccessSettings>, string, string, string][] = [
  ['a configured scanner is accepted', {}, 'SCANFLOW', 'PRISMA', 'accepted'],
  ['another called AE title is not recognised', {}, 'OTHER', 'PRISMA', '1/1/7'],
  ['AE titles are told apart by case', {}, 'scanflow', 'PRISMA', '1/1/7'],
  ['a path is just another AE title', {}, '../SCANFLOW', 'PRISMA', '1/1/7'],
  ['an unknown calling AE title is not recognised', {}, 'SCANFLOW', 'STRANGER', '1/1/3'],
  ['the called AE title is looked at first', {}, 'OTHER', 'STRANGER', '1/1/7'],
  ['any admits whoever calls', { allow: 'any' }, 'SCANFLOW', 'STRANGER', 'accepted'],
  ['any keeps the called AE title', { allow: 'any' }, 'OTHER', 'STRANGER', '1/1/7'],
  ['a list admits those in it', { allow: ['VIEWER'] }, 'SCANFLOW', 'VIEWER', 'accepted'],
  ['a list replaces the scanners', { allow: ['VIEWER'] }, 'SCANFLOW', 'PRISMA', '1/1/3'],
];
for (const [name, settings, called, calling, expected] of admissions)
  test(`admission: ${name}`, () => assert.equal(outcome(settings, called, calling), expected));

const characterSets: [string, string, string[], string][] = [
  ['the configuration of the scanner wins over the query', 'PRISMA', ['ISO_IR 192'], 'ISO_IR 100'],
  ['an unknown caller gets what it declares', 'VIEWER', ['ISO_IR 101'], 'ISO_IR 101'],
  ['an unknown caller without a declaration gets UTF-8', 'VIEWER', [], 'ISO_IR 192'],
  ['a set that nobody knows becomes UTF-8', 'VIEWER', ['ISO_IR 999'], 'ISO_IR 192'],
  ['one set of ISO 2022 alone is that set', 'VIEWER', ['ISO 2022 IR 100'], 'ISO_IR 100'],
  ['code extensions between Latin sets are kept', 'VIEWER', ['', 'ISO 2022 IR 101'], '\\ISO 2022 IR 101'],
  ['code extensions of two bytes a character are kept', 'VIEWER', ['', 'ISO 2022 IR 87'], '\\ISO 2022 IR 87'],
  ['one of them alone has ASCII beside it', 'VIEWER', ['ISO 2022 IR 87'], '\\ISO 2022 IR 87'],
  ['a scanner without a set gets that of its query', 'TRIO', ['ISO_IR 100'], 'ISO_IR 100'],
  ['the same under its other AE title', 'TRIO_Q', ['ISO_IR 126'], 'ISO_IR 126'],
  ['a scanner without a set that declares none gets UTF-8', 'TRIO', [], 'ISO_IR 192'],
  ['a misspelt set is the one that it means', 'TRIO', ['iso_ir 100'], 'ISO_IR 100'],
  ['latin1 too', 'TRIO', ['latin1'], 'ISO_IR 100'],
];
for (const [name, calling, declared, expected] of characterSets)
  test(`character set: ${name}`, () => assert.equal(policy().characterSet(calling, declared), expected));

test('assumed: the scanner’s own set, else the one of the worklist, else UTF-8 or Latin-1', () => {
  assert.deepEqual(policy().assumed('PRISMA'), ['ISO_IR 100']);
  assert.deepEqual(policy().assumed('TRIO'), ['ISO_IR 192', 'ISO_IR 100']);
  assert.deepEqual(policy({ assumedCharacterSet: 'GBK' }).assumed('TRIO_Q'), ['GBK']);
  assert.deepEqual(policy({ assumedCharacterSet: 'GBK' }).assumed('SKYRA'), ['ISO_IR 192']);
});

const views: [string, Partial<AccessSettings>, readonly string[] | undefined][] = [
  ['all sees every station', { view: 'all' }, undefined],
  ['own only its own', { view: 'own' }, ['PRISMA']],
  ['a list those of it', { view: ['SKYRA', 'TRIO'] }, ['SKYRA', 'TRIO']],
  ['what stands under its AE title wins', { view: 'own', access: { PRISMA: { view: 'all' } } }, undefined],
  ['an entry without a view leaves the general one', { view: 'own', access: { PRISMA: {} } }, ['PRISMA']],
  ['another’s entry changes nothing', { view: 'all', access: { SKYRA: { view: 'own' } } }, undefined],
];
for (const [name, settings, expected] of views)
  test(`view: ${name}`, () => assert.deepEqual(policy(settings).stations('PRISMA'), expected));

const guarded: [string, AccessEntry, Partial<Caller>, boolean][] = [
  ['its address', { addresses: ['10.1.2.3'] }, {}, true],
  ['another address', { addresses: ['10.1.2.4'] }, {}, false],
  ['an address of its network', { addresses: ['192.0.2.1', '10.1.0.0/16'] }, {}, true],
  ['its address as IPv6 shows it', { addresses: ['10.1.2.3'] }, { address: '::ffff:10.1.2.3' }, true],
  ['its certificate by fingerprint', { certificates: [KEY] }, { certificate: prisma }, true],
  [
    'its certificate by fingerprint as openssl prints it',
    { certificates: [KEY.toUpperCase().replaceAll(/..(?!$)/g, '$&:')] },
    { certificate: prisma },
    true,
  ],
  ['another fingerprint', { certificates: ['cd'.repeat(32)] }, { certificate: prisma }, false],
  ['its certificate by subject', { certificates: ['cn=prisma, C=NL'] }, { certificate: prisma }, true],
  [
    'a subject of which one attribute differs',
    { certificates: ['CN=prisma,C=DE'] },
    { certificate: prisma },
    false,
  ],
  ['a subject that only begins alike', { certificates: ['CN=pris'] }, { certificate: prisma }, false],
  [
    'a value’s comma is none between attributes',
    { certificates: ['O=Example'] },
    { certificate: prisma },
    false,
  ],
  ['any one of several certificates', { certificates: ['CN=x', KEY] }, { certificate: prisma }, true],
  ['no certificate', { certificates: [KEY] }, {}, false],
  [
    'the right certificate from another address',
    { addresses: ['10.9.9.9'], certificates: [KEY] },
    { certificate: prisma },
    false,
  ],
];
for (const [name, entry, caller, accepted] of guarded)
  test(`access: ${name} is ${accepted ? 'accepted' : 'rejected'}`, () => {
    const guard = policy({ access: { PRISMA: entry } });
    const who = { calledAet: 'SCANFLOW', address: '10.1.2.3', ...caller };
    const decision = guard.admit({ ...who, callingAet: 'PRISMA' });
    assert.equal(decision.accept, accepted);
    // the same as for a stranger: the wire gives no hint what would have been right
    if (!decision.accept) assert.deepEqual([decision.result, decision.source, decision.reason], [1, 1, 3]);
    assert.equal(
      guard.admit({ ...who, callingAet: 'SKYRA' }).accept,
      true,
      'an entry asks nothing of others',
    );
  });

test('access: the other AE titles of a scanner are admitted, seen and counted as that scanner', () => {
  const sending = [{ aet: 'PRISMA', sends: ['PRISMA_PPS'], characterSet: 'ISO_IR 100' }];
  const access = { PRISMA: { addresses: ['10.1.2.3'] } };
  const made = policy({ scanners: sending, view: 'own', access });
  const from = (address: string, callingAet: string): boolean =>
    made.admit({ calledAet: 'SCANFLOW', callingAet, address }).accept;
  assert.equal(from('10.1.2.3', 'PRISMA_PPS'), true);
  assert.equal(from('10.9.9.9', 'PRISMA_PPS'), false, 'what the scanner has to prove');
  assert.deepEqual(made.stations('PRISMA_PPS'), ['PRISMA', 'PRISMA_PPS']);
  assert.equal(made.isSame('PRISMA_PPS', 'PRISMA'), true);
  assert.equal(made.isSame('SKYRA', 'PRISMA'), false);
  assert.equal(made.isSame('X', 'Y'), false);
  assert.deepEqual(['PRISMA', 'PRISMA_PPS', 'OTHER'].map(made.countedAs), ['PRISMA', 'PRISMA', '']);
});
