import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compilePattern, type BookingRecord } from '@scanflow/booking';
import { route, type Attributes, type Patterns } from './route.ts';

const patterns: Patterns = {
  PatientID: /^(?<project>\d{7}\.\d{2})_(?<subject>sub-?\w+)$/u,
  StudyID: /^(?<session>ses-?\w+)$/u,
};
const good: Attributes = { PatientID: '3010000.01_sub-001', StudyID: 'ses-01', AccessionNumber: 'A1' };

const record = (project: string): BookingRecord => ({
  version: 1,
  accessionNumber: 'A1',
  studyInstanceUid: '2.25.1',
  status: 'scheduled',
  scanner: 'prisma',
  modality: 'MR',
  start: '2026-11-22T08:00:00Z',
  end: '2026-11-22T09:00:00Z',
  labels: { project, subject: 'sub-9', session: 'ses-9' },
  title: '',
  patientId: '',
  patientName: '',
  source: { calendar: 'c', uid: 'u' },
});
const none = { byAccession: undefined, byStudy: undefined, patterns };

test('route: accession number, then Study UID, then patterns', () => {
  const byAccession = record('a');
  const byStudy = record('s');
  const project = (input: Parameters<typeof route>[0]): string => {
    const found = route(input);
    return found.kind === 'labels' ? `${found.by} ${found.labels.project}` : found.kind;
  };
  assert.equal(project({ attributes: good, byAccession, byStudy, patterns }), 'accession a');
  assert.equal(project({ attributes: good, byAccession: undefined, byStudy, patterns }), 'study s');
  assert.equal(project({ attributes: good, ...none }), 'patterns 3010000.01');
});

test('route: a cancelled booking still gives its labels', () => {
  const cancelled = { ...record('a'), status: 'cancelled' as const };
  assert.equal(route({ ...none, attributes: good, byAccession: cancelled }).kind, 'labels');
});

test('route: a relabelled booking gives the labels under which somebody was scanned, not the new ones', () => {
  const superseded = { ...record('a'), status: 'superseded' as const, supersededBy: 'B1' };
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
  const only = route({ ...none, attributes: good, patterns: { StudyID: /^(?<session>.+)$/u } });
  assert.ok(only.kind === 'quarantine' && only.reason.code === 'ROUTE_INCOMPLETE');
  assert.match(only.reason.message, /project, subject/);
  const two = route({
    ...none,
    attributes: good,
    patterns: { ...patterns, AccessionNumber: /^(?<session>.+)$/u },
  });
  assert.ok(two.kind === 'quarantine' && two.reason.code === 'ROUTE_CONTRADICTION');
  assert.equal(route({ ...none, attributes: good, patterns: {} }).kind, 'quarantine');
});

test('route: a value of a megabyte keeps no pattern busy', () => {
  const attributes = { ...good, PatientID: `3010000.01_sub-${'a'.repeat(1_000_000)}` };
  assert.equal(route({ attributes, ...none }).kind, 'quarantine');
});

test('route: a pattern that takes too long on a value leaves the series in quarantine, and says so', () => {
  const slow = compilePattern(String.raw`^(?!x)(?<project>(?:\w+[- ]?)+) (?<subject>s\d+)_(?<session>\d+)$`);
  const given = { ...none, attributes: { PatientID: `${'a'.repeat(40)}!` }, patterns: { PatientID: slow } };
  const found = route(given);
  assert.equal(found.kind === 'quarantine' && found.reason.code, 'ROUTE_PATTERN_SLOW');
  const next = route({ ...given, attributes: { PatientID: 'abc s1_2' } });
  assert.deepEqual(next.kind === 'labels' && next.labels, { project: 'abc', subject: 's1', session: '2' });
});
