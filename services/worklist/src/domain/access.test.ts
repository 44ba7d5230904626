import assert from 'node:assert/strict';
import { test } from 'node:test';
import { accessPolicy, type AccessSettings } from './access.ts';

const scanners = [
  { aet: 'PRISMA', characterSet: 'ISO_IR 100' },
  { aet: 'SKYRA', characterSet: 'ISO_IR 192' },
];
const policy = (settings: Partial<AccessSettings> = {}) =>
  accessPolicy({ aet: 'SCANFLOW', allow: 'scanners', view: 'all', scanners, ...settings });

const outcome = (settings: Partial<AccessSettings>, calledAet: string, callingAet: string): string => {
  const decision = policy(settings).admit({ calledAet, callingAet });
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
  ['code extensions become UTF-8', 'VIEWER', ['', 'ISO 2022 IR 87'], 'ISO_IR 192'],
];
for (const [name, calling, declared, expected] of characterSets)
  test(`character set: ${name}`, () => assert.equal(policy().characterSet(calling, declared), expected));

test('view: all sees every station, own only its own', () => {
  assert.equal(policy().station('PRISMA'), undefined);
  assert.equal(policy({ view: 'own' }).station('PRISMA'), 'PRISMA');
});
