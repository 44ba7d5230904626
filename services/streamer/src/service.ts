/** The streamer put together from its configuration. */
import { join } from 'node:path';
import { checkLabels, type Labels } from '@scanflow/booking';
import { facilityWords, type Config } from '@scanflow/config';
import {
  addMachine,
  certificatesIn,
  erasuresIn,
  httpAccess,
  openErasures,
  readSecret,
  startHttp,
  type Floor,
  type Log,
  type RunningHttp,
} from '@scanflow/runtime';
import { createOrthanc, refusedAtStart } from '@scanflow/orthanc';
import { destinationChecks } from '@scanflow/transfer/doctor/destinations';
import { rootChecks, rootsOf } from '@scanflow/transfer/doctor/folder';
import { clockChecks, orthancChecks } from '@scanflow/transfer/doctor/orthanc';
import { addTrials, TRIAL_MS, type Trials } from '@scanflow/transfer/doctor/trials';
import { routes } from './http/api.ts';
import { boardRoutes } from './http/board.ts';
import { createBookings } from './store/place/bookings.ts';
import { Condition } from './work/condition.ts';
import { commitmentLeg } from './commitment/plan.ts';
import { failureOf } from './model/failure.ts';
import { COPY } from './model/series.ts';
import { eraseRoutes } from './erase/step.ts';
import { bidsRoutes } from './http/bids.ts';
import { hookRoutes } from './hooks/deliver.ts';
import { openExamCounts } from './intake/expected.ts';
import { wants } from './hooks/plan.ts';
import type { Consequences } from './ledger/tx.ts';
import { joiningOrthanc } from './joining/parts.ts';
import { createWakes, runLoop } from './work/loop.ts';
import type { AfterStoring, LoopDeps } from './work/deps.ts';
import { addWaitingGauges, createMetrics } from './http/metrics.ts';
import { openDestinations, openSecurity } from './send/open.ts';
import { openConfiguredLedger } from './ledger/database.ts';
import { openCommitments } from './commitment/wire.ts';
import { createOutlook } from './send/outlook.ts';
import { noticeRoutes } from './notices/step.ts';
import { forgetNotices } from './notices/sql.ts';
import { noticesOf } from './notices/settings.ts';
import { pauseRoutes } from './send/pause.ts';
import { rebuildWhereAsked } from './rebuild/rebuild.ts';
import { hooksOf, settingsOf, verifySettings } from './settings.ts';
import { openStorage } from './store/disk/open.ts';
import type { Clock, Settings } from './model/settings.ts';

interface StreamerContext {
  readonly config: Config;
  readonly log: Log;
  readonly signal: AbortSignal;
}

interface RunningStreamer {
  /** Of its HTTP interface. */
  readonly port: number;
  stop(): Promise<void>;
  /** Rejects, with LEDGER_CORRUPT, once the ledger turns out to be damaged. */
  readonly broken: Promise<never> | undefined;
}

/** Where it runs. */
interface Place {
  /** The other services have their names in the stack's network; otherwise they are on this machine. */
  readonly inContainer: boolean;
  /** In a container, the folder of the host that is mounted as the main root. */
  readonly hostFolder?: string | undefined;
}
const HERE: Place = { inContainer: false };

/**
 * Starts all of it; Orthanc need not answer yet. Throws for a setting that cannot work, and where Orthanc answers and
 * refuses the user.
 */
export async function startStreamer(context: StreamerContext, place: Place = HERE): Promise<RunningStreamer> {
  const { config, log, signal } = context;
  const security = await openSecurity(config.destinations, log);
  const settings = settingsOf(config, security.dials);
  const clock: Clock = { now: () => Temporal.Now.instant().epochMilliseconds, random: () => Math.random() };
  const { afterStoring, consequences } = setUpAfterStoring(config, settings, place, log);
  const ledger = await openConfiguredLedger(config, log, consequences);
  const storage = await openStorage(config, ledger, clock, place.hostFolder);
  const orthanc = joiningOrthanc(await openOrthanc(config.orthanc, signal), ledger);
  const destinations = openDestinations(settings.destinations, { clock, log, orthanc, data: config.data });
  const condition = new Condition();
  const metrics = createMetrics(ledger, condition, clock.now);
  const bookings = openBookings(config.data, log);
  const stopping = new AbortController();
  const wakes = createWakes();
  const reports = await openCommitments(config, settings, { ledger, clock, log, metrics, wakes });
  const deps: LoopDeps = {
    orthanc,
    ledger,
    ...storage,
    bookings,
    settings,
    destinations,
    clock,
    log,
    metrics,
    condition,
    ...afterStoring,
    committing: reports.committing,
    wakes,
    ...settledBy(config, place),
  };
  const work = allWork(deps, AbortSignal.any([signal, stopping.signal]));
  const http = await serve(config, deps);
  return {
    port: http.port,
    broken: ledger.broken,
    stop: async () => {
      stopping.abort();
      security.close();
      await http.close();
      await reports.close();
      await work;
      for (const { carrier } of destinations) carrier.close();
      orthanc.close();
      await ledger.close();
    },
  };
}

const settledBy = (
  config: Config,
  place: Place,
): Pick<LoopDeps, 'verify' | 'data' | 'erasures' | 'notices'> => ({
  verify: verifySettings(config),
  data: config.data,
  erasures: openErasures(erasuresIn(config.data)),
  notices: noticesOf(config, place),
});

async function allWork(deps: LoopDeps, ending: AbortSignal): Promise<void> {
  // whoever turns notices on again is not told of what was before
  if (deps.notices === undefined) await deps.ledger.write(forgetNotices).catch(() => undefined);
  await rebuildWhereAsked(deps, ending);
  await runLoop(deps, ending);
}

const openBookings = (data: string, log: Log): ReturnType<typeof createBookings> =>
  createBookings(join(data, 'bookings'), (file, reason) =>
    log.warn('booking record cannot be read', { code: 'BOOKING_UNREADABLE', file, reason }),
  );

async function openOrthanc({ url, username, passwordFile }: Config['orthanc'], signal: AbortSignal) {
  const password = passwordFile === undefined ? undefined : await readSecret(passwordFile);
  const orthanc = createOrthanc({ url, username, password });
  // one that is away may come; a user that is refused stays refused
  const limit = AbortSignal.any([signal, AbortSignal.timeout(FIRST_ANSWER_MS)]);
  await orthanc.system(limit).catch((error: unknown) => {
    if (failureOf(error).code === 'ORTHANC_DENIED') throw refusedAtStart({ url, username, passwordFile });
  });
  return orthanc;
}

const FIRST_ANSWER_MS = 5_000;

async function serve(config: Config, deps: LoopDeps): Promise<RunningHttp> {
  const { store, copies, settings, clock, log, wakes, condition, metrics } = deps;
  const outlook = createOutlook(deps.destinations, clock.now, config.facility.timezone);
  const wake = (): void => [wakes.store, wakes.legs, wakes.after, wakes.roots].forEach((one) => one.notify());
  addWaitingGauges(metrics.registry, { ...deps, outlook, now: clock.now });
  const words = facilityWords(config);
  const labelProblem = (labels: Labels): string | undefined => checkLabels(labels, words)?.reason;
  return startHttp({
    bind: config.http.bind,
    port: config.http.ports.streamer,
    access: await httpAccess('streamer', config, log),
    health: () => condition.health(clock.now(), outlook.waiting()),
    registry: metrics.registry,
    routes: (app) => {
      boardRoutes(app, { ...deps, context: { ...deps.context, outlook }, labelProblem });
      routes(app, {
        ...deps,
        admits: settings.route.admits,
        labelProblem,
        context: { ...deps.context, outlook },
        verify: { stores: { storage: store, copy: copies }, wakeVerify: () => wakes.verify.notify() },
        wake,
      });
      hookRoutes(app, { ...deps, wake });
      bidsRoutes(app, { ...deps, wake: () => wakes.after.notify() });
      noticeRoutes(app, deps);
      eraseRoutes(app, deps);
      addMachine(app, metrics.registry, machineOf(config));
      addTrials(app, trialsOf(config));
      pauseRoutes(app, { ...deps, wake: () => wakes.legs.notify() });
    },
    log,
  });
}

const machineOf = ({ data, storage, destinations, commitments, ledger, notify }: Config) => ({
  folders: { data, ...rootNames(storage) },
  floors: floorsOf(storage),
  certificates: certificatesIn({ destinations, commitments, ledger, notify }),
});

/** Roots by names that anybody may read: those of projects have a number, in the order of the configuration. */
const rootNames = ({ root, projects, copy }: Config['storage']): Record<string, string> => ({
  'storage.root': root,
  ...Object.fromEntries(
    Object.values(projects).map((project, index) => [`storage.projects[${index + 1}]`, project.root]),
  ),
  ...(copy && { 'storage.copy': copy.root }),
});

const floorsOf = (storage: Config['storage']): ReadonlyMap<string, Floor> => {
  const { freeSpace } = storage;
  return new Map(freeSpace === undefined ? [] : rootsOf(storage).map(([, root]) => [root, freeSpace]));
};

function trialsOf(config: Config): Trials {
  const place = { config, service: 'streamer', timeoutMs: TRIAL_MS } as const;
  return {
    destinations: destinationChecks(place),
    storage: rootChecks(config),
    orthanc: [...orthancChecks(place), ...clockChecks(place)],
  };
}

/** Legs beside storage that somebody works on. */
const targetsOf = ({ destinations, commitments = [], copy }: Settings): ReadonlySet<string> =>
  new Set([
    ...destinations.map(({ name }) => name),
    ...commitments.map(({ name }) => commitmentLeg(name)),
    ...(copy === undefined ? [] : [COPY]),
  ]);

/**
 * Hooks, sessions and clean-up as the configuration has them, and what the ledger has to know of them.
 */
function setUpAfterStoring(
  config: Config,
  settings: Settings,
  { inContainer }: Place,
  log: Log,
): { readonly afterStoring: AfterStoring; readonly consequences: Consequences } {
  const hooks = hooksOf(config, inContainer);
  const notCleaned: AfterStoring['notCleaned'] = new Map();
  const kept: AfterStoring['kept'] = new Map();
  const exams = openExamCounts(join(config.data, 'performed'), (file, reason) =>
    log.warn('record of an exam cannot be read', { code: 'PERFORMED_UNREADABLE', file, reason }),
  );
  return {
    afterStoring: {
      hooks,
      exams,
      context: {
        root: config.storage.root,
        destinations: targetsOf(settings),
        hooks: new Set(hooks.map(({ name }) => name)),
        notCleaned: { get: (series) => notCleaned.get(series) ?? kept.get(series) },
      },
      sessionQuietMs: config.sessions.quiet,
      cleanupAfterMs: config.cleanup.after,
      notCleaned,
      kept,
    },
    consequences: {
      commits: (destination) => config.destinations[destination]?.commitment !== undefined,
      hooksFor: (event, modality) =>
        hooks.filter((hook) => wants(hook, event, modality)).map(({ name }) => name),
      sessionQuietMs: config.sessions.quiet,
      verifyEveryMs: config.storage.verify.every === 'never' ? undefined : config.storage.verify.every,
    },
  };
}
