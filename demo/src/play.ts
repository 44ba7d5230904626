/** Plays the scanners' side of a day: ask the worklist, scan a phantom, send it, wait until it has arrived everywhere. */
import { setTimeout as pause } from 'node:timers/promises';
import {
  dataSet,
  items,
  makeSeries,
  newUid,
  readPart10Header,
  sopClasses,
  text,
  type DataSet,
} from '@scanflow/dicom';
import { echo, find, store, type Peer } from '@scanflow/dimse';
import type { Show } from '@scanflow/cli/terminal';
import { awaitStreamer, type Day, type DemoScanner, type Scan, type Stack } from './stack.ts';
import { sha256, verifySession, type SentSeries, type SessionResult } from './verify.ts';

const WORKLIST_MS = 60_000;
const LOOK_EVERY_MS = 500;

/** Plays the day on all scanners at once; each plays its sessions in the order of their slots. */
export async function playDay(
  stack: Stack,
  day: Day,
  show: Show,
  signal: AbortSignal,
): Promise<SessionResult[]> {
  show.heading('The scanners query their worklists, scan, and send');
  const sent = await Promise.all(
    stack.scanners.map((scanner) => playScanner(stack, scanner, day, show, signal)),
  );
  show.heading('Scanflow tags, stores and forwards');
  const series = sent.flat();
  const seen = await awaitStreamer(stack, series, show, signal);
  show.heading('Every image is compared at both ends');
  const results: SessionResult[] = [];
  for (const one of series) {
    const result = await verifySession(stack, one, seen.get(one.seriesInstanceUid));
    if (result.problems.length === 0)
      show.step(
        `${one.accessionNumber}: ${one.images.length} images are what the scanner sent, at both ends`,
      );
    for (const problem of result.problems) show.problem(`${one.accessionNumber}: ${problem}`);
    results.push(result);
  }
  return results;
}

async function playScanner(
  stack: Stack,
  scanner: DemoScanner,
  day: Day,
  show: Show,
  signal: AbortSignal,
): Promise<SentSeries[]> {
  const worklist = await askWorklist(stack, scanner, day.sessions, signal);
  show.step(`${scanner.aet}: C-FIND, the worklist has ${worklist.length} for today`, list(worklist));
  const series: SentSeries[] = [];
  for (const [index, item] of worklist.slice(0, day.sessions).entries()) {
    const plan = { images: day.images, seriesNumber: index + 1 };
    series.push(...(await scanAndSend(stack, scanner, item, plan, show, signal)));
  }
  return series;
}

const list = (worklist: readonly DataSet[]): string =>
  worklist
    .map((item) => `${text(item, 'PatientID') ?? ''} (${text(item, 'AccessionNumber') ?? ''})`)
    .join(', ');

/** Asks until the worklist holds at least `wanted` items of today, at most a minute. */
async function askWorklist(
  stack: Stack,
  scanner: DemoScanner,
  wanted: number,
  signal: AbortSignal,
): Promise<DataSet[]> {
  const peer = peerOf(stack.worklist, scanner.aet);
  const answered = await echo(peer, signal);
  if (!answered.ok)
    throw new Error(`${scanner.aet}: C-ECHO to the worklist failed: ${answered.failure.message}`);
  const deadline = performance.now() + WORKLIST_MS;
  for (;;) {
    const identifier = todaysQuery(stack, scanner);
    const answer = await find(peer, { sopClass: sopClasses.modalityWorklistFind, identifier }, signal);
    if (!answer.ok) throw new Error(`${scanner.aet}: C-FIND failed: ${answer.failure.message}`);
    if (answer.matches.length >= wanted) return answer.matches.toSorted(byStart);
    if (performance.now() > deadline)
      throw new Error(
        `${scanner.aet}: the worklist holds ${answer.matches.length} of ${wanted} bookings after a minute`,
      );
    await pause(LOOK_EVERY_MS, undefined, { signal });
  }
}

/** The query of a scanner that shows today's list (PS3.4 K.6.1.2.2). */
function todaysQuery(stack: Stack, scanner: DemoScanner): DataSet {
  const today = Temporal.Now.plainDateISO(stack.timezone).toString().replaceAll('-', '');
  return dataSet({
    AccessionNumber: null,
    ReferringPhysicianName: null,
    PatientName: null,
    PatientID: null,
    PatientBirthDate: null,
    PatientSex: null,
    StudyInstanceUID: null,
    RequestedProcedureDescription: null,
    RequestedProcedureID: null,
    RequestingPhysician: null,
    ScheduledProcedureStepSequence: [
      {
        Modality: null,
        ScheduledStationAETitle: scanner.aet,
        ScheduledProcedureStepStartDate: today,
        ScheduledProcedureStepStartTime: null,
        ScheduledProcedureStepDescription: null,
        ScheduledProcedureStepID: null,
        ScheduledStationName: null,
        ScheduledProcedureStepLocation: null,
      },
    ],
  });
}

const startOf = (item: DataSet): string => {
  const [step] = items(item, 'ScheduledProcedureStepSequence');
  return step === undefined ? '' : (text(step, 'ScheduledProcedureStepStartTime') ?? '');
};
const byStart = (a: DataSet, b: DataSet): number => startOf(a).localeCompare(startOf(b));

/** Makes phantom series that carry the worklist item's attributes, as a console does, and sends them by C-STORE. */
async function scanAndSend(
  stack: Stack,
  scanner: DemoScanner,
  item: DataSet,
  plan: { images: number; seriesNumber: number },
  show: Show,
  signal: AbortSignal,
): Promise<SentSeries[]> {
  const accessionNumber = text(item, 'AccessionNumber') ?? '';
  const end = await stack.exams?.(peerOf(stack.worklist, scanner.aet), item, scanner.modality, signal);
  if (end !== undefined) show.step(`${scanner.aet}: MPPS, the exam is in progress`, accessionNumber);
  const when = Temporal.Now.zonedDateTimeISO(stack.timezone);
  const scans = stack.scan?.(scanner, item, when) ?? [phantom(scanner, item, when, plan)];
  for (const { images } of scans) {
    await send(stack, scanner, images, show, signal);
    const what = `${images.length} ${scanner.modality} images sent to Orthanc`;
    show.step(`${scanner.aet}: C-STORE, ${what}`, accessionNumber);
  }
  if (end !== undefined) {
    await end(scans.map((scan) => ({ ...scan, images: scan.images.map(classAndUid) })));
    show.step(`${scanner.aet}: MPPS, the exam is completed`, accessionNumber);
  }
  const start = startOf(item);
  return scans.map(({ seriesInstanceUid, seriesDescription, images }) => ({
    scanner: scanner.aet,
    modality: scanner.modality,
    time: `${start.slice(0, 2)}:${start.slice(2, 4)}`,
    patientId: text(item, 'PatientID') ?? '',
    session: text(item, 'RequestedProcedureID') ?? '',
    accessionNumber,
    seriesInstanceUid,
    seriesDescription,
    images: images.map(({ sopInstanceUid, bytes }) => ({
      sopInstanceUid,
      dataSetSha256: hashOfDataSet(bytes),
    })),
  }));
}

function phantom(
  { modality }: DemoScanner,
  worklistItem: DataSet,
  when: Temporal.ZonedDateTime,
  { images, seriesNumber }: { images: number; seriesNumber: number },
): Scan {
  const seriesDescription = 'Scanflow phantom';
  const seriesInstanceUid = newUid();
  const made = makeSeries({
    ...{ modality: modality === 'CT' || modality === 'MR' ? modality : 'SC', images, when, worklistItem },
    ...{ seriesInstanceUid, seriesNumber, seriesDescription },
  });
  return { seriesInstanceUid, seriesDescription, images: [...made] };
}

async function send(
  stack: Stack,
  scanner: DemoScanner,
  images: readonly { sopInstanceUid: string; bytes: Uint8Array }[],
  show: Show,
  signal: AbortSignal,
): Promise<void> {
  const files = images.map(({ sopInstanceUid, bytes }) => ({ id: sopInstanceUid, bytes }));
  let done = 0;
  for await (const outcome of store(peerOf(stack.receiver, scanner.aet), files, { signal })) {
    if (outcome.result === 'failed')
      throw new Error(`${scanner.aet}: Orthanc did not take an image: ${outcome.failure.message}`);
    done += 1;
    show.progress(`images from ${scanner.aet}`, done, files.length);
  }
  if (done < files.length) throw new Error(`${scanner.aet}: ${files.length - done} images have no outcome`);
}

function classAndUid({ sopInstanceUid, bytes }: { sopInstanceUid: string; bytes: Uint8Array }): {
  sopClassUid: string;
  sopInstanceUid: string;
} {
  const header = readPart10Header(bytes);
  if ('needMore' in header) throw new Error('a phantom image ends within its header');
  return { sopClassUid: header.sopClassUid, sopInstanceUid };
}

function hashOfDataSet(file: Uint8Array): string {
  const header = readPart10Header(file);
  if ('needMore' in header) throw new Error('a phantom image ends within its header');
  return sha256(file.subarray(header.dataSetOffset));
}

const peerOf = ({ host, port, aet }: Stack['worklist'], callingAet: string): Peer => ({
  host,
  port,
  calledAet: aet,
  callingAet,
});
