import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type RootIdentity, judge, type Evidence, Watch } from './identity.ts';

const identity = (over: Partial<RootIdentity> = {}, sequence = 7): RootIdentity => ({
  version: 1,
  root: 'r1',
  ledger: 'ours',
  owner: { name: 'Imaging', host: 'old-host', version: '0.2.0' },
  heartbeat: { sequence, at: '2026-11-22T10:00:00Z' },
  ...over,
});

const evidence = (over: Partial<Evidence> = {}): Evidence => ({
  path: '/project',
  installation: 'ours',
  own: { name: 'Imaging', host: 'new-host', version: '0.2.0' },
  known: { id: 'r1', sequence: 7 },
  others: new Set(),
  found: identity(),
  empty: false,
  stored: { any: true, some: true, newest: true },
  life: 'silent',
  ...over,
});

const NOTHING = { any: false, some: false, newest: false };
const fresh = { known: undefined, found: undefined, stored: NOTHING };

/** A short word for what follows. */
function verdictOf(over: Partial<Evidence>): string {
  const verdict = judge(evidence(over));
  if (verdict.kind === 'adopt') return `adopt ${verdict.id ?? 'new'} ${verdict.sequence}`;
  return verdict.kind === 'ours'
    ? 'ours'
    : `${verdict.failure.code}${verdict.mayTake ? ' may be taken' : ''}`;
}

const cases: readonly (readonly [what: string, over: Partial<Evidence>, verdict: string])[] = [
  ['the one that the ledger knows', {}, 'ours'],
  ['ahead of a ledger out of a backup', { found: identity({}, 9) }, 'ours'],
  ['older than the ledger', { found: identity({}, 6) }, 'STORE_ROOT_OLDER may be taken'],
  ['empty, and nothing was ever stored', { ...fresh, empty: true }, 'adopt new 1'],
  ['with files of others, and nothing was ever stored', fresh, 'adopt new 1'],
  [
    'reserved when the streamer was killed',
    { ...fresh, known: { id: 'r1', sequence: 0 }, empty: true },
    'adopt r1 1',
  ],
  ['not mounted', { found: undefined, empty: true }, 'STORE_ROOT_EMPTY may be taken'],
  [
    'known, never stored to, not mounted',
    { found: undefined, empty: true, stored: NOTHING },
    'STORE_ROOT_EMPTY may be taken',
  ],
  ['of 0.1.0', { known: undefined, found: undefined }, 'adopt new 1'],
  [
    'of 0.1.0, some of its series moved away by people',
    { known: undefined, found: undefined, stored: { any: true, some: true, newest: false } },
    'adopt new 1',
  ],
  [
    'of 0.1.0, not mounted',
    { known: undefined, found: undefined, empty: true },
    'STORE_ROOT_EMPTY may be taken',
  ],
  [
    'without identity, and with none of the series',
    { known: undefined, found: undefined, stored: { any: true, some: false, newest: false } },
    'STORE_ROOT_OTHER may be taken',
  ],
  ['its identity file was deleted', { found: undefined }, 'adopt r1 7'],
  [
    'a backup from before it had an identity',
    { found: undefined, stored: { any: true, some: true, newest: false } },
    'STORE_ROOT_OLDER may be taken',
  ],
  ['another ledger of the same installation', { known: undefined, stored: NOTHING }, 'adopt r1 7'],
  ['another root of ours', { others: new Set(['r1']), known: undefined }, 'STORE_ROOT_OTHER may be taken'],
  ['one more root of ours', { known: { id: 'r2', sequence: 1 } }, 'STORE_ROOT_OTHER may be taken'],
  ['of another that works', { found: identity({ ledger: 'x' }), life: 'living' }, 'STORE_ROOT_IN_USE'],
  ['of another that is gone', { found: identity({ ledger: 'x' }) }, 'STORE_ROOT_OTHER may be taken'],
  [
    'of another, not watched for long',
    { found: identity({ ledger: 'x' }), life: 'watched' },
    'STORE_ROOT_OTHER may be taken',
  ],
];

for (const [what, over, expected] of cases)
  test(`root: ${what}`, () => {
    assert.equal(verdictOf(over), expected);
  });

test('root: who has it, and who is refused, stand in the message', () => {
  const verdict = judge(evidence({ found: identity({ ledger: 'x' }), life: 'living' }));
  assert.ok(verdict.kind === 'refused');
  assert.match(verdict.failure.message, /Imaging on old-host.*Imaging on new-host/);
});

test('root: an owner lives while its heartbeat grows, and is silent once it has not for long', () => {
  const watch = new Watch(100);
  const look = (sequence: number, now: number): string =>
    watch.look('/project', identity({ ledger: 'x' }, sequence), now);
  assert.deepEqual(
    [look(1, 0), look(1, 50), look(2, 60), look(2, 150), look(2, 160), look(3, 200), look(3, 301)],
    ['watched', 'watched', 'living', 'living', 'silent', 'living', 'silent'],
  );
});
