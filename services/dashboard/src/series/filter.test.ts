import assert from 'node:assert/strict';
import { test } from 'node:test';
import { askedOf, filterIn, NEWEST, queryOf, sortIn, sortText } from './filter.ts';

test('filter: what an address says is what the next address says', () => {
  const query = { state: 'failed', target: 'pacs', leg: 'waits', from: '2026-11-28', page: '3', other: 'x' };
  const read = filterIn(query);
  assert.ok('filter' in read);
  assert.deepEqual(Object.fromEntries(queryOf(read.filter)), {
    state: 'failed',
    target: 'pacs',
    leg: 'waits',
    from: '2026-11-28',
  });
});

test('filter: days are those of the facility, the last one included', () => {
  const asked = askedOf({ from: '2026-10-25', to: '2026-10-25', leg: 'waits' }, 'Europe/Amsterdam', {
    scannerOf: new Map(),
    projects: ['a', 'b'],
  });
  assert.deepEqual(Object.fromEntries(asked), {
    from: '2026-10-24T22:00:00Z',
    to: '2026-10-25T23:00:00Z',
    waits: '1',
    projects: 'a\nb',
  });
});

test('filter: what makes no sense is a problem that names what is expected; empty fields ask nothing', () => {
  for (const [key, value] of Object.entries({
    state: 'lost',
    leg: 'x',
    from: '2026-02-30',
    code: 'x'.repeat(201),
  })) {
    const read = filterIn({ [key]: value });
    assert.ok('problem' in read && read.problem.includes(key), key);
  }
  assert.deepEqual(filterIn({ state: '', project: '  ' }), { filter: {} });
});

test('filter: a scanner stands for all AE titles with which it sends', () => {
  const scannerOf = new Map([
    ['PRISMA', 'prisma'],
    ['PRISMA_WIP', 'prisma'],
    ['SKYRA', 'skyra'],
  ]);
  const senders = (scanner: string) => askedOf({ scanner }, 'UTC', { scannerOf }).get('senders');
  assert.equal(senders('prisma'), 'PRISMA\nPRISMA_WIP');
  assert.equal(senders('CONSOLE'), 'CONSOLE', 'an AE title of nobody');
});

test('filter: how a page is sorted stands in the address', () => {
  for (const text of ['came', '-came', 'state', '-images'])
    assert.equal(sortText(sortIn(text) ?? NEWEST), text);
  assert.deepEqual(sortIn(''), NEWEST);
  for (const text of ['x', '--came', 'came;drop', '-']) assert.equal(sortIn(text), undefined, text);
});
