import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLimiter, hashPassword, isPassword, passwordProblem } from './passwords.ts';
import { ACTIONS, mayDo, maySee, type Person } from './roles.ts';

const NOW = Temporal.Instant.from('2026-11-28T08:00:00Z').epochMilliseconds;
const HOUR = 3_600_000;
const anna: Person = {
  name: 'anna',
  role: 'member',
  projects: ['3010000.01'],
  addresses: ['anna@example.org'],
};

test('roles: a member sees the projects given to them, and what they booked by a proven address', () => {
  assert.equal(maySee(anna, { project: '3010000.01' }), true);
  assert.equal(maySee(anna, { project: '3010000.02' }), false);
  assert.equal(maySee(anna, {}), false);
  assert.equal(maySee(anna, { project: '3010000.02', booker: 'Anna@Example.org' }), true);
  // a name may look like an address, so it counts only where there is nothing else
  const bookers = ['ben@example.org', 'Anna@Example.org'];
  assert.equal(maySee(anna, { project: '3010000.02', booker: 'Anna Smith', bookers }), true);
  assert.equal(maySee(anna, { booker: 'anna@example.org', bookers: ['ben@example.org'] }), false);
  assert.equal(maySee({ ...anna, addresses: [] }, { bookers }), false);
  assert.equal(maySee({ ...anna, role: 'operator' }, {}), true);
});

test('roles: members change nothing, operators add walk-ins, IT does all', () => {
  const may = (role: Person['role']): string[] =>
    ACTIONS.filter((action) => mayDo({ ...anna, role }, action));
  assert.deepEqual(may('member'), []);
  assert.deepEqual(may('operator'), ['check', 'walk-in']);
  assert.deepEqual(may('it'), [...ACTIONS]);
});

test('passwords: the right one alone opens, in whatever form the keyboard writes it', async () => {
  const kept = await hashPassword('caf\u00e9 au lait');
  assert.match(kept, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
  assert.equal(await isPassword('cafe\u0301 au lait', kept), true);
  assert.equal(await isPassword('cafe au lait', kept), false);
  assert.equal(await isPassword('caf\u00e9 au lait', undefined), false);
  assert.notEqual(kept, await hashPassword('caf\u00e9 au lait'));
});

test('passwords: short, repeated and self-named ones are refused with the reason', () => {
  assert.match(passwordProblem('short', 'anna') ?? '', /5 characters/);
  assert.match(passwordProblem('aaaaaaaaaaaa', 'anna') ?? '', /repeats/);
  assert.match(passwordProblem('my name is ANNA', 'anna') ?? '', /user name/);
  assert.equal(passwordProblem('correct horse battery', 'anna'), undefined);
});

test('limiter: after five failures each one doubles the pause, for that user or address alone', () => {
  const limiter = createLimiter();
  const keys = ['user:anna', 'address:10.0.0.7'];
  for (let failure = 0; failure < 4; failure += 1) limiter.failed(keys, NOW);
  assert.equal(limiter.wait(keys, NOW), 0);
  const waits = [0, 1, 2].map(() => {
    limiter.failed(keys, NOW);
    return limiter.wait(keys, NOW);
  });
  assert.deepEqual(waits, [1_000, 2_000, 4_000]);
  assert.equal(limiter.wait(['user:ben', 'address:10.0.0.8'], NOW), 0);
  assert.equal(limiter.wait(['user:ben', 'address:10.0.0.7'], NOW), 4_000);
  assert.equal(limiter.wait(keys, NOW + 4_000), 0);
  for (let failure = 0; failure < 40; failure += 1) limiter.failed(keys, NOW);
  assert.equal(limiter.wait(keys, NOW), 15 * 60_000);
  assert.equal(limiter.wait(keys, NOW + 2 * HOUR), 0);
  limiter.succeeded(keys);
  assert.equal(limiter.wait(keys, NOW), 0);
});
