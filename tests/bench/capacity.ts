/**
 * What one machine carries: the whole stack natively, with 1, 4 and 8 scanners that send at the same time, from the first C-STORE
 * to the last file on project storage; and worklist queries. The scanners run on the same machine, and take their share.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { availableParallelism, loadavg } from 'node:os';
import { join } from 'node:path';
import { dataSet, encodePart10, makeSeries, newUid, transferSyntaxes } from '@scanflow/dicom';
import { freePort, makeCalendar, run, startOrthanc, until, type RunningOrthanc } from '@scanflow/testkit';
import { demoConfig, slotsAround, type DemoPorts } from '../../demo/src/config.ts';
import { startService } from '../../demo/src/local.ts';
import { busySeconds, machine, median, spread, usageOf, type Usage } from './usage.ts';
import { openAssociation } from './worklist-asker.ts';

const ZONE = 'Europe/Amsterdam';
const NUMBERS = [1, 4, 8] as const;
const SCANNERS = Array.from({ length: 8 }, (_, index) => `SCAN${index + 1}`);
/** Of one day, at each scanner. */
const BOOKINGS = 24;
const MIB = 1024 * 1024;
const QUERIES_MS = 5_000;
const ENHANCED_MR = '1.2.840.10008.5.1.4.1.1.4.1';
const signal = AbortSignal.timeout(1_800_000);

interface Kind {
  readonly name: string;
  /** In all, whatever the number of scanners. */
  readonly series: number;
  readonly images: number;
  /** Writes the files of a series into a folder; their bytes. */
  readonly write: (folder: string, images: number) => Promise<number>;
}

const KINDS: readonly Kind[] = [
  { name: '2D images of 180 kB', series: 16, images: 100, write: writeSmall },
  { name: 'multi-frame images of 64 MiB', series: 8, images: 1, write: writeLarge },
];

async function writeSmall(folder: string, images: number): Promise<number> {
  let bytes = 0;
  const when = Temporal.Now.zonedDateTimeISO(ZONE);
  const worklistItem = dataSet({ RequestedProcedureID: 'ses-mri01' });
  const matrix = { modality: 'MR', rows: 300, columns: 300 } as const;
  const patientId = '3010000.01_sub-001';
  for (const image of makeSeries({ ...matrix, images, when, patientId, worklistItem })) {
    bytes += image.bytes.length;
    await writeFile(join(folder, `${image.sopInstanceUid}.dcm`), image.bytes);
  }
  return bytes;
}

const noise = randomBytes(MIB);

/** 128 frames of 512 × 512 pixels of 16 bits. */
async function writeLarge(folder: string): Promise<number> {
  const sopInstanceUid = newUid();
  const attributes = dataSet({
    ...{ SOPClassUID: ENHANCED_MR, SOPInstanceUID: sopInstanceUid, SeriesInstanceUID: newUid() },
    ...{ StudyInstanceUID: newUid(), PatientID: '3010000.01_sub-002', StudyID: 'ses-mri01', Modality: 'MR' },
    ...{ SeriesNumber: 1, SeriesDescription: 'large', InstanceNumber: 1, Rows: 512, Columns: 512 },
  });
  const transferSyntax = transferSyntaxes.explicitVRLittleEndian;
  const head = encodePart10(attributes, { transferSyntax, sopClassUid: ENHANCED_MR, sopInstanceUid });
  // (7FE0,0010) OW
  const pixels = Buffer.from([0xe0, 0x7f, 0x10, 0, 0x4f, 0x57, 0, 0, 0, 0, 0, 0]);
  pixels.writeUInt32LE(64 * MIB, 8);
  const file = await open(join(folder, `${sopInstanceUid}.dcm`), 'wx');
  try {
    await file.writeFile(Buffer.concat([head, pixels]));
    for (let written = 0; written < 64; written += 1) await file.writeFile(noise);
  } finally {
    await file.close();
  }
  return head.length + pixels.length + 64 * MIB;
}

interface Part {
  readonly name: string;
  readonly pid: number;
}

interface Stack {
  readonly folder: string;
  readonly ports: DemoPorts;
  readonly orthanc: RunningOrthanc;
  readonly parts: readonly Part[];
}

async function startStack(folder: string, endings: (() => Promise<unknown>)[]): Promise<Stack> {
  await mkdir(join(folder, 'calendars'), { recursive: true });
  const slots = slotsAround(Temporal.Now.zonedDateTimeISO(ZONE), BOOKINGS);
  for (const scanner of SCANNERS) {
    const events = slots.map((slot, index) => ({
      ...slot,
      uid: `${scanner}-${index}@bench.scanflow`,
      summary: `3010000.01 sub-${String(index + 1).padStart(3, '0')} ses-mri01`,
    }));
    await writeFile(join(folder, 'calendars', `${scanner.toLowerCase()}.ics`), makeCalendar(events));
  }
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc') });
  endings.push(() => orthanc.stop());
  const ports: DemoPorts = {
    ...{ worklist: await freePort(), worklistHttp: await freePort(), cal2wl: await freePort() },
    ...{ streamer: await freePort(), receiver: await freePort(), receiverHttp: await freePort() },
    ...{ board: await freePort(), dashboard: await freePort() },
  };
  const scanners = SCANNERS.map((aet) => ({ name: aet.toLowerCase(), aet, modality: 'MR' }));
  const pacs = { aet: 'NONE', port: await freePort() };
  const changes: [string[], unknown][] = [[['destinations'], {}]];
  const { file } = await demoConfig({ folder, timezone: ZONE, scanners, ports, orthanc, pacs, changes });
  const parts: Part[] = [{ name: 'Orthanc', pid: orthanc.pid() }];
  const pages = { cal2wl: ports.cal2wl, worklist: ports.worklistHttp, receiver: ports.receiverHttp };
  for (const [name, port] of Object.entries({ ...pages, streamer: ports.streamer })) {
    const service = await startService({ name, config: file, port, folder: join(folder, 'log'), signal });
    endings.push(() => service.stop());
    parts.push({ name, pid: service.pid });
  }
  return { folder, ports, orthanc, parts };
}

interface Sent {
  readonly imagesPerSecond: number;
  readonly seriesPerSecond: number;
  readonly mbPerSecond: number;
  /** Share of all processors, from 0 to 1: of all, and of the parts of the stack. */
  readonly busy: number;
  readonly stack: number;
  /** MB, of all parts together, each at its highest. */
  readonly memory: number;
}

const usages = (parts: readonly Part[]): Promise<Usage[]> =>
  Promise.all(parts.map(({ pid }) => usageOf(pid)));
const total = (list: readonly Usage[], of: 'cpu' | 'peak'): number =>
  list.reduce((sum, one) => sum + one[of], 0);

/** Images that the streamer has put on storage since its start. */
async function storedSoFar({ ports }: Stack): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${ports.streamer}/metrics`, { signal })).text();
  return Number(/^scanflow_streamer_images_stored_total (\d+)/m.exec(text)?.[1] ?? 0);
}

/** These scanners send the series among themselves, each one association per series, one after the other. */
async function send(stack: Stack, kind: Kind, scanners: number): Promise<Sent> {
  const work = await mkdtemp(join(stack.folder, 'sent-'));
  let bytes = 0;
  const folders: string[] = [];
  for (let index = 0; index < kind.series; index += 1) {
    const folder = join(work, String(index));
    await mkdir(folder);
    bytes += await kind.write(folder, kind.images);
    folders.push(folder);
  }
  const images = kind.series * kind.images;
  const before = await storedSoFar(stack);
  const [used, busy, began] = [await usages(stack.parts), busySeconds(), performance.now()];
  const queue = folders.values();
  const scanner = async (aet: string): Promise<void> => {
    for (const folder of queue) {
      // as from another machine: images go out without waiting for acknowledgements of TCP
      const args = ['-R', '-aet', aet, '-aec', stack.orthanc.aet, '+sd', '127.0.0.1'];
      const options = { env: { TCP_NODELAY: '1' }, timeoutMs: 600_000 };
      const { code, stderr } = await run(
        'storescu',
        [...args, String(stack.ports.receiver), folder],
        options,
      );
      if (code !== 0) throw new Error(`storescu ended with ${String(code)}: ${stderr}`);
    }
  };
  await Promise.all(SCANNERS.slice(0, scanners).map(scanner));
  await until(async () => (await storedSoFar(stack)) >= before + images, {
    ...{ what: `${images} images on storage`, timeoutMs: 900_000, everyMs: 100 },
  });
  const seconds = (performance.now() - began) / 1000;
  const after = await usages(stack.parts);
  const all = seconds * availableParallelism();
  await rm(work, { recursive: true });
  return {
    imagesPerSecond: images / seconds,
    seriesPerSecond: kind.series / seconds,
    mbPerSecond: bytes / 1e6 / seconds,
    busy: (busySeconds() - busy) / all,
    stack: (total(after, 'cpu') - total(used, 'cpu')) / all,
    memory: total(after, 'peak'),
  };
}

const QUERY = {
  ...{ AccessionNumber: null, PatientName: null, PatientID: null, PatientBirthDate: null, PatientSex: null },
  ...{ StudyInstanceUID: null, RequestedProcedureID: null, RequestedProcedureDescription: null },
} as const;

/** Lists of the day per second: each scanner opens an association, asks for its list, and closes it, over and over. */
async function query({ ports }: Stack, scanners: number): Promise<number> {
  const date = Temporal.Now.plainDateISO(ZONE).toString().replaceAll('-', '');
  let lists = 0;
  const until_ = performance.now() + QUERIES_MS;
  const scanner = async (aet: string): Promise<void> => {
    const step = { ScheduledStationAETitle: aet, ScheduledProcedureStepStartDate: date, Modality: null };
    const identifier = dataSet({ ...QUERY, ScheduledProcedureStepSequence: [step] });
    while (performance.now() < until_) {
      const asker = await openAssociation({ port: ports.worklist }, aet);
      const { answers } = await asker.ask(identifier);
      await asker.close();
      if (answers !== BOOKINGS) throw new Error(`${aet} got ${answers} of ${BOOKINGS} bookings`);
      lists += 1;
    }
  };
  await Promise.all(SCANNERS.slice(0, scanners).map(scanner));
  return lists / (QUERIES_MS / 1000);
}

const perHour = (list: readonly number[]): string =>
  spread(list.map((one) => Math.round((one * 3600) / 10) * 10));
const percent = (list: readonly number[]): string => `${(median(list) * 100).toFixed(0)} %`;

function rows(sent: ReadonlyMap<Kind, ReadonlyMap<number, readonly Sent[]>>): string[] {
  const of = (all: readonly Sent[], name: keyof Sent): number[] => all.map((one) => one[name]);
  return [...sent].flatMap(([kind, numbers]) =>
    [...numbers].map(([scanners, all]) => {
      const speed = [perHour(of(all, 'imagesPerSecond')), perHour(of(all, 'seriesPerSecond'))];
      const load = [spread(of(all, 'mbPerSecond')), percent(of(all, 'busy')), percent(of(all, 'stack'))];
      const memory = `${Math.max(...of(all, 'memory')).toFixed(0)} MB`;
      return `| ${[kind.name, String(scanners), ...speed, ...load, memory].join(' | ')} |`;
    }),
  );
}

/** Every other round in the opposite order. */
export async function measureCapacity({
  rounds,
  folder: above,
}: {
  readonly rounds: number;
  readonly folder: string;
}): Promise<void> {
  const folder = await mkdtemp(join(above, 'scanflow-capacity-'));
  const endings: (() => Promise<unknown>)[] = [() => rm(folder, { recursive: true, force: true })];
  try {
    const stack = await startStack(folder, endings);
    const sent = new Map(KINDS.map((kind) => [kind, new Map(NUMBERS.map((one) => [one, [] as Sent[]]))]));
    const lists = new Map(NUMBERS.map((one) => [one, [] as number[]]));
    for (let round = 1; round <= rounds; round += 1) {
      const order = round % 2 === 1 ? NUMBERS : NUMBERS.toReversed();
      for (const [kind, numbers] of sent)
        for (const scanners of order) {
          const one = await send(stack, kind, scanners);
          numbers.get(scanners)?.push(one);
          console.error(
            `round ${round}, ${kind.name}, ${scanners} scanners: ${one.imagesPerSecond.toFixed(1)} images/s`,
          );
        }
      for (const scanners of order) {
        const speed = await query(stack, scanners);
        lists.get(scanners)?.push(speed);
        console.error(`round ${round}, ${scanners} scanners: ${speed.toFixed(0)} lists/s`);
      }
    }
    const load = loadavg().map((one) => one.toFixed(1));
    const day = Temporal.Now.plainDateISO().toString();
    console.log(`\n${day}; ${machine()}; load ${load.join(' ')}; median (minimum–maximum) of ${rounds}\n`);
    console.log(
      '| Scanners send | Scanners | Images/h | Series/h | MB/s | All processors | Scanflow | Memory |',
    );
    console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
    for (const row of rows(sent)) console.log(row);
    console.log(`\n| Scanners query, ${BOOKINGS} bookings each | Lists/s |\n| --- | --- |`);
    for (const [scanners, all] of lists) console.log(`| ${scanners} | ${spread(all)} |`);
    console.log('');
    for (const { name, pid } of stack.parts) {
      const { peak, cpu } = await usageOf(pid);
      console.log(`${name}: ${peak.toFixed(0)} MB at its highest, ${cpu.toFixed(1)} s of processor`);
    }
  } finally {
    for (const end of endings.reverse()) await end().catch((error: unknown) => console.error(String(error)));
  }
}
