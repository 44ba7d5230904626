/** The worklist service: reads and watches the folder, and serves the schedule on DICOM and HTTP. */
import { join } from 'node:path';
import { sendersOf, type Config } from '@scanflow/config';
import {
  addMachine,
  certificatesIn,
  httpAccess,
  Registry,
  type ServiceContext,
  startHttp,
  type FastifyInstance,
  type Health,
  type Log,
  openTlsStore,
} from '@scanflow/runtime';
import { senderList, type SenderList } from '@scanflow/dimse/access';
import { isAmong, openAcceptor, type TlsAcceptor } from '@scanflow/dimse';
import { addressOf, type Check } from '@scanflow/transfer/doctor/check';
import { addTrials, TRIAL_MS } from '@scanflow/transfer/doctor/trials';
import { worklistChecks } from '@scanflow/transfer/doctor/worklist';
import { setFlagsFromString } from 'node:v8';
import { bookingEnds, openExams, type Exams } from './exams.ts';
import { startScp, type ScpSettings } from './adapters/scp.ts';
import { watchFolder } from './adapters/watch.ts';
import { addRoutes } from './api.ts';
import { accessPolicy, assumedSets, type AccessPolicy } from './domain/access.ts';
import { createJournal, type Journal } from './domain/journal.ts';
import type { Schedule } from './domain/schedule.ts';
import type { Snapshot } from './domain/snapshot.ts';
import { addExplainRoute, type ExplainSource } from './explain/page.ts';
import { createLoader } from './adapters/folder.ts';
import { createMetrics, type Metrics } from './metrics.ts';

/** Starts the service, and resolves once it has read the folder and listens on both ports. */
export async function startWorklist({
  config,
  log,
}: ServiceContext<Config>): Promise<{ stop(): Promise<void> }> {
  const { aet, bind } = config.worklist;
  const folder = join(config.data, 'worklist', aet);
  const [registry, policy] = [new Registry(), policyOf(config)];
  const served = (): number => exams.board.schedule().entries.length;
  const metrics = createMetrics(registry, served);
  const [journal, own] = [createJournal(), ownQueries(config)];
  const rejected = senderList(REJECTED_KEPT);
  const onRead = (snapshot: Snapshot, seconds: number): void => {
    metrics.snapshot(snapshot, seconds);
    exams.changed();
  };
  const assumed = assumedSets(config.worklist.assumedCharacterSet);
  const loader = createLoader({ folder, assumed, log, onRead });
  const all = (): Schedule => loader.snapshot().schedule;
  const exams = await openExams({ config, log, registry, policy, all });
  const onUnwatched = (reason: string): void => log.warn('worklist.folder-not-watched', { folder, reason });
  const watch = await watchFolder({ folder, read: loader.read, onUnwatched });
  await exams.start();
  const security = await openSecurity(config.worklist.tls, log);
  const scp = await startScp({
    ...settingsOf(config, log),
    policy,
    tls: security.acceptor,
    schedule: exams.board.schedule,
    ...exams.handlers,
    onAccepted: metrics.accepted,
    onRejected: rejections(metrics, rejected),
    onRequest: both(metrics.request, exams.onRequest),
    onQuery: own.leaveOut(journal.add),
  });
  const http = await startHttp({
    ...(await pagesOf(config, log)),
    log,
    registry,
    health: () => healthOf(loader.snapshot(), served(), folder, scp.port),
    routes: addPages({ config, registry, policy, exams, journal, rejected, own, snapshot: loader.snapshot }),
  });
  log.info('worklist.listening', { aet, bind, port: scp.port, http: http.port, folder });
  const stop = async (): Promise<void> => {
    await scp.close();
    security.close();
    await Promise.all([watch.close(), http.close(), exams.stop()]);
  };
  return { stop };
}

/** Most callers in the list of rejections. */
const REJECTED_KEPT = 100;

/** AE titles of a scanner by its name or one of them; of anybody else the one that was given. */
const titlesIn =
  ({ scanners }: Config) =>
  (scanner: string): readonly string[] => {
    const all = Object.entries(scanners).map(([name, { aet, sends = [] }]) => ({
      name,
      titles: [aet, ...sends],
    }));
    const isAlike = (one: string): boolean => one.toLowerCase() === scanner.toLowerCase();
    const found =
      all.find(({ name, titles }) => name === scanner || titles.includes(scanner)) ??
      all.find(({ name, titles }) => [name, ...titles].some(isAlike));
    return found?.titles ?? [scanner];
  };

interface Pages {
  readonly config: Config;
  readonly registry: Registry;
  readonly policy: AccessPolicy;
  readonly exams: Exams;
  readonly journal: Journal;
  readonly rejected: SenderList;
  readonly own: OwnQueries;
  readonly snapshot: () => Snapshot;
}

/** All pages of the service. */
const addPages =
  ({ config, registry, policy, exams, journal, rejected, own, snapshot }: Pages) =>
  (app: FastifyInstance): void => {
    const { board } = exams;
    const scannerNames = sendersOf(config.scanners);
    const shared = { journal, rejected, titlesOf: titlesIn(config) };
    exams.addRoutes(app, scannerNames);
    addMachine(app, registry, {
      folders: { data: config.data },
      certificates: certificatesIn({ worklist: config.worklist }),
    });
    addTrials(app, { worklist: own.checks });
    addRoutes(app, { ...shared, snapshot, board, scannerNames, maySee: policy.maySee });
    addExplainRoute(app, { ...shared, ...explaining(config, snapshot, board, policy) });
  };

interface OwnQueries {
  /** As each scanner, the service asks itself. */
  readonly checks: readonly Check[];
  readonly leaveOut: (add: Journal['add']) => Journal['add'];
}

/** What the service asks itself is no query of a scanner: a console would show it as one. */
function ownQueries(config: Config): OwnQueries {
  const address = addressOf(config.worklist.bind);
  let running = 0;
  const checks = worklistChecks({ config, service: 'worklist', timeoutMs: TRIAL_MS });
  return {
    checks: checks.map(({ name, run }) => ({
      name,
      run: async (signal) => {
        running += 1;
        return run(signal).finally(() => (running -= 1));
      },
    })),
    leaveOut: (add) => (record, identifier) => {
      if (running === 0 || record.address.replace(/^::ffff:/, '') !== address) add(record, identifier);
    },
  };
}

/** Counts a rejection, and lists its caller. */
const rejections =
  (metrics: Metrics, rejected: SenderList): ScpSettings['onRejected'] =>
  (reason, caller, why) => {
    metrics.rejected(reason);
    rejected.add(caller, Temporal.Now.instant().toString({ smallestUnit: 'second' }), why);
  };

/** What a question about an item is answered from. */
function explaining(
  config: Config,
  snapshot: () => Snapshot,
  board: Exams['board'],
  policy: AccessPolicy,
): Pick<ExplainSource, 'known' | 'isBooked'> {
  const endOf = bookingEnds(join(config.data, 'bookings'));
  const { aet: calledAet, maxAnswers } = config.worklist;
  return {
    known: () => {
      const { schedule: all, problems, files } = snapshot();
      const now = { all, problems, served: board.schedule(), left: board.left() };
      const settings = { policy, calledAet, maxAnswers, matching: matchingOf(config) };
      return { ...now, ...settings, writtenMs: (file) => files.get(file)?.modifiedMs };
    },
    isBooked: async (accessionNumber) => (await endOf(accessionNumber)) !== undefined,
  };
}

const pagesOf = async (config: Config, log: Log) => ({
  bind: config.http.bind,
  port: config.http.ports.worklist,
  access: await httpAccess('worklist', config, log),
});

const both =
  <T>(first: (value: T) => void, second: (value: T) => void) =>
  (value: T): void => {
    first(value);
    second(value);
  };

const policyOf = ({ worklist, scanners }: Config): AccessPolicy =>
  accessPolicy({ ...worklist, scanners: Object.values(scanners) });

/** Where it listens, how names are compared, and how many items a query gives. */
const settingsOf = (config: Config, log: Log) => ({
  bind: config.worklist.bind,
  port: config.worklist.port,
  log,
  matching: matchingOf(config),
  maxAnswers: config.worklist.maxAnswers,
  proxies: isAmong(config.worklist.proxies),
});

const matchingOf = ({ worklist }: Config): ScpSettings['matching'] => ({
  caseInsensitivePn: worklist.nameCase === 'ignore',
});

function healthOf(
  { folder: state, schedule, problems, failure }: Snapshot,
  served: number,
  folder: string,
  port: number,
): Health {
  const detail = {
    port,
    folder,
    folderState: state,
    // shown to scanners; what else the folder holds has left, see /api/worklist
    items: served,
    itemsInFolder: schedule.entries.length,
    problems: problems.length,
  };
  // it answers from what it read last, so it stays ready
  return {
    ok: state !== 'failed',
    ready: true,
    detail: failure === undefined ? detail : { ...detail, failure },
  };
}

/** TLS of the worklist's port. Renewed files count without a restart. */
export interface Security {
  /** Undefined: plain TCP. */
  readonly acceptor: TlsAcceptor | undefined;
  readonly close: () => void;
}

/** Throws if a file is missing or unusable, and says what to do. */
export async function openSecurity(tls: Config['worklist']['tls'], log: Log): Promise<Security> {
  if (tls === undefined) return { acceptor: undefined, close: () => undefined };
  const { requirePeerCertificate, profile, ...files } = tls;
  return openAcceptor({ profile, requirePeerCertificate }, (use) => openTlsStore(files, { log, use }));
}

/**
 * Answers are short-lived, a few megabytes hold them, and what is held longer hardly grows. What loading left over is
 * given back after a second, not eight.
 */
export function settleMemory(): void {
  setFlagsFromString('--memory-reducer-delay-ms=1000');
  setFlagsFromString('--semi-space-growth-factor=2');
  setFlagsFromString('--optimize-for-size');
}
