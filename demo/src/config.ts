/** The demo's configuration and bookings: the sample with this machine's folders and ports, and slots of today. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { formatIssue, loadConfig, type Config } from '@scanflow/config';
import { privateTagOf, type PrivateTag } from '@scanflow/dicom';
import { parseDocument } from 'yaml';
import type { DemoScanner } from './stack.ts';

export interface DemoPorts {
  readonly worklist: number;
  readonly cal2wl: number;
  readonly worklistHttp: number;
  readonly streamer: number;
  /** Where scanners send images, and its pages. */
  readonly receiver: number;
  readonly receiverHttp: number;
  /** The day board for browsers, and its pages for programs. */
  readonly board: number;
  readonly dashboard: number;
}

export interface DemoPlan {
  readonly folder: string;
  readonly timezone: string;
  readonly scanners: readonly DemoScanner[];
  readonly ports: DemoPorts;
  readonly orthanc: { readonly url: string; readonly username: string; readonly passwordFile: string };
  readonly pacs: { readonly aet: string; readonly port: number };
  /** Port of the bids service; without one, nothing is converted. */
  readonly bids?: number | undefined;
  /** Further keys of the configuration: paths and values. */
  readonly changes?: readonly [string[], unknown][] | undefined;
}

const SAMPLE = fileURLToPath(new URL('../../config/scanflow.yaml', import.meta.url));
const LOOPBACK = '127.0.0.1';

/** Writes `scanflow.yaml` into the demo's folder and reads it back as the services will. */
export async function demoConfig(
  plan: DemoPlan,
): Promise<{ file: string; config: Config; projectRoot: string; tag: PrivateTag }> {
  const file = join(plan.folder, 'scanflow.yaml');
  const projectRoot = join(plan.folder, 'project');
  for (const folder of ['project', 'data']) await mkdir(join(plan.folder, folder), { recursive: true });
  const sample = parseDocument(await readFile(SAMPLE, 'utf8'));
  for (const [path, value] of changes(plan, projectRoot)) sample.setIn(path, sample.createNode(value));
  await writeFile(file, sample.toString());
  const loaded = await loadConfig(file);
  if (!loaded.ok)
    throw new Error(`the demo's configuration is not good:\n${loaded.issues.map(formatIssue).join('\n')}`);
  return { file, config: loaded.config, projectRoot, tag: demoTag(loaded.config) };
}

/** The tag that the streamer adds, without the elements for accession number and time. */
export const demoTag = ({ tag: { group, creator, element, value } }: Config): PrivateTag =>
  privateTagOf({ group, creator, element, value });

function changes(plan: DemoPlan, projectRoot: string): [string[], unknown][] {
  const { folder, ports, orthanc, pacs } = plan;
  const perScanner = <T>(make: (scanner: DemoScanner) => T): Record<string, T> =>
    Object.fromEntries(plan.scanners.map((scanner) => [scanner.name, make(scanner)]));
  return [
    [['facility', 'timezone'], plan.timezone],
    [['data'], join(folder, 'data')],
    [['scanners'], perScanner(({ aet, modality }) => ({ aet, modality, stationName: aet }))],
    [
      ['calendars'],
      perScanner(({ name }) => ({ file: join(folder, 'calendars', `${name}.ics`), scanner: name })),
    ],
    [['bookings', 'every'], '10s'],
    [['worklist', 'bind'], LOOPBACK],
    [['worklist', 'port'], ports.worklist],
    [['orthanc'], { url: orthanc.url, username: orthanc.username, passwordFile: orthanc.passwordFile }],
    [['receiver'], { port: ports.receiver }],
    [['arrivals'], { from: 'scanners', quiet: '2s', poll: '500ms' }],
    // the journey of a demo ends while somebody watches
    [['sessions'], { quiet: '10s' }],
    [['storage', 'root'], projectRoot],
    [['destinations'], { pacs: { host: LOOPBACK, port: pacs.port, aet: pacs.aet } }],
    [
      ['http'],
      {
        bind: LOOPBACK,
        ports: {
          cal2wl: ports.cal2wl,
          worklist: ports.worklistHttp,
          streamer: ports.streamer,
          receiver: ports.receiverHttp,
          dashboard: ports.dashboard,
        },
      },
    ],
    [['dashboard'], { port: ports.board }],
    // an exam is over when its scanner says so: nothing comes later
    ...(plan.bids === undefined
      ? []
      : [entry(['bids'], { port: plan.bids }), entry(['sessions'], { quiet: '3s' })]),
    ...(plan.changes ?? []),
  ];
}

const entry = (path: string[], value: unknown): [string[], unknown] => [path, value];

interface Slot {
  readonly start: Temporal.ZonedDateTime;
  readonly end: Temporal.ZonedDateTime;
}

const LONGEST_MINUTES = 30;
/** The worklist's window reaches 12 hours back by default: stay well within. */
const SPAN_MINUTES = 10 * 60;

/** `count` slots in a row around `now`, all on its calendar day. */
export function slotsAround(now: Temporal.ZonedDateTime, count: number): Slot[] {
  const length = Math.max(1, Math.min(LONGEST_MINUTES, Math.floor(SPAN_MINUTES / count)));
  const day = now.startOfDay();
  const nextDay = day.add({ days: 1 });
  const centred = now
    .round({ smallestUnit: 'minute', roundingMode: 'floor' })
    .subtract({ minutes: (length * count) / 2 });
  const latest = nextDay.subtract({ minutes: length * count });
  const first = later(day, earlier(centred, latest));
  return Array.from({ length: count }, (_, index) => ({
    start: first.add({ minutes: length * index }),
    end: first.add({ minutes: length * (index + 1) }),
  }));
}

const later = (a: Temporal.ZonedDateTime, b: Temporal.ZonedDateTime): Temporal.ZonedDateTime =>
  Temporal.ZonedDateTime.compare(a, b) > 0 ? a : b;
const earlier = (a: Temporal.ZonedDateTime, b: Temporal.ZonedDateTime): Temporal.ZonedDateTime =>
  Temporal.ZonedDateTime.compare(a, b) < 0 ? a : b;
