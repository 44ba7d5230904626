import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern, type BookingRecord } from '@scanflow/booking';
import { bookingRecord } from '@scanflow/testkit/events';
import { PATTERNS as patterns, routeRules } from '@scanflow/testkit/streamer';
import { BookingIndex } from './bookings.ts';
import { route, type RouteRules } from './route.ts';
import type { Attributes } from '../../model/series.ts';

const good: Attributes = { PatientID: '3010000.01_sub-001', StudyID: 'ses-01', AccessionNumber: 'A1' };

const record = (project: string): BookingRecord =>
  bookingRecord({
    accessionNumber: 'A1',
    studyInstanceUid: '2.25.1',
    labels: { project, subject: 'sub-001', session: 'ses-9' },
  });
const none = { byAccession: undefined, byStudy: undefined, known: new BookingIndex(), rules: routeRules() };

test('route: accession number, then Study UID, then patterns', () => {
  const byAccession = record('3010000.01');
  const byStudy = { ...byAccession, accessionNumber: 'S1' };
  const project = (input: Parameters<typeof route>[0]): string => {
    const found = route(input);
    return found.kind === 'labels' ? `${found.by} ${found.booking?.accessionNumber ?? ''}` : found.kind;
  };
  assert.equal(project({ ...none, attributes: good, byAccession, byStudy }), 'accession A1');
  assert.equal(project({ ...none, attributes: good, byStudy }), 'study S1');
  assert.equal(project({ attributes: good, ...none }), 'patterns ');
});

test('route: a cancelled booking still gives its labels', () => {
  const cancelled = { ...record('3010000.01'), status: 'cancelled' as const };
  assert.equal(route({ ...none, attributes: good, byAccession: cancelled }).kind, 'labels');
});

test('route: a relabelled booking gives the labels under which somebody was scanned, not the new ones', () => {
  const superseded = { ...record('3010000.01'), status: 'superseded' as const, supersededBy: 'B1' };
  const found = route({ ...none, attributes: good, byAccession: superseded });
  assert.ok(found.kind === 'labels');
  assert.equal(found.labels, superseded.labels);
});

test('route: every pattern must match', () => {
  for (const attributes of [
    { ...good, StudyID: '1' },
    { ...good, PatientID: '' },
    {},
    { StudyID: 'ses-01' },
  ]) {
    const found = route({ attributes, ...none });
    assert.ok(found.kind === 'quarantine');
    assert.equal(found.reason.code, 'ROUTE_NO_MATCH');
    assert.doesNotMatch(found.reason.message, /3010000|ses-01/, 'a value stands in the reason');
  }
});

test('route: labels that are missing or contradict each other', () => {
  const only = route({
    ...none,
    attributes: good,
    rules: routeRules({ patterns: { StudyID: /^(?<session>.+)$/u } }),
  });
  assert.ok(only.kind === 'quarantine' && only.reason.code === 'ROUTE_INCOMPLETE');
  assert.match(only.reason.message, /project, subject/);
  const two = route({
    ...none,
    attributes: good,
    rules: routeRules({ patterns: { ...patterns, AccessionNumber: /^(?<session>.+)$/u } }),
  });
  assert.ok(two.kind === 'quarantine' && two.reason.code === 'ROUTE_CONTRADICTION');
  assert.equal(route({ ...none, attributes: good, rules: routeRules({ patterns: {} }) }).kind, 'quarantine');
});

test('route: a value of a megabyte keeps no pattern busy', () => {
  const attributes = { ...good, PatientID: `3010000.01_sub-${'a'.repeat(1_000_000)}` };
  assert.equal(route({ attributes, ...none }).kind, 'quarantine');
});

test('route: a pattern that takes too long on a value leaves the series in quarantine, and says so', () => {
  const slow = compilePattern(String.raw`^(?!x)(?<project>(?:\w+[- ]?)+) (?<subject>s\d+)_(?<session>\d+)$`);
  const given = {
    ...none,
    attributes: { PatientID: `${'a'.repeat(40)}!` },
    rules: routeRules({ patterns: { PatientID: slow } }),
  };
  const found = route(given);
  assert.equal(found.kind === 'quarantine' && found.reason.code, 'ROUTE_PATTERN_SLOW');
  const next = route({ ...given, attributes: { PatientID: 'abc s1_2' } });
  assert.deepEqual(next.kind === 'labels' && next.labels, { project: 'abc', subject: 's1', session: '2' });
});

test('route: a doubt is shown, or quarantines where the configuration says so', () => {
  const byAccession = record('3010000.01');
  const attributes = { ...good, StudyInstanceUID: '1.2.3' };
  const shown = route({ ...none, attributes, byAccession });
  assert.ok(shown.kind === 'labels');
  assert.deepEqual(
    shown.doubts?.map(({ kind }) => kind),
    ['study', 'spelling'],
  );
  const strict = route({
    ...none,
    attributes,
    byAccession,
    rules: routeRules({ quarantined: new Set(['study'] as const) }),
  });
  assert.ok(strict.kind === 'quarantine');
  assert.equal(strict.reason.code, 'ROUTE_DOUBT');
  assert.match(strict.reason.message, /1\.2\.3/);
  assert.doesNotMatch(strict.reason.message, /StudyID/, 'a doubt that is only shown is no reason');
});

test('route: images of an unknown sender are quarantined, with a booking and without; HTTP and nobody-looked-yet are not', () => {
  const rules = routeRules<Partial<RouteRules>>({ admits: (aet) => aet === 'PRISMA' });
  const byAccession = record('3010000.01');
  const kind = (over: Partial<Parameters<typeof route>[0]>): string => {
    const found = route({ ...none, attributes: good, rules, ...over });
    return found.kind === 'quarantine' ? found.reason.code : found.kind;
  };
  assert.equal(kind({ sender: { aet: 'PRISMA' } }), 'labels');
  assert.equal(kind({ sender: { aet: 'NOBODY' } }), 'ROUTE_UNKNOWN_SENDER');
  assert.equal(kind({ sender: { aet: '' } }), 'ROUTE_UNKNOWN_SENDER');
  assert.equal(kind({ sender: { aet: 'NOBODY' }, byAccession }), 'ROUTE_UNKNOWN_SENDER');
  assert.equal(kind({ sender: { aet: '', uploaded: true } }), 'labels');
  assert.equal(kind({ sender: undefined }), 'labels');
  const found = route({
    ...none,
    attributes: good,
    rules,
    sender: { aet: 'X', called: 'ANY', address: '10.0.0.7' },
  });
  assert.ok(found.kind === 'quarantine');
  assert.match(found.reason.message, /AE title X \(address 10\.0\.0\.7, calling ANY\)/);
});

test('route: labels that images give obey the rules of labels; those of bookings were judged before', () => {
  const labels = { characters: 'ascii', patterns: { project: /^\d{7}\.\d{2}$/u } } as const;
  const any = { PatientID: /^(?<project>.+)_(?<subject>sub.+)$/u, StudyID: patterns.StudyID };
  const rules = routeRules({ patterns: any, labels });
  const of = (project: string, more: object = {}): string => {
    const found = route({ ...none, rules, attributes: { ...good, PatientID: `${project}_sub-1` }, ...more });
    return found.kind === 'quarantine' ? found.reason.code : found.kind;
  };
  assert.equal(of('3010000.01'), 'labels');
  for (const project of ['other', '301000\u0660.01', 'scanflow-reports'])
    assert.equal(of(project), 'ROUTE_LABEL', project);
  const old = { rules: routeRules({ patterns: any }) };
  assert.equal(of('other', old), 'labels');
  assert.equal(of('scanflow-reports', old), 'ROUTE_LABEL');
});

test('route: labels of images are whole, also where a pattern stops before their end', () => {
  const labelsOf = (attributes: Attributes, own: Record<string, RegExp> = {}): unknown => {
    const rules = routeRules({ patterns: { ...patterns, ...own } });
    const found = route({ ...none, rules, attributes: { ...good, ...attributes } });
    return found.kind === 'labels' ? Object.values(found.labels).join(' ') : found.reason.code;
  };
  for (const session of ['ses-mri-01', 'ses-mri01.2', 'ses-1+2'])
    assert.equal(labelsOf({ StudyID: session }), `3010000.01 sub-001 ${session}`);
  const open = { StudyID: /^(?<session>ses-?\w+)/u };
  assert.equal(labelsOf({ StudyID: 'ses-mri-01' }, open), '3010000.01 sub-001 ses-mri-01');
  assert.equal(labelsOf({ StudyID: 'ses-mri01 (2)' }, open), '3010000.01 sub-001 ses-mri01');
  const name = { PatientName: /^(?<project>\d{7}\.\d{2})_(?<subject>sub-[a-z0-9]+)/u };
  for (const value of ['3010000.01_sub-001^^', '3010000.01_sub-001^x', '3010000.01_sub-001_ses-9'])
    assert.equal(labelsOf({ PatientName: value }, name), '3010000.01 sub-001 ses-01', value);
  assert.equal(labelsOf({ PatientName: '3010000.01_sub-001-b' }, name), 'ROUTE_CONTRADICTION');
});

test('route: a label that is whole and has what no label may have is refused', () => {
  const open = { ...patterns, StudyID: /^(?<session>ses-?\w+)/u };
  const rules = routeRules<Partial<RouteRules>>({
    patterns: open,
    labels: { characters: 'ascii', patterns: {} },
  });
  const found = route({ ...none, rules, attributes: { ...good, StudyID: 'ses-pré01' } });
  assert.equal(found.kind === 'quarantine' && found.reason.code, 'ROUTE_LABEL');
});
