import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookingRules } from './booking-rules.ts';
import { parseConfig } from './load.ts';
import type { Config } from './schema.ts';

const text = (calendar: string, bookings = '{}'): string =>
  [
    'facility: { name: x, timezone: UTC }',
    'data: /data',
    'scanners: { prisma: { aet: A, modality: MR }, skyra: { aet: B, modality: PT } }',
    `calendars: { lab: { file: x.ics, ${calendar} } }`,
    `bookings: ${bookings}`,
    "orthanc: { url: 'http://127.0.0.1:1' }",
    'storage: { root: /project }',
  ].join('\n');
const read = (calendar: string, bookings?: string): Config => {
  const parsed = parseConfig(text(calendar, bookings), 'f');
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return parsed.config;
};
const issues = (calendar: string, bookings?: string): string[] => {
  const parsed = parseConfig(text(calendar, bookings), 'f');
  return parsed.ok ? [] : parsed.issues.map(({ path, message }) => `${path}: ${message}`);
};

test('vocabulary: a calendar has its own, and else that of bookings', () => {
  const bookings = "{ tentative: take, keys: { subject: [PP] }, defaults: { session: '1' } }";
  const rules = bookingRules(read('scanner: prisma', bookings), 'lab');
  assert.deepEqual(rules.scanner, { name: 'prisma' });
  assert.deepEqual(
    [rules.tentative, rules.keys.subject, rules.keys.project, rules.defaults],
    ['take', ['PP'], ['Project'], { session: '1' }],
  );
  assert.deepEqual(rules.modalities, { prisma: 'MR', skyra: 'PT' });
  const own = bookingRules(read('scanner: prisma, tentative: reject, defaultLength: 90m', bookings), 'lab');
  assert.deepEqual([own.tentative, own.defaultLength], ['reject', 5_400_000]);
});

test('vocabulary: words of languages come beside those of keys, for all calendars or for one', () => {
  const words = (calendar: string, bookings?: string): readonly string[] =>
    bookingRules(read(`scanner: prisma${calendar}`, bookings), 'lab').keys.subject;
  assert.deepEqual(words(''), ['Subject']);
  assert.ok(words('', '{ languages: [nl] }').includes('Proefpersoon'));
  assert.equal(words('', '{ languages: [nl], keys: { subject: [PP] } }')[0], 'PP');
  assert.ok(!words(', languages: [de]', '{ languages: [nl] }').includes('Proefpersoon'));
  assert.ok(words(', languages: [de]', '{ languages: [nl] }').includes('Proband'));
  assert.match(String(issues('scanner: prisma, languages: [xx]')[0]), /calendars\.lab\.languages\.0/);
});

test('vocabulary: a scanner by location', () => {
  const rule = '{ by: location, map: { Room 1: prisma }, otherwise: skyra }';
  assert.deepEqual(bookingRules(read(`scanner: ${rule}`), 'lab').scanner, {
    by: 'location',
    map: { 'Room 1': 'prisma' },
    otherwise: { name: 'skyra' },
  });
});

test('vocabulary: mistakes are told', () => {
  const rule = '{ by: location, map: { Room 1: prism }, otherwise: nobody }';
  assert.deepEqual(
    issues(`scanner: ${rule}`).map((one) => one.split(':')[0]),
    ['calendars.lab.scanner.map.Room 1', 'calendars.lab.scanner.otherwise'],
  );
  const pattern = "patterns: ['^(?<project>P)(?<subject>S)$']";
  assert.match(String(issues(`scanner: prisma, ${pattern}`)[0]), /lacks the named group \(\?<session>…\)/);
  assert.deepEqual(issues(`scanner: prisma, ${pattern}, defaults: { session: '1' }`), []);
  assert.match(
    String(issues('scanner: prisma, projects: { file: a, url: "http://a.example.org/" }')[0]),
    /exactly one of file and url/,
  );
});
