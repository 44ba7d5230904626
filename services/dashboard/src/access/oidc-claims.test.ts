import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern } from '@scanflow/booking';
import { identityOf, type Claims } from './oidc-claims.ts';

const WHO = { issuer: 'https://idp.example.org', subject: '248289761001' };
const RULES = {
  groupsClaim: 'groups',
  roles: { it: ['admins'], operator: ['console'], member: ['users'] },
  projects: { lab: ['3010000.07', '3010000.08'] },
  projectPattern: compilePattern(String.raw`^mri-(?<project>\d{7}\.\d{2})$`),
};
const of = (...sets: Claims[]) => identityOf(WHO, sets, RULES);
const roleOf = (groups: unknown) => of({ groups }).role;

test('claims: the highest role counts, and a group of a project makes members', () => {
  assert.equal(roleOf(['users', 'admins', 'console']), 'it');
  assert.equal(roleOf(['users', 'console']), 'operator');
  assert.equal(roleOf(['users']), 'member');
  assert.equal(roleOf(['lab']), 'member');
  assert.equal(roleOf(['mri-3010000.01']), 'member');
});

test('claims: a group counts exactly as it is written, and nothing else does', () => {
  for (const groups of [
    ['Admins'],
    ['admins '],
    ['admin'],
    [['admins']],
    [{ admins: 1 }],
    1,
    null,
    undefined,
  ])
    assert.equal(roleOf(groups), undefined, JSON.stringify(groups));
  assert.equal(roleOf('admins'), 'it', 'one group may come as a text');
  const overlong = [...Array.from({ length: 10_000 }, (_, index) => `g${index}`), 'admins'];
  assert.equal(roleOf(overlong), undefined);
});

test('claims: the claim may have any name, and come by UserInfo', () => {
  const rules = { ...RULES, groupsClaim: 'https://example.org/groups' };
  const claims = { 'https://example.org/groups': ['admins'] };
  assert.equal(identityOf(WHO, [{}, claims], rules).role, 'it');
});

test('claims: everybody whom the provider lets in may be a member', () => {
  const rules = { ...RULES, roles: { ...RULES.roles, member: 'everybody' as const } };
  assert.equal(identityOf(WHO, [{}], rules).role, 'member');
  assert.equal(identityOf(WHO, [{ groups: ['admins'] }], rules).role, 'it');
});

test('claims: projects come by list and by pattern, each once', () => {
  const person = of({ groups: ['lab', 'mri-3010000.01', 'mri-3010000.07', 'xmri-3010000.02', 'mri-1'] });
  assert.ok(person.role !== undefined);
  assert.deepEqual(person.projects, ['3010000.07', '3010000.08', '3010000.01']);
});

test('claims: an address counts only where the same set says that it is verified', () => {
  const addressOf = (...sets: Claims[]) => {
    const person = of({ groups: ['users'] }, ...sets);
    return person.role === undefined ? undefined : person.address;
  };
  const email = 'Anna@Example.org';
  assert.equal(addressOf({ email, email_verified: true }), 'anna@example.org');
  for (const isVerified of [false, 'true', 1, undefined])
    assert.equal(addressOf({ email, email_verified: isVerified }), undefined, String(isVerified));
  assert.equal(addressOf({ email }, { email_verified: true }), undefined);
  for (const odd of ['anna', 'a b@example.org', `${'a'.repeat(300)}@example.org`, ['anna@example.org']])
    assert.equal(addressOf({ email: odd, email_verified: true }), undefined, String(odd));
});

test('claims: a name that is none falls back, and each name has a second one', () => {
  const namesOf = (claims: Claims) => of({ groups: ['users'], ...claims }).names;
  assert.match(namesOf({ preferred_username: 'anna' }).join(' '), /^anna anna\.[0-9a-f]{8}$/);
  for (const odd of ['<script>', 'a b', '', 'x'.repeat(99), 7, '\u202eanna'])
    assert.equal(namesOf({ preferred_username: odd })[0], WHO.subject, String(odd));
  const verified = { email: 'anna@example.org', email_verified: true };
  assert.equal(namesOf(verified)[0], 'anna@example.org');
  const [odd] = identityOf({ ...WHO, subject: 'auth0|7' }, [{ groups: ['users'] }], RULES).names;
  assert.match(odd, /^user-[0-9a-f]{8}$/);
});

test('claims: who has no role hears how many groups came', () => {
  assert.deepEqual(
    [of({ groups: ['a', 'b'] }), of({})].map((one) => 'groups' in one && one.groups),
    [2, undefined],
  );
});
