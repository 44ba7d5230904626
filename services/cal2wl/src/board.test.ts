import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { encodeBookingRecord, type BookingRecord } from '@scanflow/booking';
import { parseConfig, type Config } from '@scanflow/config';
import { createLog, type FastifyInstance } from '@scanflow/runtime';
import { bookingRecord } from '@scanflow/testkit/events';
import fastify from 'fastify';
import { addBoard } from './board.ts';
import { emptyReport, type PassReport } from './report.ts';

const NOW = Temporal.Instant.from('2026-11-01T00:00:00Z');
const record = (accessionNumber: string, start: string, more: Partial<BookingRecord> = {}): BookingRecord =>
  bookingRecord({
    accessionNumber,
    studyInstanceUid: `2.25.${accessionNumber.length}`,
    start,
    end: start.replace(':00:00Z', ':30:00Z'),
    labels: { project: '3010000.01', subject: 'sub-007', session: 'ses-mri01' },
    title: 'x',
    source: { calendar: 'prisma', uid: accessionNumber },
    ...more,
  });

async function rig(
  t: TestContext,
  records: readonly BookingRecord[],
  last?: PassReport,
  calendars: Config['calendars'] = {},
) {
  const data = await mkdtemp(join(tmpdir(), 'scanflow-days-'));
  for (const folder of ['bookings', 'cal2wl']) await mkdir(join(data, folder));
  for (const one of records)
    await writeFile(join(data, 'bookings', `${one.accessionNumber}.json`), encodeBookingRecord(one));
  const app = fastify() as unknown as FastifyInstance;
  const log = createLog({ service: 'test', level: 'error' });
  addBoard(app, { config: { data, calendars }, log, last: () => last });
  t.after(() => rm(data, { recursive: true }));
  const get = async (query: string) => {
    const { statusCode, body } = await app.inject({ method: 'GET', url: `/api/board/bookings?${query}` });
    const { bookings = [] } = JSON.parse(body) as {
      bookings?: { accessionNumber: string; outcome: string; booker?: string; bookers?: string[] }[];
    };
    return {
      status: statusCode,
      found: bookings.map((one) => `${one.accessionNumber} ${one.outcome}`),
      bookers: bookings.map(({ booker, bookers }) => bookers ?? booker),
    };
  };
  return { app, get };
}

test('days: a calendar that was renamed is shown by its name, and its events are found by it', async (t) => {
  const parsed = parseConfig(
    JSON.stringify({
      facility: { name: 'x', timezone: 'UTC' },
      data: '/data',
      scanners: { mr: { aet: 'MR', modality: 'MR' } },
      calendars: { renamed: { id: 'prisma', file: 'x.ics', scanner: 'mr' } },
      orthanc: { url: 'http://127.0.0.1:1' },
      storage: { root: '/project' },
    }),
    'f',
  );
  assert.ok(parsed.ok);
  const start = '2026-11-01T09:00:00Z';
  const records = [record('A1', start), record('A2', start, { source: { calendar: 'gone', uid: 'A2' } })];
  const { get } = await rig(t, records, undefined, parsed.config.calendars);
  assert.deepEqual((await get('find=renamed/A1/')).found, ['A1 booking']);
  assert.deepEqual((await get('find=gone/A2/')).found, ['A2 booking']);
});

test('days: bookings of a day that is past come from their records, cancelled ones as such', async (t) => {
  const { get } = await rig(t, [
    record('A1', '2026-11-01T09:00:00Z'),
    record('A2', '2026-11-01T10:00:00Z', { status: 'cancelled' }),
    record('A3', '2026-11-02T10:00:00Z'),
  ]);
  const day = 'from=2026-11-01T00:00:00Z&to=2026-11-02T00:00:00Z';
  assert.deepEqual((await get(day)).found, ['A1 booking', 'A2 cancelled']);
  assert.deepEqual((await get('find=A3')).found, ['A3 booking']);
  assert.deepEqual((await get('find=prisma/A3/')).found, ['A3 booking']);
  assert.equal((await get('from=yesterday')).status, 400);
});

test('days: the addresses of who booked come with each booking, or the name of an older record', async (t) => {
  const bookers = ['jane@example.org'];
  const start = '2026-11-01T09:00:00Z';
  const event = { calendar: 'prisma', uid: 'E1', code: 'NO_LABELS', reason: 'x', bookers };
  const last: PassReport = {
    ...{ at: NOW, ms: 1, window: { from: NOW, to: NOW }, items: 0, unwritten: undefined },
    calendars: [{ ...emptyReport('prisma', 'prisma'), outcomes: [{ ...event, outcome: 'rejected' }] }],
  };
  const old = record('A2', start, { operator: 'Jane Doe' });
  const { get } = await rig(t, [record('A1', start, { operator: 'Jane Doe', bookers }), old], last);
  assert.deepEqual((await get('find=A1')).bookers, [bookers]);
  assert.deepEqual((await get('find=A2')).bookers, ['Jane Doe']);
  assert.deepEqual((await get('find=prisma/E1/')).bookers, [bookers]);
});

test('accept: a calendar that lost nothing has nothing to accept', async (t) => {
  const last: PassReport = {
    ...{ at: NOW, ms: 1, window: { from: NOW, to: NOW }, items: 0, unwritten: undefined },
    calendars: [emptyReport('prisma', 'prisma'), { ...emptyReport('skyra', 'skyra'), held: 2 }],
  };
  const { app } = await rig(t, [], last);
  const post = async (name: string) =>
    (await app.inject({ method: 'POST', url: `/api/board/accept/${name}`, payload: {} })).statusCode;
  assert.deepEqual([await post('none'), await post('prisma'), await post('skyra')], [404, 409, 200]);
});
