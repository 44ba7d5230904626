/** One worklist service: the folder is read and watched, the schedule served on DICOM and HTTP. */
import { join } from 'node:path';
import { httpAccess, Registry, sendersOf, startHttp } from '@scanflow/chassis';
import type { Config, Health, Log } from '@scanflow/chassis';
import { startScp } from './adapters/scp.ts';
import { watchFolder } from './adapters/watch.ts';
import { addRoutes } from './api.ts';
import { accessPolicy, type AccessPolicy } from './domain/access.ts';
import { createJournal } from './domain/journal.ts';
import type { Schedule } from './domain/schedule.ts';
import type { Snapshot } from './domain/snapshot.ts';
import { openExams } from './exams.ts';
import { createLoader } from './load.ts';
import { createMetrics } from './metrics.ts';
import { openSecurity } from './secure.ts';

/** What runService hands over. */
interface Context {
  readonly config: Config;
  readonly log: Log;
}

/** Starts the service; resolves once the folder was read and both ports listen. */
export async function startWorklist({ config, log }: Context): Promise<{ stop(): Promise<void> }> {
  const { aet, bind } = config.worklist;
  const folder = join(config.data, 'worklist', aet);
  const registry = new Registry();
  const policy = policyOf(config);
  const metrics = createMetrics(registry);
  const journal = createJournal();
  const onRead = (snapshot: Snapshot, seconds: number): void => {
    metrics.snapshot(snapshot, seconds);
    exams.changed();
  };
  const loader = createLoader({ folder, log, onRead });
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
    onRejected: metrics.rejected,
    onRequest: both(metrics.request, exams.onRequest),
    onQuery: journal.add,
  });
  const scannerNames = sendersOf(config.scanners);
  const http = await startHttp({
    ...(await pagesOf(config, log)),
    log,
    registry,
    health: () => healthOf(loader.snapshot(), folder, scp.port),
    routes: (app) => {
      exams.addRoutes(app, scannerNames);
      addRoutes(app, { snapshot: loader.snapshot, board: exams.board, journal, scannerNames });
    },
  });
  log.info('worklist.listening', { aet, bind, port: scp.port, http: http.port, folder });
  const stop = async (): Promise<void> => {
    await scp.close();
    security.close();
    await Promise.all([watch.close(), http.close(), exams.stop()]);
  };
  return { stop };
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
const settingsOf = ({ worklist }: Config, log: Log) => ({
  bind: worklist.bind,
  port: worklist.port,
  log,
  matching: { caseInsensitivePn: worklist.nameCase === 'ignore' },
  maxAnswers: worklist.maxAnswers,
});

function healthOf(
  { folder: state, schedule, problems, failure }: Snapshot,
  folder: string,
  port: number,
): Health {
  const detail = {
    port,
    folder,
    folderState: state,
    items: schedule.entries.length,
    problems: problems.length,
  };
  return { ok: state !== 'failed', detail: failure === undefined ? detail : { ...detail, failure } };
}
