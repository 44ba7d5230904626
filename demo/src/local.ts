/** Starts a whole Scanflow on the loopback of this machine, without containers: each service as a child process. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  freePort,
  makeCalendar,
  startOrthanc,
  startStorescp,
  type RunningOrthanc,
  type Storescp,
} from '@scanflow/testkit';
import { openApi } from '@scanflow/cli/installation';
import { postConsole, postUser } from '@scanflow/cli/users';
import type { Show } from '@scanflow/cli/terminal';
import { scanForBids } from './bids.ts';
import { reportExams } from './exams.ts';
import { demoConfig, slotsAround, type DemoPlan, type DemoPorts } from './config.ts';
import type { Day, DemoScanner, Stack } from './stack.ts';

export interface LocalOptions {
  readonly scanners: number;
  readonly day: Day;
  readonly folder: string | undefined;
  /** Sessions are converted to BIDS. */
  readonly bids?: boolean;
  /** Further keys of the configuration: paths and values. */
  readonly changes?: DemoPlan['changes'];
}

export interface BoardUser {
  readonly name: string;
  readonly role: string;
  readonly projects?: readonly string[];
}

const ADMINISTRATOR: BoardUser = { name: 'admin', role: 'it' };

export interface LocalStack {
  readonly stack: Stack;
  /** Where to look: what, and its folder or address. */
  readonly places: readonly (readonly [string, string])[];
  /** Address of the day board, and of each service's pages. */
  readonly board: string;
  readonly services: Readonly<Record<string, string>>;
  /** Makes a user of the board, by default an administrator; answers the one-time link with which they sign in. */
  readonly invite: (user?: BoardUser) => Promise<string>;
  /** Makes or revokes the link of a scanner's console; answers the link. */
  readonly console: (action: 'link' | 'revoke', scanner: string) => Promise<string>;
  /** Ends a service by its name, and starts it anew. */
  readonly programs: ReadonlyMap<string, Restartable>;
  stop(how: { keepFolder: boolean }): Promise<void>;
}

export interface Restartable {
  end(): Promise<void>;
  begin(): Promise<void>;
}

const TIMEZONE = 'Europe/Amsterdam';
const SCANNERS: readonly DemoScanner[] = [
  { name: 'prisma', aet: 'PRISMA', modality: 'MR' },
  { name: 'skyra', aet: 'SKYRA', modality: 'MR' },
  { name: 'force', aet: 'FORCE', modality: 'CT' },
  { name: 'vida', aet: 'VIDA', modality: 'MR' },
  { name: 'terra', aet: 'TERRA', modality: 'MR' },
  { name: 'edge', aet: 'EDGE', modality: 'CT' },
  { name: 'meg', aet: 'MEG', modality: 'SC' },
  { name: 'lumina', aet: 'LUMINA', modality: 'MR' },
];

type Ending = () => Promise<void>;

/** Starts every part. If one does not start, or the signal aborts, it stops what has started. */
export async function startLocal(
  options: LocalOptions,
  show: Show,
  signal: AbortSignal,
): Promise<LocalStack> {
  const folder =
    options.folder === undefined ? await mkdtemp(join(tmpdir(), 'scanflow-demo-')) : resolve(options.folder);
  const endings: Ending[] = [];
  const stop: LocalStack['stop'] = async ({ keepFolder }) => {
    for (const end of endings.splice(0).reverse())
      await end().catch((error: unknown) => show.problem(String(error)));
    if (!keepFolder) await rm(folder, { recursive: true, force: true });
  };
  try {
    await mkdir(folder, { recursive: true });
    return await startParts(options, folder, { endings, stop, show, signal });
  } catch (error) {
    await stop({ keepFolder: options.folder !== undefined });
    throw error;
  }
}

interface Starting {
  readonly endings: Ending[];
  readonly stop: LocalStack['stop'];
  readonly show: Show;
  readonly signal: AbortSignal;
}

interface Peers {
  readonly orthanc: RunningOrthanc;
  readonly pacs: Storescp;
}

/** What is not Scanflow's: it keeps the images, and gets them sent. */
async function startPeers(folder: string, { endings, show, signal }: Starting): Promise<Peers> {
  const orthanc = await startOrthanc({ folder: join(folder, 'orthanc') });
  endings.push(() => orthanc.stop());
  show.step('Orthanc keeps images', orthanc.url);
  signal.throwIfAborted();

  const pacs = await startStorescp({ folder: join(folder, 'research-pacs'), aet: 'RESEARCHPACS' });
  endings.push(() => pacs.stop());
  show.step("the research PACS, DCMTK's storescp", `${pacs.aet}@127.0.0.1:${pacs.port}`);
  signal.throwIfAborted();
  return { orthanc, pacs };
}

async function startParts(options: LocalOptions, folder: string, starting: Starting): Promise<LocalStack> {
  const { stop, show, signal } = starting;
  const scanners = SCANNERS.slice(0, options.scanners);
  show.heading(`Scanflow starts in ${folder}`);
  const calendars = await writeCalendars(folder, scanners, options.day.sessions);
  show.step('booking calendars of today', calendars);

  const { orthanc, pacs } = await startPeers(folder, starting);
  const ports = await freePorts();
  const { changes } = options;
  const bids = options.bids === true ? await freePort() : undefined;
  const plan: DemoPlan = { folder, timezone: TIMEZONE, scanners, ports, orthanc, pacs, bids, changes };
  const { file, config, projectRoot, tag } = await demoConfig(plan);
  const pages = pagesOf(ports, bids);
  const running = await startServices(file, pages, join(folder, 'log'), starting);
  return {
    programs: running,
    stack: {
      scanners,
      timezone: TIMEZONE,
      worklist: { aet: 'SCANFLOW', host: '127.0.0.1', port: ports.worklist },
      exams: reportExams(TIMEZONE),
      receiver: { aet: orthanc.aet, host: '127.0.0.1', port: ports.receiver },
      streamer: await openApi(config, 'streamer'),
      projectRoot,
      pacsFolder: pacs.folder,
      tag,
      ...(bids === undefined ? {} : { scan: scanForBids }),
    },
    board: `http://127.0.0.1:${ports.board}`,
    services: {
      ...Object.fromEntries(pages.map(([name, port]) => [name, `http://127.0.0.1:${port}`])),
      orthanc: orthanc.url,
    },
    places: [
      ['day board', `http://127.0.0.1:${ports.board}`],
      ['project storage', projectRoot],
      ['research PACS', pacs.folder],
      ['booking records', join(folder, 'data', 'bookings')],
      ['configuration', file],
      ['logs', join(folder, 'log')],
      ['calendars', calendars],
    ],
    invite: async (user = ADMINISTRATOR) => (await postUser(config, '', user, signal)).link ?? '',
    console: async (action, scanner) => (await postConsole(config, scanner, action, signal)).link ?? '',
    stop,
  };
}

const freePorts = async (): Promise<DemoPorts> => ({
  worklist: await freePort(),
  cal2wl: await freePort(),
  worklistHttp: await freePort(),
  streamer: await freePort(),
  receiver: await freePort(),
  receiverHttp: await freePort(),
  board: await freePort(),
  dashboard: await freePort(),
});

type Page = readonly [name: string, port: number];

/** The services in the order in which they start, with the port of their pages for programs. */
const pagesOf = (ports: DemoPorts, bids: number | undefined): Page[] => [
  ...(bids === undefined ? [] : [['bids', bids] as const]),
  ['cal2wl', ports.cal2wl],
  ['worklist', ports.worklistHttp],
  ['receiver', ports.receiverHttp],
  ['streamer', ports.streamer],
  ['dashboard', ports.dashboard],
];

async function startServices(
  config: string,
  pages: readonly Page[],
  folder: string,
  { endings, show, signal }: Starting,
): Promise<ReadonlyMap<string, Restartable>> {
  const running = new Map<string, Restartable>();
  for (const [name, port] of pages) {
    const begin = (): Promise<RunningService> => startService({ name, config, port, folder, signal });
    let service = await begin();
    endings.push(() => service.stop());
    running.set(name, {
      end: () => service.stop(),
      begin: async () => {
        service = await begin();
      },
    });
    show.step(`${name} is healthy`, `http://127.0.0.1:${port}/healthz`);
  }
  return running;
}

/** One calendar per scanner with its sessions of today. */
async function writeCalendars(
  folder: string,
  scanners: readonly DemoScanner[],
  sessions: number,
): Promise<string> {
  const calendars = join(folder, 'calendars');
  await mkdir(calendars, { recursive: true });
  const slots = slotsAround(Temporal.Now.zonedDateTimeISO(TIMEZONE), sessions);
  for (const [number, scanner] of scanners.entries()) {
    const events = slots.map(({ start, end }, index) => ({
      uid: `${scanner.name}-${start.toPlainDate().toString()}-${index + 1}@demo.scanflow`,
      start,
      end,
      summary: `301000${number}.01 sub-${String(index + 1).padStart(3, '0')} ses-${scanner.modality.toLowerCase()}01`,
    }));
    await writeFile(join(calendars, `${scanner.name}.ics`), makeCalendar(events));
  }
  return calendars;
}

/** The settings of `docker/service.Dockerfile` that count for the memory of a service. */
const AS_IN_THE_IMAGE = ['MALLOC_MMAP_THRESHOLD_=131072'];

interface ServiceOptions {
  /** Folder under services/. */
  readonly name: string;
  readonly config: string;
  /** Its HTTP port, to ask for its health. */
  readonly port: number;
  /** Where its log goes, as `NAME.log`. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

export interface RunningService {
  readonly pid: number;
  stop(): Promise<void>;
}

const HEALTHY_MS = 60_000;
const STOP_MS = 10_000;
const LOG_TAIL = 12;

/** Starts a service, and waits until it is healthy. If it ends before that, the error has the end of its log. */
export async function startService({
  name,
  config,
  port,
  folder,
  signal,
}: ServiceOptions): Promise<RunningService> {
  await mkdir(folder, { recursive: true });
  const log = join(folder, `${name}.log`);
  const output = await open(log, 'a', 0o600);
  const main = fileURLToPath(new URL(`../../services/${name}/src/main.ts`, import.meta.url));
  // a process group of its own: Ctrl-C reaches the demo alone, which then ends the parts in order
  const child = spawn('env', [...AS_IN_THE_IMAGE, process.execPath, main, '--config', config], {
    stdio: ['ignore', output.fd, output.fd],
    detached: true,
  });
  const exited = once(child, 'exit');
  // if the demo is killed, its services end, too
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  void exited.then(() => process.off('exit', kill));
  await output.close();
  const service = { pid: child.pid ?? 0, stop: () => end(child, exited) };
  try {
    await healthy(child, name, port, log, signal);
  } catch (error) {
    await service.stop();
    throw error;
  }
  return service;
}

async function healthy(
  child: ChildProcess,
  name: string,
  port: number,
  log: string,
  signal: AbortSignal,
): Promise<void> {
  const deadline = performance.now() + HEALTHY_MS;
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${name} ended at once; the end of ${log}:\n${await tail(log)}`);
    const answer = await fetch(`http://127.0.0.1:${port}/healthz`, {
      signal: AbortSignal.timeout(2000),
    }).catch(() => undefined);
    if (answer?.ok === true) return;
    if (performance.now() > deadline)
      throw new Error(
        `${name} is not healthy after ${HEALTHY_MS / 1000} s; the end of ${log}:\n${await tail(log)}`,
      );
    await pause(100, undefined, { signal });
  }
}

const tail = async (file: string): Promise<string> =>
  (await readFile(file, 'utf8')).trimEnd().split('\n').slice(-LOG_TAIL).join('\n');

/** SIGTERM, and SIGKILL when it does not go. */
async function end(child: ChildProcess, exited: Promise<unknown>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const gone = await Promise.race([exited.then(() => true), pause(STOP_MS, false, { ref: false })]);
  if (!gone) {
    child.kill('SIGKILL');
    await exited;
  }
}
