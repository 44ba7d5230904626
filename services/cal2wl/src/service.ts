/** The cal2wl service: reads calendars on schedule, publishes bookings, and shows the outcome of each event. */
import { join } from 'node:path';
import { calendarId, type Config } from '@scanflow/config';
import { ALONE, type Guard, type Leadership } from '@scanflow/database/leadership';
import { codeOf, FailureError, messageOf, transient, type Failure } from '@scanflow/failure';
import {
  addLeadMetric,
  addMachine,
  certificatesIn,
  erasuresIn,
  type Fault,
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
import { addAnswerMetrics, addRoutes, healthOf, createMetrics, calendarTrials, forgetPasses } from './api.ts';
import { addBoard } from './board.ts';
import { cannotLead, filesOf, isLeaseGone, OWN_FILES, openLead, type Files } from './lead.ts';
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
  const lead = await openLead(config, log);
  const { leadership } = lead;
  const registry = new Registry();
  const terms = new Terms({ config, log, registry, place, leadership });
  if (leadership === undefined || (await leadership.look()).leads) await terms.begin();
  else log.info('stands by', { reason: leadership.refusal().message });
  const { bind, ports } = config.http;
  const http = await startHttp({
    bind,
    port: ports.cal2wl,
    access: await httpAccess('cal2wl', config, log),
    health: () => terms.health(lead.unguarded),
    registry,
    log,
    routes: (app) => addPages(app, { config, registry, log, terms, leadership }),
  });
  log.info('listening', { bind, port: http.port });
  const stopping = new AbortController();
  const following = leadership?.follow(
    (leads) => terms.change(leads),
    AbortSignal.any([signal, stopping.signal]),
  );
  return {
    port: http.port,
    async stop() {
      stopping.abort();
      await following;
      await terms.close();
      // not before the last file is written
      await leadership?.leave();
      await http.close();
      await lead.close();
    },
  };
}

interface Pages {
  readonly config: Config;
  readonly registry: Registry;
  readonly log: Log;
  readonly terms: Terms;
  readonly leadership: Leadership | undefined;
}

/** Pages that show what a pass did, or change something: only of a cal2wl that leads. */
const OF_THE_LEADER = /^\/api\/(?:calendars|bookings|board|events|try)(?:\/|$)/;

function addPages(app: FastifyInstance, { config, registry, log, terms, leadership }: Pages): void {
  app.addHook('preHandler', async ({ routeOptions: { url = '' } }, reply) => {
    if (!OF_THE_LEADER.test(url)) return undefined;
    const refused = terms.refusal();
    return refused && reply.code(503).send({ code: refused.code, error: refused.message });
  });
  const last = (): PassReport | undefined => terms.current?.last;
  const unanswered = (calendar: string): Failure | undefined => terms.current?.answers.failureOf(calendar);
  addRoutes(app, last, unanswered);
  addAnswerMetrics(registry, () => terms.current?.answers.calendars ?? [], unanswered);
  addLeadMetric(registry, () => leadership?.holds() !== false);
  addBoard(app, { config, log, last, files: () => terms.led().files });
  addWalkIns(app, { walkIns: () => terms.led().passes.walkIns, last });
  const certificates = certificatesIn({ calendars: config.calendars, bookings: config.bookings });
  addMachine(app, registry, { folders: { data: config.data }, certificates });
  addTrials(app, { calendars: calendarTrials(config, () => terms.current?.passes.readers ?? new Map()) });
}

interface TermsOptions {
  readonly config: Config;
  readonly log: Log;
  readonly registry: Registry;
  readonly place: typeof HERE;
  /** Absent where this cal2wl is alone. */
  readonly leadership: Leadership | undefined;
}

/** From when this cal2wl leads until it no longer does. What another one wrote meanwhile is read anew with each term. */
interface Term {
  readonly passes: Passes;
  readonly answers: Answers;
  readonly files: Files;
  /** The report of the last pass. */
  last: PassReport | undefined;
  /** Resolves when nothing of it runs any more. */
  end(): Promise<void>;
}

class Terms {
  current: Term | undefined;
  readonly #options: TermsOptions;
  readonly #count: (report: PassReport) => void;
  /** Why this cal2wl could not begin to lead when it was its turn; another one may have managed to. */
  #unable: Fault | undefined;
  /** One change after the other. */
  #changing: Promise<void> = Promise.resolve();

  constructor(options: TermsOptions) {
    this.#options = options;
    this.#count = createMetrics(options.registry);
  }

  /** Rejects where the folders cannot be used. */
  async begin(): Promise<void> {
    const { config, log, place, leadership } = this.#options;
    const guard = leadership?.guard() ?? ALONE;
    const files = filesOf(guard);
    const passes = await passesOf(config, log, files);
    const answers = answersOf(config, passes, log, guard);
    const ending = new AbortController();
    const { signal } = ending;
    const tell = createPassLog(log);
    const run = async (): Promise<void> => {
      try {
        term.last = await passes.run(Temporal.Now.instant(), signal);
        this.#count(term.last);
        if (!signal.aborted) tell(term.last);
        answers.after(term.last, signal);
      } catch (error) {
        if (isLeaseGone(error))
          log.warn('a pass was ended', { code: codeOf(error), reason: messageOf(error) });
        // the folders are unreadable; health shows that passes no longer succeed
        else log.error('a pass failed; the next one tries again', { error });
      }
    };
    const term: Term = {
      passes,
      answers,
      files,
      last: undefined,
      end: async () => {
        ending.abort();
        await Promise.all([loop, watching]);
        await answers.settled();
      },
    };
    this.current = term;
    const { every, cron } = config.bookings;
    const loop = keepRunning({ every, cron, zone: config.facility.timezone, run, signal });
    const watching = watchStreamer({ config, log, files, ...place }, signal);
  }

  /** This cal2wl begins or ends to lead. */
  change(leads: boolean): void {
    const { log, leadership } = this.#options;
    log.info(leads ? 'leads from now on' : 'stands by', { leader: leadership?.standing().leader });
    this.#changing = this.#changing.then(async () => {
      await this.#end();
      if (!leads) return;
      try {
        await this.begin();
        this.#unable = undefined;
      } catch (error) {
        log.error('cannot lead; another one may', { error });
        if (!isLeaseGone(error)) this.#unable = cannotLead(error);
        await leadership?.rest();
      }
    });
  }

  async close(): Promise<void> {
    await this.#changing;
    await this.#end();
  }

  /** Throws a FailureError while this cal2wl does not lead. */
  led(): Term {
    if (this.current === undefined) throw new FailureError(this.refusal() ?? BEGINNING);
    return this.current;
  }

  /** Why this cal2wl answers for no calendar now. */
  refusal(): Failure | undefined {
    const { leadership } = this.#options;
    if (leadership?.holds() === false) return leadership.refusal();
    return this.current === undefined ? BEGINNING : undefined;
  }

  health(unguarded: Fault | undefined): Health {
    const { config, leadership } = this.#options;
    const failure = leadership?.standing().failure;
    if (failure !== undefined) {
      const { code, message } = failure;
      return { ok: false, detail: { why: message }, faults: [{ state: 'failing', code, message }] };
    }
    const fault = this.#unable;
    if (fault !== undefined) return { ok: false, detail: { why: fault.message }, faults: [fault] };
    if (leadership?.holds() === false)
      return { ok: true, standby: true, detail: { why: leadership.refusal().message } };
    const unanswered = (calendar: string): Failure | undefined => this.current?.answers.failureOf(calendar);
    const health = healthOf(this.current?.last, Temporal.Now.instant(), { ...config.bookings, unanswered });
    const faults = [...(health.faults ?? []), ...(unguarded === undefined ? [] : [unguarded])];
    return { ...health, faults };
  }

  async #end(): Promise<void> {
    const term = this.current;
    this.current = undefined;
    await term?.end();
    if (term !== undefined) forgetPasses(this.#options.registry);
  }
}

const BEGINNING = transient('STANDBY', 'This cal2wl begins to lead. Ask again in a moment.');

const answersOf = (config: Config, passes: Passes, log: Log, guard: Guard): Answers =>
  new Answers({
    config,
    sources: new Map([...passes.readers].map(([name, { source }]) => [name, source])),
    isErased: (one) => passes.isErased(one),
    guard,
    log,
  });

export async function passesOf(config: Config, log: Log, files: Files = OWN_FILES): Promise<Passes> {
  const bookings = join(config.data, 'bookings');
  const worklist = join(config.data, 'worklist', config.worklist.aet);
  const shelf = await openShelf({ worklist, bookings, files });
  const memory = await openMemory(join(config.data, 'cal2wl'), files);
  const running = openRunningExams(join(config.data, 'performed'));
  const zone = config.facility.timezone;
  const update = new Update({
    folder: join(config.data, 'cal2wl'),
    bookings,
    zone,
    exams: () => running.all(),
    files,
  });
  return new Passes({
    config,
    shelf,
    update,
    readers: readersOf(config, memory),
    projects: projectsOf(config, log, files),
    running,
    rejections: openRejections(join(bookings, 'rejected.json'), files),
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
