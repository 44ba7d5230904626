/** Warnings: images that seem to be missing, labels that are used again, and folders named by the protocol. */
import assert from 'node:assert/strict';
import { readFile, rename, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { run, until } from '@scanflow/testkit';
import { loseLedger } from './streamer-loss-support.ts';
import {
  bookingRecord,
  makeRig,
  phantom,
  sendTo,
  settled,
  type Rig,
  type Series,
} from './streamer-support.ts';
import { folderOf, recordOf } from './streamer-verify.ts';

interface Warned extends Series {
  readonly outcome: string;
  readonly warnings?: readonly { readonly code: string; readonly message: string }[];
  readonly doubts?: readonly { readonly kind: string }[];
}

const all = async (rig: Rig, count: number): Promise<Warned[]> => (await settled(rig, count)) as Warned[];
const codes = ({ warnings = [] }: Warned): string[] => warnings.map(({ code }) => code);

test('warnings: a sender that died at 7 of 40 images, until the rest comes', async (t) => {
  const rig = await makeRig(t, { extra: { sessions: { quiet: '500ms' } } });
  await rig.start();
  const { files } = await phantom(join(rig.folder, 'a'), { images: 40, rows: 16, columns: 16 });
  await sendTo(rig.orthanc, ...files.slice(0, 7));
  const [series] = await all(rig, 1);
  assert.ok(series !== undefined);
  assert.deepEqual([series.state, codes(series)], ['complete', ['SERIES_INCOMPLETE']]);
  assert.match(series.warnings?.[0]?.message ?? '', /40 images .* 7 came/);
  const record = await recordOf(folderOf(series));
  assert.deepEqual(
    record.warnings?.map(({ code }) => code),
    ['SERIES_INCOMPLETE'],
  );
  const report = await until(
    async () => {
      const { sessions } = (await (await rig.api('/api/sessions')).json()) as {
        sessions: { folder?: string }[];
      };
      return sessions[0]?.folder;
    },
    { what: 'the report', timeoutMs: 60_000 },
  );
  const [name = ''] = (await run('ls', [report])).stdout.split('\n').filter((one) => one.endsWith('.csv'));
  assert.match(await readFile(join(report, name), 'utf8'), /SERIES_INCOMPLETE/);
  const doctor = await run('npx', ['scanflow', 'doctor', 'series', '--json', '--config', rig.configFile]);
  assert.match(doctor.stdout, /SERIES_INCOMPLETE/);
  const shown = await run('npx', ['scanflow', 'series', 'show', series.id, '--config', rig.configFile]);
  assert.match(shown.stdout, /^warning +SERIES_INCOMPLETE: Images seem to be missing/m);

  await sendTo(rig.orthanc, ...files);
  const whole = await until(
    async () => {
      const [one] = await all(rig, 1);
      return one?.images.stored === 40 ? one : undefined;
    },
    { what: 'the rest is stored', timeoutMs: 60_000 },
  );
  assert.deepEqual([codes(whole), (await recordOf(folderOf(whole))).warnings], [[], undefined]);
});

/** A PET series of so many volumes of five slices; its attributes say how many there should be. */
async function petSeries(
  rig: Rig,
  folder: string,
  volumes: number,
  says: readonly string[],
): Promise<string[]> {
  const { files } = await phantom(join(rig.folder, folder), {
    images: 5 * volumes,
    rows: 16,
    columns: 16,
    seriesDescription: folder,
  });
  const PET = ['Modality=PT', 'SOPClassUID=1.2.840.10008.5.1.4.1.1.128', 'ImageType=ORIGINAL\\PRIMARY'];
  const attributes = [...PET, 'NumberOfSlices=5', ...says].flatMap((one) => ['-i', one]);
  await run('dcmodify', ['-nb', '-ea', 'ImagesInAcquisition', ...attributes, ...files]);
  for (const [index, file] of files.entries())
    await run('dcmodify', ['-nb', '-i', `ImageIndex=${index + 1}`, file]);
  return files;
}

test('warnings: PET without its last volumes, until they come (PS3.3 C.8.9.1)', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const dynamic = await petSeries(rig, 'dynamic', 4, ['SeriesType=DYNAMIC\\IMAGE', 'NumberOfTimeSlices=4']);
  const gates = ['NumberOfRRIntervals=1', 'NumberOfTimeSlots=3'];
  const gated = await petSeries(rig, 'gated', 3, ['SeriesType=GATED\\IMAGE', ...gates]);
  await sendTo(rig.orthanc, ...dynamic.slice(0, 15), ...gated.slice(0, 13));
  const said = (await all(rig, 2)).flatMap(({ warnings = [] }) => warnings.map(({ message }) => message));
  assert.ok(said.some((one) => one.includes('in 4 time slices (0054,0101), that is 20 images, and 15 came')));
  assert.ok(said.some((one) => one.includes('of 3 time slots (0054,0071), that is 15 images, and 13 came')));
  assert.equal(said.length, 2);
  await sendTo(rig.orthanc, ...dynamic.slice(15), ...gated.slice(13));
  await until(async () => (await all(rig, 2)).flatMap(codes).length === 0, {
    what: 'no warning is left',
    timeoutMs: 60_000,
  });
});

/** Two studies under one set of labels, each with a booking of its own. */
async function twoStudies(
  rig: Rig,
  second: { readonly accession: string; readonly day: string },
): Promise<Warned[]> {
  for (const accessionNumber of new Set(['AAA1', second.accession]))
    await rig.book(bookingRecord({ accessionNumber }));
  const one = await phantom(join(rig.folder, 'a'), {
    images: 2,
    accession: 'AAA1',
    patientId: '3010000.02_sub-007',
    studyId: 'ses-mri02',
  });
  await sendTo(rig.orthanc, one.folder);
  await settled(rig, 1, ['complete']);
  const two = await phantom(join(rig.folder, 'b'), {
    images: 2,
    accession: second.accession,
    patientId: '3010000.02_sub-007',
    studyId: 'ses-mri02',
    seriesNumber: 2,
    studyInstanceUid: '1.2.3.4',
    when: Temporal.ZonedDateTime.from(`${second.day}T10:00[Europe/Amsterdam]`),
  });
  await sendTo(rig.orthanc, two.folder);
  const found = await all(rig, 2);
  return found.toSorted((a, b) => Number(a.seriesInstanceUid > b.seriesInstanceUid) - 0.5);
}

const OTHER_DAY = '2026-12-06';

test('warnings: labels that another study of another day has', async (t) => {
  const rig = await makeRig(t);
  await rig.start();
  const found = await twoStudies(rig, { accession: 'BBB2', day: OTHER_DAY });
  assert.deepEqual(found.map(codes).flat(), ['LABELS_AGAIN']);
  assert.ok(found.every(({ state }) => state === 'complete'));
  const again = found.find((one) => codes(one).length > 0);
  assert.match(again?.warnings?.[0]?.message ?? '', /of 2026-11-22 \(accession number AAA1\)/);
});

test('warnings: by configuration such a study waits for a person', async (t) => {
  const arrivals = { quiet: '500ms', poll: '100ms', doubts: { labels: 'quarantine' } };
  const rig = await makeRig(t, { extra: { arrivals } });
  await rig.start();
  const found = await twoStudies(rig, { accession: 'BBB2', day: OTHER_DAY });
  const held = found.find(({ state }) => state === 'quarantined');
  assert.equal(held?.reasonCode, 'ROUTE_DOUBT');
  // it stays there while nobody decides, and goes once somebody did
  await run('npx', [
    ...['scanflow', 'series', 'release', held.id, '--project', '3010000.02', '--subject', 'sub-007'],
    ...['--session', 'ses-mri03', '--config', rig.configFile],
  ]);
  await settled(rig, 2, ['complete']);
});

test('warnings: a session that goes on is none: the same accession number, or the same day', async (t) => {
  for (const second of [
    { accession: 'AAA1', day: OTHER_DAY },
    { accession: 'BBB2', day: '2026-11-22' },
  ]) {
    const rig = await makeRig(t);
    await rig.start();
    assert.deepEqual((await twoStudies(rig, second)).map(codes).flat(), []);
  }
});

test('storage: a series without a description is named by its protocol', async (t) => {
  const rig = await makeRig(t);
  const { files } = await phantom(join(rig.folder, 'a'), { images: 2 });
  await run('dcmodify', ['-nb', '-m', 'SeriesDescription=', '-m', 'ProtocolName=t1_mprage', ...files]);
  await rig.start();
  await sendTo(rig.orthanc, ...files);
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  assert.match(folderOf(series), /\/001-t1_mprage$/);
});

test('storage: a folder that was named without the protocol keeps its name, with a new ledger, too', async (t) => {
  const rig = await makeRig(t);
  const { files } = await phantom(join(rig.folder, 'a'), { images: 3 });
  await run('dcmodify', ['-nb', '-m', 'SeriesDescription=', '-m', 'ProtocolName=t1_mprage', ...files]);
  await rig.start();
  await sendTo(rig.orthanc, ...files.slice(0, 2));
  const [series] = await settled(rig, 1, ['complete']);
  assert.ok(series !== undefined);
  const named = folderOf(series);
  await rig.streamer().stop();
  // as 0.1.0 named it
  const former = join(dirname(named), '001-none');
  await rename(named, former);
  await loseLedger(rig);
  await rig.start();
  await sendTo(rig.orthanc, ...files);
  const again = await until(
    async () => (await settled(rig, 1, ['complete'])).find(({ images }) => images.stored === 3),
    { what: 'the third image is stored', timeoutMs: 60_000 },
  );
  assert.equal(folderOf(again), former);
  assert.equal((await recordOf(former)).instances.length, 3);
  await assert.rejects(stat(named), { code: 'ENOENT' });
});
