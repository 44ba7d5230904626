import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readCalendar } from './read.ts';

const window = {
  from: Temporal.Instant.from('2026-11-20T00:00:00Z'),
  to: Temporal.Instant.from('2026-11-30T00:00:00Z'),
};
const read = (...lines: string[]): readonly object[] => {
  const text = ['BEGIN:VCALENDAR', ...lines, 'END:VCALENDAR', ''].join('\r\n');
  const found = readCalendar(Buffer.from(text), { window, zone: 'UTC' });
  assert.ok(found.ok);
  return found.content.events.map(({ categories, resources, labels }) => ({ categories, resources, labels }));
};
const event = (...lines: string[]): string[] => ['BEGIN:VEVENT', 'UID:a', ...lines, 'END:VEVENT'];

const START = 'DTSTART:20261121T090000Z';
const EXTRAS = [
  'CATEGORIES:Scan,Room 1\\, left',
  'CATEGORIES;LANGUAGE=en:MRI',
  'RESOURCES:Coil',
  'ATTENDEE;CUTYPE=ROOM;CN="Room; 1":mailto:room1@example.org',
  'ATTENDEE;CUTYPE=INDIVIDUAL;CN=Jane Doe:mailto:jane@example.org',
  'X-DICOM-PROJECT:3010000.01',
  'X-DICOM-SUBJECT;X-A=b: sub-001 ',
  'X-DICOM-SESSION:',
];
const expected = {
  categories: ['Scan', 'Room 1, left', 'MRI'],
  resources: ['Coil', 'Room; 1', 'room1@example.org'],
  labels: { project: '3010000.01', subject: 'sub-001' },
};

test('extras: categories, resources and X-DICOM properties; nothing where there are none', () => {
  assert.deepEqual(read(...event(START, ...EXTRAS)), [expected]);
  assert.deepEqual(read(...event(START)), [
    { categories: undefined, resources: undefined, labels: undefined },
  ]);
});

test('extras: an instance that was changed has those of its series but for its own', () => {
  const changed = event('RECURRENCE-ID:20261122T090000Z', 'DTSTART:20261122T120000Z', 'CATEGORIES:Own');
  const found = read(...event(START, 'RRULE:FREQ=DAILY;COUNT=2', ...EXTRAS), ...changed);
  assert.deepEqual(found, [expected, { ...expected, categories: ['Own'] }]);
});

const statuses = (text: readonly string[]): string[] => {
  const found = readCalendar(Buffer.from(['BEGIN:VCALENDAR', ...text, 'END:VCALENDAR', ''].join('\r\n')), {
    window,
    zone: 'UTC',
  });
  assert.ok(found.ok);
  return found.content.events.map(({ status }) => status);
};
const room = (name: string, partstat: string): string =>
  `ATTENDEE;CUTYPE=RESOURCE;PARTSTAT=${partstat};CN=${name}:mailto:${name}@example.org`;

test('declined: an event whose rooms all declined it is cancelled, and a room that declined is none of its rooms', () => {
  assert.deepEqual(statuses(event(START, room('r1', 'DECLINED'))), ['CANCELLED']);
  assert.deepEqual(statuses(event(START, room('r1', 'ACCEPTED'))), ['CONFIRMED']);
  assert.deepEqual(statuses(event(START, room('r1', 'NEEDS-ACTION'))), ['CONFIRMED']);
  const both = event(START, room('r1', 'DECLINED'), room('r2', 'ACCEPTED'));
  assert.deepEqual(statuses(both), ['CONFIRMED']);
  assert.deepEqual(read(...both), [
    { categories: undefined, resources: ['r2', 'r2@example.org'], labels: undefined },
  ]);
  const person = 'ATTENDEE;PARTSTAT=DECLINED;CN=Jane Doe:mailto:jane@example.org';
  assert.deepEqual(statuses(event(START, person)), ['CONFIRMED']);
});

test('answers: METHOD:REPLY, REFRESH and COUNTER are no events; REQUEST and PUBLISH are', () => {
  for (const method of ['REPLY', 'REFRESH', 'COUNTER', 'DECLINECOUNTER', 'reply'])
    assert.deepEqual(statuses([`METHOD:${method}`, ...event(START)]), [], method);
  for (const method of ['REQUEST', 'PUBLISH', 'ADD'])
    assert.deepEqual(statuses([`METHOD:${method}`, ...event(START)]), ['CONFIRMED'], method);
});
