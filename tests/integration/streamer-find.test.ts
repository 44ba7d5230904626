/** What people look up: `scanflow find` over all services, series by filters, and orders for many of them. */
import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, run, startProgram, startScriptedScp, until, type RunResult } from '@scanflow/testkit';
import { folderOf } from './streamer-verify.ts';
import { makeRig, phantom, sendTo, settled, type Rig } from './streamer-support.ts';

const SCANFLOW = join(import.meta.dirname, '../../services/cli/bin/scanflow');
const series = (rig: Rig, ...args: string[]): Promise<RunResult> =>
  run(SCANFLOW, ['series', ...args, '--config', rig.configFile]);

/** cal2wl with one booking of now, and the worklist service, beside the streamer. Gives their configuration and the accession number. */
async function startOthers(
  rig: Rig,
  after: (work: () => Promise<unknown>) => void,
): Promise<[string, string]> {
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as { http: { ports: object } };
  const calendar = join(rig.folder, 'prisma.ics');
  const now = Temporal.Now.instant();
  const time = (at: Temporal.Instant): string =>
    at.toString({ smallestUnit: 'second' }).replaceAll(/[-:]/g, '');
  await writeFile(
    calendar,
    [
      ...['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:test', 'BEGIN:VEVENT', 'UID:one', `DTSTAMP:${time(now)}`],
      ...[
        `DTSTART:${time(now.subtract({ minutes: 5 }))}`,
        `DTEND:${time(now.add({ hours: 1 }))}`,
        'SUMMARY:scan',
      ],
      String.raw`DESCRIPTION:Project: 3010000.01\nSubject: sub-001\nSession: ses-mri01`,
      ...['END:VEVENT', 'END:VCALENDAR', ''],
    ].join('\r\n'),
  );
  const ports = { ...config.http.ports, cal2wl: await freePort(), worklist: await freePort() };
  const file = join(rig.folder, 'all.yaml');
  const more = {
    calendars: { prisma: { file: calendar, scanner: 'prisma' } },
    worklist: { port: await freePort() },
    http: { ...config.http, ports },
  };
  await writeFile(file, JSON.stringify({ ...config, ...more }));
  for (const name of ['cal2wl', 'worklist']) {
    const main = join(import.meta.dirname, `../../services/${name}/src/main.ts`);
    const program = await startProgram(process.execPath, [main, '--config', file], { env: {} });
    after(() => program.stop('SIGKILL'));
  }
  const accession = await until(
    async () =>
      (await readdir(join(rig.data, 'bookings')))
        .find((name) => /^[0-9A-Z]{16}\.json$/.test(name))
        ?.replace('.json', ''),
    { what: 'the booking is read', timeoutMs: 60_000 },
  );
  return [file, accession];
}

test('find: scanflow find and filters look up what people know, and retry and skip act on all of it', async (t) => {
  let good = false;
  const scp = await startScriptedScp({ onStore: () => ({ status: good ? 0 : 0xa900 }) });
  t.after(() => scp.close());
  const rig = await makeRig(t, { destinations: { pacs: scp.port } });
  const [file, accession] = await startOthers(rig, (work) => t.after(work));
  await rig.start();
  await sendTo(rig.orthanc, (await phantom(join(rig.folder, 'a'), { images: 2, accession })).folder);
  const [stored] = await settled(rig, 1, ['failed']);
  assert.ok(stored !== undefined);
  await rig.streamer().said(new RegExp(`"series stored".*"accession":"${accession}"`));

  const find = (...args: string[]): Promise<RunResult> => run(SCANFLOW, ['find', ...args, '--config', file]);
  const id = stored.id.slice(0, 8);
  await until(async () => (await find(accession)).stdout.includes('WORKLIST (1)'), {
    what: 'the item is on the worklist',
    timeoutMs: 60_000,
  });
  const folder = folderOf(stored);
  const image = (await readdir(folder)).find((name) => name.endsWith('.dcm')) ?? '';
  const { series: shown } = (await (await rig.api(`/api/series/${stored.id}`)).json()) as {
    series: { studyInstanceUid: string };
  };
  const uids = [
    shown.studyInstanceUid,
    stored.seriesInstanceUid,
    image.split('_')[1]?.replace('.dcm', '') ?? '',
  ];
  for (const term of [accession, '3010000.01', 'sub-001', folder, join(folder, image), stored.id, ...uids]) {
    const { code, stdout, stderr } = await find(term);
    assert.deepEqual([code, stderr], [0, ''], term);
    assert.match(
      stdout,
      new RegExp(`^BOOKINGS \\(1\\)\n[^]*^SERIES \\(1\\)\n.*\n${id} .*${folder}`, 'm'),
      term,
    );
  }
  const unknown = await find('sub-00');
  assert.deepEqual([unknown.code, unknown.stdout.slice(0, 16)], [1, 'Nothing is known']);

  const listed = async (...args: string[]): Promise<string> => (await series(rig, 'list', ...args)).stdout;
  assert.match(
    await listed('--subject', 'sub-001', '--since', '1h', '--accession', accession),
    new RegExp(folder),
  );
  for (const filter of [
    ['--project', 'other'],
    ['--scanner', 'NOBODY'],
    ['--state', 'working'],
  ])
    assert.equal(await listed(...filter), 'no series\n', filter.join(' '));
  for (const query of ['accesion=x', 'state=nope', 'limit=all', 'leg=odd', 'from=today'])
    assert.equal((await rig.api(`/api/series?${query}`)).status, 400, query);

  const outage = ['retry', '--target', 'pacs', '--state', 'failed'];
  const counted = await series(rig, ...outage);
  assert.equal(counted.code, 2, 'nobody confirmed it');
  assert.match(counted.stdout, /^1 series of pacs: 1 failed\n {2}1 pacs: \w+\n/);
  good = true;
  const retried = await series(rig, ...outage, '--yes');
  assert.deepEqual([retried.code, retried.stderr], [0, '']);
  assert.match(retried.stdout, /Tried again now for 1 of 1 series\n$/);
  await settled(rig, 1, ['complete']);
  assert.match((await series(rig, ...outage, '--yes')).stdout, /^Nothing to retry/);

  good = false;
  await sendTo(
    rig.orthanc,
    (await phantom(join(rig.folder, 'b'), { images: 1, patientId: 'x sub-001' })).folder,
  );
  const waiting = await until(async () => (await rig.series()).find(({ state }) => state === 'quarantined'), {
    what: 'it is quarantined',
    timeoutMs: 60_000,
  });
  const page = (await run(SCANFLOW, ['series', 'show', waiting.id, '--config', file])).stdout;
  assert.match(page, /PatientID: x sub-001$/m);
  assert.match(page, /bookings that may be its own.*\n {2}3010000\.01 sub-001 ses-mri01 {2}prisma /);
  const labels = ['--project', '3010000.02', '--session', 'ses-mri01', '--subject'];
  const refused = await series(rig, 'release', waiting.id, ...labels, 'anna test');
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /must be a code with a digit/);
  const released = await series(rig, 'release', waiting.id, ...labels, 'sub-002');
  assert.match(released.stdout, /goes to \/.*3010000\.02.*sub-002/);
  await until(async () => (await rig.series()).find(({ state }) => state === 'failed'), {
    what: 'the destination refuses it',
    timeoutMs: 60_000,
  });

  await rig.streamer().stop('SIGTERM');
  const config = JSON.parse(await readFile(rig.configFile, 'utf8')) as object;
  await writeFile(rig.configFile, JSON.stringify({ ...config, destinations: {} }));
  await rig.start();
  await until(
    async () =>
      (await series(rig, 'retry', waiting.id, '--target', 'pacs')).stderr.includes(
        'no longer has this destination',
      ),
    { what: 'the streamer answers, and refuses a retry', timeoutMs: 60_000 },
  );
  assert.equal((await series(rig, 'skip', '--target', 'pacs')).code, 2, 'of which series?');
  const skipped = await series(
    rig,
    'skip',
    '--all',
    '--target',
    'pacs',
    '--reason',
    'it is replaced',
    '--yes',
  );
  assert.deepEqual([skipped.code, skipped.stderr], [0, '']);
  assert.match(skipped.stdout, /Given up for 1 of 1 series\n$/);
  await settled(rig, 2, ['complete']);
  assert.match((await series(rig, 'show', waiting.id)).stdout, /DEST_SKIPPED: .*it is replaced/);
});
