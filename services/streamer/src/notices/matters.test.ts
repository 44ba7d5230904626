import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bookingRules, IT_TOPICS, parseConfig } from '@scanflow/config';
import { interpret } from '@scanflow/booking';
import { itMatters, type ItRules } from './matters-it.ts';
import { bookersTo, eventKey, peopleMatters, type PeopleRules } from './matters-people.ts';
import { closingOf, isUnknown, pictureOf } from './plan.ts';
import type { EventFact, Facts, MachineFact, SeriesFact, Thread } from './types.ts';

const NOW = Temporal.Instant.from('2026-11-30T08:00:00Z').epochMilliseconds;
const DAY = 86_400_000;
const TO = [{ channel: 'mail', address: 'it@example.org' }];
const facts = (over: Partial<Facts> = {}): Facts => ({
  ...{
    now: NOW,
    quarantined: [],
    failed: [],
    waiting: [],
    verification: [],
    hooks: [],
    sessions: [],
    troubles: [],
  },
  ...{ calendars: [], events: { rejected: [], bookings: [] }, machines: new Map(), away: [] },
  ...over,
});
const it = (over: Partial<ItRules> = {}): ItRules => ({
  ...{ to: TO, topics: new Set(IT_TOPICS), urgent: new Set(['storage']), board: 'https://b.example.org' },
  ...{
    zone: 'Europe/Amsterdam',
    stale: 3_600_000,
    certificate: 21 * DAY,
    away: 300_000,
    waiting: 4 * 3_600_000,
  },
  ...over,
});
const people = (over: Partial<PeopleRules> = {}): PeopleRules => ({
  booker: {
    ...{ domains: new Set(['example.org']), topics: new Set(['rejected', 'taken', 'stored']) },
    ...{ example: undefined, contact: 'desk@example.org' },
  },
  ...{ projects: new Map(), board: undefined, zone: 'Europe/Amsterdam' },
  ...over,
});
const series = (id: string, target: string, code = 'X', message = 'Do this.'): SeriesFact => ({
  ...{ series: id, target, code, message, accession: '2026113001', firstSeen: NOW - 1 },
});
const machine = (over: Partial<MachineFact>): MachineFact => ({ disks: [], certificates: [], ...over });
const headings = (over: Partial<Facts>, rules = it()): string[] =>
  itMatters(facts(over), rules).map(({ heading }) => heading);

test('matters of IT: each kind of trouble is a matter of its own', () => {
  assert.deepEqual(headings({}), []);
  const all: Partial<Facts> = {
    quarantined: [series('a', '')],
    failed: [series('b', 'pacs'), series('c', 'pacs', 'Y'), series('d', 'storage')],
    waiting: [series('e', 'pacs')],
    verification: [series('f', 'storage')],
    hooks: [{ hook: 'nifti', event: 'e1', code: 'HOOK_EXIT', message: 'm' }],
    troubles: [{ code: 'STORE_ROOT_MISSING', about: '/project', message: 'mount it' }],
    calendars: [
      { calendar: 'old', state: 'stale', ageSeconds: 7_200, failure: { code: 'FEED_HTML', message: 'm' } },
      { calendar: 'fresh', state: 'stale', ageSeconds: 60 },
      { calendar: 'never', state: 'unknown' },
      { calendar: 'mr1', state: 'unknown', failure: { code: 'CALENDAR_RENAMED', message: 'm' } },
      { calendar: 'shrunk', state: 'good', ageSeconds: 99_999, held: 30 },
    ],
    machines: new Map([
      [
        'worklist',
        machine({
          certificates: [
            { key: 'soon', ends: '2026-12-10T00:00:00Z' },
            { key: 'late', ends: '2027-12-10T00:00:00Z' },
          ],
        }),
      ],
      [
        'receiver',
        machine({
          disks: [{ path: '/data', problem: 'is nearly full: 0.1 of 9.0 GB free' }],
          certificates: [{ key: 'gone', failure: 'ENOENT' }],
        }),
      ],
      ['cal2wl', undefined],
    ]),
    away: [
      { service: 'cal2wl', since: NOW - 300_000 },
      { service: 'receiver', since: NOW - 1_000 },
    ],
  };
  assert.deepEqual(headings(all), [
    '1 series in quarantine',
    '2 series failed at pacs',
    '1 series failed at storage',
    '1 series longer than 4 hours on the way to pacs',
    '1 series with missing or changed files in project storage',
    '1 failed runs of the hook nifti',
    'The calendar old cannot be read',
    'The calendar never cannot be read',
    'The calendar mr1 seems to have a new name',
    'The calendar shrunk lost many bookings at once',
    'Trouble with /project: STORE_ROOT_MISSING',
    'The disk of /data (receiver) is nearly full: 0.1 of 9.0 GB free',
    'A certificate runs out soon: soon',
    'A certificate cannot be read: gone',
    'The service cal2wl does not answer',
  ]);
  for (const topic of IT_TOPICS)
    assert.deepEqual(
      itMatters(facts(all), it({ topics: new Set([topic]) })).every((one) => one.topic === topic),
      true,
    );
  assert.deepEqual(headings(all, it({ to: [] })), []);
  assert.equal(itMatters(facts(all), it()).find(({ topic }) => topic === 'storage')?.urgent, true);
});

test('matters of IT: less room on the same disk, or another failure of what waits, is no news', () => {
  const ids = (over: Partial<Facts>): string[] =>
    itMatters(facts(over), it()).flatMap(({ items }) => items.map(({ id }) => id));
  const disk = (gb: string): Partial<Facts> => ({
    machines: new Map([
      ['receiver', machine({ disks: [{ path: '/data', problem: `is nearly full: ${gb} of 9.0 GB free` }] })],
    ]),
  });
  assert.deepEqual(ids(disk('0.1')), ids(disk('0.05')));
  assert.deepEqual(
    ids({ waiting: [series('a', 'pacs', 'X')] }),
    ids({ waiting: [series('a', 'pacs', 'Y')] }),
  );
  assert.notDeepEqual(
    ids({ failed: [series('a', 'pacs', 'X')] }),
    ids({ failed: [series('a', 'pacs', 'Y')] }),
  );
});

test('matters of IT: no labels, and of 501 series the number says that there are more', () => {
  const many = Array.from({ length: 501 }, (_, index) => series(`s${index}`, 'pacs'));
  const [one] = itMatters(facts({ failed: many }), it());
  assert.equal(one?.heading, 'More than 500 series failed at pacs');
  assert.deepEqual(one.paragraphs, ['Do this.', 'Once it is put right: scanflow series retry ID.']);
  assert.equal(one.items[0]?.text, 'X: series s0, accession number 2026113001, came 2026-11-30 08:59');
});

const event = (over: Partial<EventFact> = {}): EventFact => ({
  ...{
    calendar: 'prisma',
    uid: 'u1',
    code: 'NO_LABELS',
    reason: 'The title names no project.',
    summary: 'pilot Anna',
  },
  ...{
    start: '2026-12-01T09:00:00Z',
    end: '2026-12-01T10:00:00Z',
    scanner: 'prisma',
    bookers: ['anna@example.org'],
  },
  ...over,
});
const booked = event({
  code: 'BOOKING',
  reason: '',
  project: 'p',
  subject: 's',
  session: 't',
  accessionNumber: 'A1',
});

test('matters of bookers: a rejected booking with its reason and an example that is right', () => {
  const { matters } = peopleMatters(facts({ events: { rejected: [event()], bookings: [] } }), people());
  const [one] = matters;
  assert.equal(one?.heading, 'Your booking of prisma 2026-12-01 10:00 cannot be taken');
  assert.deepEqual(
    one.items.map(({ text }) => text),
    ['“pilot Anna”'],
  );
  assert.deepEqual(one.to, [{ channel: 'mail', address: 'anna@example.org' }]);
  assert.ok(
    one.paragraphs.includes('The title names no project.') &&
      one.paragraphs.includes('Questions: desk@example.org'),
  );
  const example = one.paragraphs.find((text) => text.includes('Project:'))?.split(':\n')[1] ?? '';
  assert.equal(verdictOf(example), 'booking');
});

/** What an event with this description becomes, by the default rules. */
function verdictOf(description: string): string {
  const loaded = parseConfig(CONFIG, 'scanflow.yaml');
  assert.ok(loaded.ok);
  const outcome = interpret(
    {
      ...{
        uid: 'u',
        start: Temporal.Instant.from('2026-12-01T09:00:00Z'),
        end: Temporal.Instant.from('2026-12-01T10:00:00Z'),
      },
      ...{ allDay: false, summary: 'scan', description, attendees: [], status: 'CONFIRMED' },
      ...{ transparency: 'OPAQUE', class: 'PUBLIC' },
    },
    bookingRules(loaded.config, 'prisma'),
  );
  return outcome.outcome;
}

const CONFIG = `
facility: { name: F, timezone: Europe/Amsterdam }
data: /data
scanners: { prisma: { aet: PRISMA, modality: MR } }
calendars: { prisma: { url: https://booking.example.org/prisma.ics, scanner: prisma } }
orthanc: { url: http://orthanc:8042 }
storage: { root: /project }
`;

test('matters of bookers: only addresses of allowed domains, and never a list of people', () => {
  const of = (...bookers: string[]): string[] =>
    bookersTo(bookers, { domains: new Set(['example.org']) }).map(({ address }) => address);
  assert.deepEqual(of('Anna@Example.org', 'anna@example.org'), ['anna@example.org']);
  assert.deepEqual(of('a@lab.example.org', 'b@example.org.evil.net', 'c@notexample.org'), []);
  assert.deepEqual(
    of('a@example.org\r\nBcc: x@example.org', '"a b"@example.org', '<a@example.org>', '@example.org'),
    [],
  );
  assert.deepEqual(of('a@example.org', 'b@example.org', 'c@example.org', 'd@example.org'), []);
});

test('matters of bookers: what is over, and who has no address, is left out; topics are chosen', () => {
  const of = (rejected: EventFact[], bookings: EventFact[], topics = ['rejected', 'taken']): string[] =>
    peopleMatters(
      facts({ events: { rejected, bookings } }),
      people({ booker: { ...people().booker!, topics: new Set(topics) } }),
    ).matters.map(({ topic }) => topic);
  assert.deepEqual(of([event()], [booked]), ['rejected', 'taken']);
  assert.deepEqual(of([event()], [booked], ['taken']), ['taken']);
  assert.deepEqual(of([event({ end: '2026-11-30T08:00:00Z' })], []), []);
  assert.deepEqual(of([event({ bookers: undefined })], [event({ ...booked, bookers: ['x@y.z'] })]), []);
  assert.deepEqual(of([event({ start: 'x', end: 'y' })], []), []);
});

test('matters of bookers: corrected is told, deleted is not, and nothing is over while cal2wl does not answer', () => {
  const key = eventKey(event());
  const thread = { matter: key, heading: 'h' } as Thread;
  const picture = (over: Partial<Facts>) => pictureOf(facts(over), it(), people());
  const corrected = picture({ events: { rejected: [], bookings: [booked] } });
  assert.deepEqual(
    closingOf(thread, corrected)?.heading,
    'Your booking of prisma 2026-12-01 10:00 is taken now',
  );
  assert.equal(closingOf(thread, picture({})), undefined);
  const twins = picture({ events: { rejected: [event()], bookings: [booked] } });
  assert.equal(closingOf(thread, twins), undefined);
  assert.deepEqual(
    [isUnknown(thread, picture({ events: undefined })), isUnknown(thread, picture({}))],
    [true, false],
  );
  const of = (matter: string, over: Partial<Facts>): boolean =>
    isUnknown({ matter } as Thread, picture(over));
  assert.ok(of('calendar:prisma', { calendars: undefined }) && !of('quarantine', { calendars: undefined }));
  const silent = { machines: new Map([['receiver', undefined]]) };
  assert.ok(of('certificate:receiver:x', silent) && !of('certificate:worklist:x', silent));
});
