import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BookableEvent, BookingRules } from './rules.ts';
import { at, judge, lines } from '@scanflow/testkit/events';
import type { Outcome } from './outcome.ts';

const is = (outcome: Outcome): string => `${outcome.outcome} ${outcome.code}`;

const labels = (more: Partial<BookableEvent>, own: Partial<BookingRules> = {}): unknown => {
  const outcome = judge(more, own);
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
  const typed = 'Hello,\nProject: 3010042.03\r\nsubject : sub-017\n Session=ses-b\nbye';
  assert.deepEqual(labels({ summary: 'Sleep', description: typed }), ['3010042.03', 'sub-017', 'ses-b']);
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
  const cases: [string, Partial<BookableEvent>][] = [
    ['CANCELLED', { status: 'CANCELLED' }],
    ['CANCELLED_TITLE', { summary: 'Canceled: 3010000.01 sub-001 ses-mri01' }],
    ['FREE', { transparency: 'TRANSPARENT' }],
    ['ALL_DAY', { summary: 'Open day', allDay: true }],
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
  const cases: [string, Partial<BookableEvent>][] = [
    ['NO_LABELS', { summary: 'scan' }],
    ['NO_DETAILS', { summary: 'Busy' }],
    ['NO_DETAILS', { summary: '' }],
    ['NO_DETAILS', { summary: 'Private appointment' }],
    ['INCOMPLETE', { summary: 'x', description: 'Project: 3010000.01\nSubject: sub-001' }],
    ['CONTRADICTION', { description: 'Subject: sub-002' }],
    ['CONTRADICTION', { summary: 'x', description: 'Subject: sub-002\nSubject: sub-003' }],
    ['SUBJECT_NO_CODE', { summary: 'x', description: 'Project: 1\nSubject: Jane Doe\nSession: 1' }],
    ['SUBJECT_OPEN', { summary: 'x', description: 'Project: 1\nSubject: tba\nSession: 1' }],
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
  assert.doesNotMatch(judge({ summary: 'scan' }, { patterns: other }).reason, /title like/u);
});

test('rejected: no reason repeats the title', () => {
  assert.doesNotMatch(judge({ summary: 'Jane Doe' }).reason, /Jane/u);
});

test('booking: X-DICOM properties before the description before the title; all must agree', () => {
  const xLabels = { project: '3010042.03', subject: 'sub-017', session: 'ses-b' };
  assert.deepEqual(labels({ summary: 'Sleep', labels: xLabels }), Object.values(xLabels));
  const outcome = judge({ summary: 'x', labels: { subject: 'sub-1' }, description: 'Subject: sub-2' });
  assert.equal(is(outcome), 'rejected CONTRADICTION');
  assert.match(outcome.reason, /“sub-1” in the X-DICOM property and “sub-2” in the description/u);
  assert.equal(is(judge({ labels: { subject: 'sub-2' } })), 'rejected CONTRADICTION');
  assert.deepEqual(labels({ labels: { subject: 'sub-001' } }), ['3010000.01', 'sub-001', 'ses-mri01']);
});

test('booking: an all-day event and a long one are bookings only where they are labelled, with a warning', () => {
  const end = at('09:00').add({ hours: 24 });
  assert.equal(is(judge({ allDay: true, end })), 'booking LONG_BOOKING');
  assert.equal(is(judge({ allDay: true, end, summary: 'Building closed' })), 'skipped ALL_DAY');
  assert.equal(is(judge({ end, summary: 'Congress' })), 'skipped LONG_BLOCK');
});

test('booking: entities, numeric too, and scripts of HTML descriptions', () => {
  const html =
    '<html><style>p { Project: none }</style><p>Project&#58;&nbsp;3010042.03</p>' +
    '<ul><li>Subject: sub&#x2011;017</li><li>Session: ses-b &amp;c</li></ul></html>';
  assert.equal(is(judge({ summary: 'x', description: html })), 'rejected LABEL_CHARACTERS');
  assert.deepEqual(labels({ summary: 'x', description: html.replace(' &amp;c', '') }), [
    '3010042.03',
    'sub-017',
    'ses-b',
  ]);
});

test('vocabulary: defaults, words of lines and rewriting only as configured', () => {
  const session = { defaults: { session: '1' } };
  const optional = [/^(?<project>\d{7}\.\d{2}) (?<subject>sub-\w+)(?: (?<session>ses-\w+))?/u];
  assert.deepEqual(labels({ summary: '3010000.01 sub-001' }, { ...session, patterns: optional }), [
    '3010000.01',
    'sub-001',
    '1',
  ]);
  const dutch = { project: ['Project'], subject: ['Proefpersoon', 'PP'], session: ['Sessie'] };
  const description = 'project: 3010000.01\npp: sub-001\nSESSIE: a1';
  assert.deepEqual(labels({ summary: 'x', description }, { keys: dutch }), ['3010000.01', 'sub-001', 'a1']);
  const normalise = { subject: { case: 'lower', prefix: 'sub-', pad: 3 } } as const;
  const outcome = judge(lines('1', 'SUB-1', 's1'), { normalise });
  assert.equal(is(outcome), 'booking NORMALISED');
  assert.deepEqual(labels(lines('1', '7', 's1'), { normalise }), ['1', 'sub-007', 's1']);
  assert.deepEqual(labels(lines('1', 'SUB-1', 's1')), ['1', 'SUB-1', 's1']);
  const confirmed = { summary: '3010000.01 sub-001 ses-mri01', description: 'Subject: SUB-1' };
  assert.equal(is(judge(confirmed, { normalise })), 'booking NORMALISED');
  assert.equal(is(judge(confirmed)), 'rejected CONTRADICTION');
});

test('projects: only those of the list', () => {
  const projects = new Map([
    ['3010000.01', {}],
    ['3010000.02', {}],
  ]);
  assert.equal(is(judge({}, { projects })), 'booking BOOKING');
  const refused = judge({ summary: '3010000.03 sub-001 ses-1' }, { projects });
  assert.equal(is(refused), 'rejected PROJECT_UNKNOWN');
  assert.match(refused.reason, /Project: 3010000\.01/u);
});

test('policies: tentative, private and busy as configured', () => {
  const cases: [Partial<BookableEvent>, Partial<BookingRules>, string][] = [
    [{ status: 'TENTATIVE' }, {}, 'skipped TENTATIVE'],
    [{ status: 'TENTATIVE' }, { tentative: 'take' }, 'booking BOOKING'],
    [{ status: 'TENTATIVE' }, { tentative: 'reject' }, 'rejected TENTATIVE_REFUSED'],
    [{ class: 'PRIVATE' }, {}, 'booking BOOKING'],
    [{ class: 'CONFIDENTIAL' }, { private: 'skip' }, 'skipped PRIVATE_SKIPPED'],
    [{ class: 'PRIVATE' }, { private: 'reject' }, 'rejected PRIVATE_REFUSED'],
    [{ summary: 'Busy' }, {}, 'rejected NO_DETAILS'],
    [{ summary: 'Busy' }, { busy: 'skip' }, 'skipped BUSY_SKIPPED'],
  ];
  for (const [more, own, expected] of cases) assert.equal(is(judge(more, own)), expected);
});

test('bookers: addresses of who booked stay with the booking, and with an event that is none', () => {
  const bookers = ['Jane@example.org', 'jane@example.org', `${'x'.repeat(250)}@example.org`];
  const outcome = judge({ organizer: 'Jane Doe', bookers });
  assert.ok(outcome.outcome === 'booking');
  assert.deepEqual([outcome.bookers, outcome.record.bookers], [['jane@example.org'], ['jane@example.org']]);
  const without = judge({ organizer: 'Jane Doe' });
  assert.ok(without.outcome === 'booking');
  const { bookers: _, ...rest } = outcome.record;
  assert.deepEqual(rest, without.record, 'nothing else changes, its identity least of all');
  const refused = judge({ summary: 'a scan', bookers });
  assert.deepEqual([refused.outcome, refused.bookers], ['rejected', ['jane@example.org']]);
  assert.ok(!('bookers' in without) && !('bookers' in without.record));
  const many = judge({ bookers: Array.from({ length: 80 }, (_, at) => `${at}@example.org`) });
  assert.equal(many.bookers?.length, 50);
});

test('private: neither title nor person is copied', () => {
  const outcome = judge({ class: 'PRIVATE', organizer: 'Jane Doe', bookers: ['jane@example.org'] });
  assert.ok(outcome.outcome === 'booking');
  assert.equal(outcome.record.title, '');
  assert.equal(outcome.record.operator, undefined);
  assert.equal(outcome.record.bookers, undefined);
});

test('scanner: by location, category or resource', () => {
  const scanner = {
    by: 'location',
    map: { 'Room 1': 'prisma', 'Room 2': 'skyra' },
    otherwise: 'reject',
  } as const;
  const by = (more: Partial<BookableEvent>, own: Partial<typeof scanner> | object = {}): string => {
    const outcome = judge(more, { scanner: { ...scanner, ...own } });
    return outcome.outcome === 'booking' ? outcome.booking.scanner : is(outcome);
  };
  assert.equal(by({ location: 'room\u00a02 ' }), 'skyra');
  assert.equal(by({ location: 'Canteen' }), 'rejected SCANNER_UNKNOWN');
  assert.equal(by({}, { otherwise: 'skip' }), 'skipped OTHER_PLACE');
  assert.equal(by({}, { otherwise: { name: 'prisma' } }), 'prisma');
  assert.equal(by({ location: 'Room 1; Room 2' }), 'rejected SCANNER_AMBIGUOUS');
  assert.equal(by({ categories: ['x', 'ROOM 1'] }, { by: 'categories' }), 'prisma');
  assert.equal(by({ resources: ['Room 2', 'r2@example.org'] }, { by: 'resource' }), 'skyra');
});

const MISTAKES: [code: string, title: string][] = [
  ['INCOMPLETE', '3010000.01 sub-001'],
  ['INCOMPLETE', '3010000.01 ses-mri01'],
  ['TITLE_FORM', 'sub-001 3010000.01 ses-mri01'],
  ['TITLE_FORM', 'Pilot: 3010000.01 sub-001 ses-mri01'],
  ['TWO_SUBJECTS', '3010000.01 sub-001 sub-002 ses-mri01'],
  ['TWO_SUBJECTS', '3010000.01 sub-001 ses-mri01 + sub-002'],
  ['TWO_SUBJECTS', 'sub-001/sub-002'],
  ['LETTER_O', '3O10000.01 sub-001 ses-mri01'],
  ['LETTER_O', '3010000.O1 sub-001 ses-mri01'],
  ['LETTER_O', '3010000.01 sub-OO1 ses-mri01'],
  ['SUBJECT_OPEN', '3010000.01 sub-tba ses-mri01'],
  ['SUBJECT_OPEN', '3010000.01 sub-XX ses-mri01'],
  ['SUBJECT_OPEN', '3010000.01 tba'],
  ['SUBJECT_OPEN', 'TBD'],
  ['SUBJECT_NO_CODE', '3010000.01 sub-pilot ses-mri01'],
];
for (const [code, summary] of MISTAKES)
  test(`mistakes: ${summary} is ${code}`, () => {
    const outcome = judge({ summary });
    assert.equal(is(outcome), `rejected ${code}`);
    assert.match(outcome.reason, /(?:Project|Subject|Session): [\w.-]+/u);
  });

test('mistakes: two subjects and a name in the description', () => {
  for (const subject of ['sub-001, sub-002', 'sub-001 and sub-002', 'sub-1/sub-2', 's1 + s2'])
    assert.equal(is(judge(lines('1', subject, 's1'))), 'rejected TWO_SUBJECTS', subject);
  assert.equal(is(judge(lines('1', 'Jane Doe', 's1'))), 'rejected SUBJECT_NO_CODE');
});

test('mistakes: what only looks like one is taken', () => {
  for (const subject of ['sub-co1', 'pro2', 'A+B1', 'Rob01', 's1.o'])
    assert.equal(is(judge(lines('1', subject, 's1'))), 'booking BOOKING', subject);
  assert.equal(is(judge({ summary: '3010000.01 sub-001 ses-mri01 substance 2' })), 'booking BOOKING');
});

test('cancelled: anywhere in the title, but not “not cancelled” and not noise cancellation', () => {
  const cases: [string, string][] = [
    ['3010000.01 sub-001 ses-mri01 CANCELLED', 'skipped CANCELLED_TITLE'],
    ['[Geannuleerd] 3010000.01 sub-001 ses-mri01', 'skipped CANCELLED_TITLE'],
    ['Cancellation: 3010000.01 sub-001 ses-mri01', 'skipped CANCELLED_TITLE'],
    ['3010000.01 sub-001 ses-mri01 (not cancelled)', 'booking BOOKING'],
    ['3010000.01 sub-001 ses-mri01 noise cancellation', 'booking BOOKING'],
  ];
  for (const [summary, expected] of cases) assert.equal(is(judge({ summary })), expected, summary);
});

test('time: nothing that people paste keeps interpretation busy', () => {
  const pages = [
    `${' '.repeat(50_000)}\n`.repeat(3),
    '<p'.repeat(50_000),
    '<style>'.repeat(20_000),
    `Project:${' '.repeat(1900)}x`,
    '&#'.repeat(50_000),
    '*'.repeat(50_000),
  ];
  const titles = [
    '3'.repeat(5000),
    'sub-'.repeat(1200),
    'O0'.repeat(2500),
    'a '.repeat(2000),
    `1${' '.repeat(5000)}`,
  ];
  const costOf = (work: () => void): number => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  const ordinary = costOf(() => {
    for (let turn = 0; turn < 50; turn += 1) judge({ summary: 'x', description: 'just words '.repeat(1500) });
  });
  const pasted = costOf(() => {
    for (const description of pages) judge({ summary: 'x', description });
    for (const summary of titles) judge({ summary });
    for (const subject of ['1,'.repeat(900), '1 '.repeat(900), `1${' '.repeat(1800)}`])
      judge(lines('1', subject, '1'));
  });
  // work that grows with the square of the text would be hundreds of times more
  assert.ok(pasted < 20 * ordinary + 500_000, `${pasted} µs against ${ordinary} µs`);
});
