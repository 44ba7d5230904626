/** What cal2wl and the worklist have of a subject goes with the rest, and the calendar does not bring it back. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, startProgram, until } from '@scanflow/testkit';
import { scanflow } from './streamer-loss-support.ts';
import { makeRig } from './streamer-support.ts';

const GONE = 'sub-withdrawn77';
const STAYS = 'sub-staying88';

/** Tomorrow at this hour. */
function event(hour: number, subject: string): string {
  const start = Temporal.Now.zonedDateTimeISO('UTC')
    .add({ days: 1 })
    .with({ hour, minute: 0, second: 0, millisecond: 0, microsecond: 0, nanosecond: 0 });
  const stamp = (at: Temporal.ZonedDateTime): string =>
    `${at.toPlainDateTime().toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '')}Z`;
  return [
    'BEGIN:VEVENT',
    `UID:${hour}@example.org`,
    `DTSTAMP:${stamp(start)}`,
    `DTSTART:${stamp(start)}`,
    `DTEND:${stamp(start.add({ minutes: 30 }))}`,
    `SUMMARY:3010000.01_${subject}_ses-1`,
    'END:VEVENT',
  ].join('\r\n');
}

const calendar = (...events: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//test//EN', ...events, 'END:VCALENDAR', ''].join('\r\n');

test('erase: bookings and worklist items go, and the calendar does not bring them back', async (t) => {
  const rig = await makeRig(t);
  const feed = join(rig.folder, 'prisma.ics');
  await writeFile(feed, calendar(event(9, GONE), event(10, STAYS)));
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as Record<string, unknown>;
  const { ports } = config['http'] as { ports: object };
  const http = {
    bind: '127.0.0.1',
    ports: { ...ports, cal2wl: await freePort(), worklist: await freePort() },
  };
  await writeFile(
    rig.configFile,
    JSON.stringify({
      ...config,
      http,
      worklist: { bind: '127.0.0.1', port: await freePort() },
      calendars: { prisma: { file: feed, scanner: 'prisma' } },
      bookings: { every: '2s' },
    }),
  );
  for (const service of ['cal2wl', 'worklist']) {
    const main = join(import.meta.dirname, `../../services/${service}/src/main.ts`);
    const program = await startProgram(process.execPath, [main, '--config', rig.configFile]);
    t.after(() => program.stop('SIGKILL'));
  }
  await rig.start();
  const booked = async (subject: string): Promise<string | undefined> => {
    for (const name of await readdir(join(rig.data, 'bookings')))
      if (/^[0-9A-Z]{16}\.json$/.test(name)) {
        const text = await readFile(join(rig.data, 'bookings', name), 'utf8').catch(() => '');
        if (text.includes(subject)) return name.slice(0, -'.json'.length);
      }
    return undefined;
  };
  const accession = await until(() => booked(GONE), { what: 'it is booked', timeoutMs: 60_000 });
  const items = join(rig.data, 'worklist', 'SCANFLOW');
  // the item follows the booking
  await until(async () => (await readdir(items).catch((): string[] => [])).includes(`${accession}.wl`), {
    what: 'it is on the worklist',
    timeoutMs: 60_000,
  });
  const erased = await scanflow(
    ...['erase', '--project', '3010000.01', '--subject', GONE, '--reason', 'consent withdrawn', '--yes'],
    ...['--config', rig.configFile],
  );
  assert.equal(erased.code, 0, erased.stderr);
  assert.match(erased.stdout, /1 bookings/);
  assert.equal(await booked(GONE), undefined);
  assert.ok(!(await readdir(items)).includes(`${accession}.wl`));
  // a later pass reads the same event again, and another one
  await writeFile(feed, calendar(event(9, GONE), event(10, STAYS), event(11, 'sub-new99')));
  await until(() => booked('sub-new99'), { what: 'the calendar is read again', timeoutMs: 60_000 });
  assert.equal(await booked(GONE), undefined);
  assert.ok((await booked(STAYS)) !== undefined);
});
