/** The cal2wl service: reads calendars on schedule, publishes bookings, and shows the outcome of each event. */
import { join } from 'node:path';
import { calendarId, type Config } from '@scanflow/config';
import {
  addMachine,
  certificatesIn,
  erasuresIn,
  type FastifyInstance,
  type Health,
  httpAccess,
  type Log,
  openErasures,
  Registry,
  type ServiceContext,
  startHttp,
} from '@scanflow/runtime';
import { placeOf } from '@scanflow/sources';
import { addTrials } from '@scanflow/transfer/doctor/trials';
import { openMemory, type Memory } from './adapters/memory.ts';
import { openRejections } from './publish.ts';
import { openRunningExams } from './adapters/running-exams.ts';
import { openShelf } from './adapters/shelf.ts';
import { Answers } from './answers.ts';
import { addAnswerMetrics, addRoutes, healthOf, createMetrics, calendarTrials } from './api.ts';
import { addBoard } from './board.ts';
import { Passes } from './pass.ts';
import { polite, Queues, keepRunning } from './schedule.ts';
import { projectsOf } from './judge.ts';
import { Reader } from './reader.ts';
import { type PassReport, createPassLog } from './report.ts';
import { Update } from './update.ts';
import { addWalkIns } from './walk-in/walk-ins.ts';
import { watchStreamer } from './watch.ts';

interface RunningCal2wl {
  readonly port: number;
  stop(): Promise<void>;
}

/** The other services are on this machine. */
const HERE = { inContainer: false };

/** Starts the service, and resolves once it listens. The first pass starts at once; /healthz shows when it is done. */
export async function startCal2wl(context: ServiceContext<Config>, place = HERE): Promise<RunningCal2wl> {
  const { config, log, signal } = context;
  const passes = await passesOf(config, log);
  const answers = answersOf(config, passes, log);
  const registry = new Registry();
  const [count, tell] = [createMetrics(registry), createPassLog(log)];
  let last: PassReport | undefined;
  const unanswered = answers.failureOf.bind(answers);
  const health = (): Health => healthOf(last, Temporal.Now.instant(), { ...config.bookings, unanswered });
  const { bind, ports } = config.http;
  const http = await startHttp({
    bind,
    port: ports.cal2wl,
    access: await httpAccess('cal2wl', config, log),
    health,
    registry,
    log,
    routes: (app) => addPages(app, { config, registry, log, passes, answers, last: () => last }),
  });
  log.info('listening', { bind, port: http.port });
  const stopping = new AbortController();
  const stopped = AbortSignal.any([signal, stopping.signal]);
  const run = async (): Promise<void> => {
    try {
      last = await passes.run(Temporal.Now.instant(), stopped);
      count(last);
      if (!stopped.aborted) tell(last);
      answers.after(last, stopped);
    } catch (error) {
      // the folders are unreadable; health shows that passes no longer succeed
      log.error('a pass failed; the next one tries again', { error });
    }
  };
  const { every, cron } = config.bookings;
  const loop = keepRunning({ every, cron, zone: config.facility.timezone, run, signal: stopped });
  const watching = watchStreamer({ config, log, ...place }, stopped);
  return {
    port: http.port,
    async stop() {
      stopping.abort();
      await loop;
      await watching;
      await answers.settled();
      await http.close();
    },
  };
}

interface Pages {
  readonly config: Config;
  readonly registry: Registry;
  readonly log: Log;
  readonly passes: Passes;
  readonly answers: Answers;
  readonly last: () => PassReport | undefined;
}

function addPages(app: FastifyInstance, { config, registry, log, passes, answers, last }: Pages): void {
  const unanswered = answers.failureOf.bind(answers);
  addRoutes(app, last, unanswered);
  addAnswerMetrics(registry, answers.calendars, unanswered);
  addBoard(app, { config, log, last });
  addWalkIns(app, { walkIns: passes.walkIns, last });
  const certificates = certificatesIn({ calendars: config.calendars, bookings: config.bookings });
  addMachine(app, registry, { folders: { data: config.data }, certificates });
  addTrials(app, { calendars: calendarTrials(config, passes.readers) });
}

const answersOf = (config: Config, passes: Passes, log: Log): Answers =>
  new Answers({
    config,
    sources: new Map([...passes.readers].map(([name, { source }]) => [name, source])),
    isErased: (one) => passes.isErased(one),
    log,
  });

export async function passesOf(config: Config, log: Log): Promise<Passes> {
  const bookings = join(config.data, 'bookings');
  const shelf = await openShelf({ worklist: join(config.data, 'worklist', config.worklist.aet), bookings });
  const memory = await openMemory(join(config.data, 'cal2wl'));
  const running = openRunningExams(join(config.data, 'performed'));
  const zone = config.facility.timezone;
  const update = new Update({
    folder: join(config.data, 'cal2wl'),
    bookings,
    zone,
    exams: () => running.all(),
  });
  return new Passes({
    config,
    shelf,
    update,
    readers: readersOf(config, memory),
    projects: projectsOf(config, log),
    running,
    rejections: openRejections(join(bookings, 'rejected.json')),
    erasures: openErasures(erasuresIn(config.data)),
    log,
  });
}

function readersOf(config: Config, memory: Memory): Map<string, Reader> {
  const zone = config.facility.timezone;
  const [queues, { every }] = [new Queues(), config.bookings];
  return new Map(
    Object.entries(config.calendars).map(([calendar, settings]) => {
      const { address, host, source: direct } = placeOf(settings);
      const source = host === undefined ? direct : polite(direct, { host, queues, every });
      // time for the fetch and the reading, and a reserve
      const overdueMs = settings.timeout + 180_000;
      // a pass must not wait for an answer beyond the next pass
      const patienceMs = Math.min(Math.max(every, 2_000), 15_000);
      const id = calendarId(config, calendar);
      const options = { calendar: id, address, source, memory, zone, overdueMs, patienceMs };
      return [calendar, new Reader(options)];
    }),
  );
}
