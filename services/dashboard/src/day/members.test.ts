import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { BOOKING, iso, NOW, rig } from '../web/board-kit.test.ts';

const labels = (subject: string) => ({ project: '3010000.01', subject, session: 'ses-1' });
const slot = { scanner: 'prisma', start: iso(-10), end: iso(50) };
const rejected = {
  ...{ outcome: 'rejected', calendar: 'lab', code: 'NO_LABELS', reason: 'It names no project.' },
  ...slot,
};
const events = {
  bookings: [
    {
      ...{ ...BOOKING, ...slot, ...labels('sub-anna'), accessionNumber: 'A1' },
      ...{ booker: 'Anna Smith', bookers: ['anna@example.org'] },
    },
    {
      ...{ ...BOOKING, ...slot, ...labels('sub-ben'), accessionNumber: 'A2' },
      ...{ booker: 'Ben Miller', bookers: ['ben@example.org'] },
    },
    // a record of an earlier version: the calendar had no name, so the address stands in its place
    { ...BOOKING, ...slot, ...labels('sub-old'), accessionNumber: 'A3', booker: 'ben@example.org' },
  ],
  rejected: [
    { ...rejected, uid: 'E1', summary: 'hello from anna', bookers: ['anna@example.org'] },
    { ...rejected, uid: 'E2', summary: 'hello from ben', bookers: ['ben@example.org'] },
  ],
  skipped: [],
};

async function board(t: TestContext) {
  const { get, store } = await rig(t, undefined, {
    '/api/board/bookings': { bookings: [...events.bookings, ...events.rejected] },
    '/api/bookings': events,
    '/api/calendars': { calendars: [] },
  });
  return async (name: string, addresses: readonly string[]) => {
    await store.add({ name, role: 'member', projects: [], addresses: [...addresses] }, NOW);
    const cookie = `__Host-scanflow=${await store.signIn(name, '127.0.0.1', NOW)}`;
    return async (path: string): Promise<string> => (await get(path, { cookie })).body;
  };
}

const NAMES = ['sub-anna', 'sub-ben', 'sub-old', 'hello from anna', 'hello from ben'];
const namesOn = (page: string): string[] => NAMES.filter((name) => page.includes(name));

test('members: each sees what they booked, and what was refused of it, and no address of anybody', async (t) => {
  const member = await board(t);
  const anna = await member('anna', ['anna@example.org']);
  const ben = await member('ben', ['ben@example.org']);
  for (const path of ['/day/2026-11-28', '/bookings']) {
    const [annas, bens] = [await anna(path), await ben(path)];
    assert.deepEqual(namesOn(annas), ['sub-anna', 'hello from anna'], path);
    assert.deepEqual(namesOn(bens), ['sub-ben', 'sub-old', 'hello from ben'], path);
    for (const page of [annas, bens]) assert.doesNotMatch(page, /@example\.org/);
  }
  assert.match(await anna('/session/A1'), /sub-anna/);
});

test('members: an address that nobody proved shows nothing', async (t) => {
  const member = await board(t);
  const nobody = await member('nobody', []);
  for (const path of ['/day/2026-11-28', '/bookings', '/session/A1'])
    assert.deepEqual(namesOn(await nobody(path)), [], path);
});
