import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CalendarEvent } from '@scanflow/calendar';
import { interpret, type Outcome } from './interpret.ts';

const patterns = [/^(?<project>\d{7}\.\d{2})[ _](?<subject>sub-?\w+)[ _](?<session>ses-?\w+)/u];
const at = (time: string): Temporal.Instant => Temporal.Instant.from(`2026-11-23T${time}Z`);

const event = (more: Partial<CalendarEvent> = {}): CalendarEvent => ({
  uid: 'a',
  start: at('09:00'),
  end: at('10:00'),
  allDay: false,
  summary: '3010000.01 sub-001 ses-mri01',
  description: '',
  attendees: [],
  status: 'CONFIRMED',
  transparency: 'OPAQUE',
  class: 'PUBLIC',
  ...more,
});

const judge = (more: Partial<CalendarEvent> = {}, use = patterns): Outcome =>
  interpret(event(more), { calendar: 'prisma', scanner: 'prisma', patterns: use });

const labels = (more: Partial<CalendarEvent>): unknown => {
  const outcome = judge(more);
  return outcome.outcome === 'booking' ? Object.values(outcome.booking.labels) : outcome.code;
};

test('booking: labels from the title, operator, title and source', () => {
  const outcome = judge({ organizer: 'Jane\r\nDoe', recurrenceId: '2026-11-23T09:00:00Z' });
  assert.ok(outcome.outcome === 'booking');
  const { booking } = outcome;
  assert.deepEqual(booking.labels, { project: '3010000.01', subject: 'sub-001', session: 'ses-mri01' });
  assert.equal(booking.operator, 'Jane Doe');
  assert.equal(booking.title, '3010000.01 sub-001 ses-mri01');
  assert.deepEqual(booking.source, { calendar: 'prisma', uid: 'a', recurrenceId: '2026-11-23T09:00:00Z' });
});

test('booking: labels are taken as they are typed', () => {
  assert.deepEqual(labels({ summary: '3010000.01_sub1_ses-1' }), ['3010000.01', 'sub1', 'ses-1']);
  assert.deepEqual(labels({ summary: '3010000.01 sub-01 ses-01' }), ['3010000.01', 'sub-01', 'ses-01']);
});

test('booking: lines of the description, plain or HTML, before the title', () => {
  const lines = 'Hello,\nProject: 3010042.03\r\nsubject : sub-017\n Session=ses-b\nbye';
  assert.deepEqual(labels({ summary: 'Sleep', description: lines }), ['3010042.03', 'sub-017', 'ses-b']);
  const html = '<div>Project:&nbsp;<b>3010042.03</b></div><p>Subject: sub-017<br>Session: ses-b</p>';
  assert.deepEqual(labels({ summary: 'Sleep', description: html }), ['3010042.03', 'sub-017', 'ses-b']);
});

test('booking: typographic dashes and spaces are what was meant', () => {
  assert.deepEqual(labels({ summary: '3010000.01\u00a0sub\u2013001 ses\u2011mri01' }), [
    '3010000.01',
    'sub-001',
    'ses-mri01',
  ]);
});

test('booking: title and description may complete and confirm each other', () => {
  assert.deepEqual(labels({ description: 'Session: ses-mri01' }), ['3010000.01', 'sub-001', 'ses-mri01']);
});

test('booking: without length it takes an hour and says so', () => {
  const outcome = judge({ end: at('09:00') });
  assert.ok(outcome.outcome === 'booking');
  assert.equal(outcome.booking.end.toString(), '2026-11-23T10:00:00Z');
  assert.equal(outcome.code, 'NO_LENGTH');
});

test('skipped: what is no booking by its own account', () => {
  const cases: [string, Partial<CalendarEvent>][] = [
    ['CANCELLED', { status: 'CANCELLED' }],
    ['CANCELLED_TITLE', { summary: 'Canceled: 3010000.01 sub-001 ses-mri01' }],
    ['FREE', { transparency: 'TRANSPARENT' }],
    ['ALL_DAY', { allDay: true }],
    ['TENTATIVE', { status: 'TENTATIVE' }],
    ['MAINTENANCE', { summary: 'Siemens maintenance' }],
    ['MAINTENANCE', { summary: 'QA' }],
    ['LONG_BLOCK', { summary: 'Congress', end: Temporal.Instant.from('2026-11-25T09:00:00Z') }],
  ];
  for (const [code, more] of cases) {
    const outcome = judge(more);
    assert.deepEqual([outcome.outcome, outcome.code], ['skipped', code]);
    assert.match(outcome.reason, /^[A-Z].*\.$/u);
  }
});

test('rejected: mistakes, each with a sentence and a right example', () => {
  const cases: [string, Partial<CalendarEvent>][] = [
    ['NO_LABELS', { summary: 'scan' }],
    ['NO_LABELS', { summary: '3010000.01 sub-001' }],
    ['NO_DETAILS', { summary: 'Busy' }],
    ['NO_DETAILS', { summary: '' }],
    ['NO_DETAILS', { summary: 'Private appointment' }],
    ['INCOMPLETE', { summary: 'x', description: 'Project: 3010000.01\nSubject: sub-001' }],
    ['CONTRADICTION', { description: 'Subject: sub-002' }],
    ['CONTRADICTION', { summary: 'x', description: 'Subject: sub-002\nSubject: sub-003' }],
    ['SUBJECT_NO_CODE', { summary: 'x', description: 'Project: 1\nSubject: Jane Doe\nSession: 1' }],
    ['SUBJECT_NO_CODE', { summary: 'x', description: 'Project: 1\nSubject: tba\nSession: 1' }],
    ['LABEL_CHARACTERS', { summary: 'x', description: 'Project: ../1\nSubject: s1\nSession: 1' }],
    ['LABEL_CHARACTERS', { summary: 'x', description: 'Project: 1\nSubject: s1^\nSession: 1' }],
    ['LABEL_TOO_LONG', { summary: 'x', description: `Project: 1\nSubject: s1\nSession: ${'a'.repeat(65)}` }],
  ];
  for (const [code, more] of cases) {
    const outcome = judge(more);
    assert.deepEqual([outcome.outcome, outcome.code], ['rejected', code], JSON.stringify(more));
    assert.match(outcome.reason, /(?:Project|Subject|Session): [\w.-]+/u);
  }
});

test('rejected: a title is shown as an example only where the patterns read it', () => {
  assert.match(judge({ summary: 'scan' }).reason, /title like “3010000\.01 sub-001 ses-mri01”/u);
  const other = [/^#(?<project>\d+)\/(?<subject>\d+)\/(?<session>\d+)/u];
  assert.doesNotMatch(judge({ summary: 'scan' }, other).reason, /title like/u);
});

test('rejected: no reason repeats the title', () => {
  assert.doesNotMatch(judge({ summary: 'Jane Doe' }).reason, /Jane/u);
});
