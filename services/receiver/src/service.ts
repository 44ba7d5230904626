/** One receiver: images come in by DICOM and go to Orthanc by HTTP. */
import { dirname, join } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import { watchConfig, type Config } from '@scanflow/config';
import {
  addMachine,
  certificatesIn,
  httpAccess,
  readSecret,
  Registry,
  sleep,
  startHttp,
  type FastifyInstance,
  type Health,
  type ServiceContext,
} from '@scanflow/runtime';
import { refusedAtStart } from '@scanflow/orthanc';
import { orthancAt, watchOrthanc, type OrthancWatch } from './orthanc.ts';
import { addRoutes, openDoor, type Door } from './door.ts';
import { Room, ROOM } from './holding.ts';
import { createMetrics, type Metrics } from './metrics.ts';
import { openPorts, type Ports } from './ports.ts';
import { storing, type StoreSettings } from './store.ts';

/** Starts the service; resolves once its ports listen. Throws where Orthanc answers and refuses the user. */
export async function startReceiver(context: ServiceContext<Config>): Promise<{ stop(): Promise<void> }> {
  const { config, configFile, log } = context;
  const registry = new Registry();
  const room = new Room(ROOM);
  const door = openDoor(config);
  const login = await loginOf(config.orthanc);
  const orthanc = orthancAt(login);
  const watch = watchOrthanc(orthanc, log);
  await requireAdmitted(watch, login);
  const metrics = createMetrics(registry, room, watch);
  const folder = join(config.data, 'receiver');
  const onStore = storing({
    orthanc,
    mayOverwrite: watch.mayOverwrite,
    room,
    folder,
    log,
    scannerOf: door.scannerOf,
    onImage: counting(metrics, door),
  });
  const ports = await openPorts({ config, log, door, metrics, onStore });
  const following = watchConfig({
    file: configFile,
    log,
    use: (changed) => {
      door.use(changed);
      if (needsRestart(config, changed)) log.warn('configuration.restart-needed', { what: RESTART });
    },
  });
  const http = await startHttp({
    bind: config.http.bind,
    port: config.http.ports.receiver,
    log,
    registry,
    access: await httpAccess('receiver', config, log),
    health: () => healthOf(ports, watch, room, login.url.length > 1 ? orthanc.address() : undefined),
    routes: (app) => addPages(app, registry, door, config),
  });
  if (config.arrivals.from === undefined) log.warn('receiver.open', { what: OPEN });
  log.info('receiver.listening', { port: ports.plain, tlsPort: ports.tls, http: http.port });
  return {
    stop: async () => {
      following.close();
      watch.close();
      await ports.close();
      await http.close();
      orthanc.close();
    },
  };
}

const FIRST_ANSWER_MS = 5_000;

/** Orthanc may be away and come later; a user that it refuses stays refused. */
async function requireAdmitted(
  watch: OrthancWatch,
  login: Awaited<ReturnType<typeof loginOf>>,
): Promise<void> {
  await Promise.race([watch.first, sleep(FIRST_ANSWER_MS)]);
  if (watch.trouble()?.code === 'ORTHANC_DENIED') throw refusedAtStart(login);
}

/** Counts an image, and notes when the last one of its scanner came. */
const counting =
  (metrics: Metrics, door: Door): StoreSettings['onImage'] =>
  (outcome, bytes, seconds, callingAet) => {
    metrics.image(outcome, bytes, seconds);
    if (outcome !== 'failed') door.imageCame(callingAet);
  };

function addPages(app: FastifyInstance, registry: Registry, door: Door, { data, receiver }: Config): void {
  addRoutes(app, door);
  addMachine(app, registry, { folders: { data }, certificates: certificatesIn({ receiver }) });
}

const OPEN =
  'images of every AE title are taken; set arrivals.from: scanners, after `scanflow doctor` has shown who sends';
const RESTART =
  'ports, proxies, TLS files and the address of Orthanc are used after a restart of the receiver';

/** Whether a part changed that is used only after a restart. */
function needsRestart(before: Config, after: Config): boolean {
  const fixed = ({ receiver: { bind, port, idle, proxies, tls }, orthanc, http }: Config): string =>
    JSON.stringify({ bind, port, idle, proxies, tls, orthanc, http });
  return fixed(before) !== fixed(after);
}

/** A user of Orthanc that may only send images. The file of its password is beside the configured one. */
const OWN_USER = { username: 'receiver', file: 'orthanc-receiver-password' };

/** Its own user if the stack made one, otherwise the configured user. */
async function loginOf({ url, username, passwordFile }: Config['orthanc']) {
  if (passwordFile === undefined) return { url, username };
  const own = join(dirname(passwordFile), OWN_USER.file);
  const password = await readSecret(own).catch(() => undefined);
  if (password !== undefined) return { url, username: OWN_USER.username, password, passwordFile: own };
  return { url, username, password: await readSecret(passwordFile), passwordFile };
}

function healthOf(ports: Ports, watch: OrthancWatch, room: Room, orthanc: string | undefined): Health {
  const trouble = watch.trouble();
  const detail = {
    port: ports.plain,
    ...defined({ tlsPort: ports.tls, orthanc }),
    heldInMemory: room.held('memory'),
    heldOnDisk: room.held('disk'),
  };
  // it says Success only once Orthanc has the image: without Orthanc it cannot work
  return trouble === undefined
    ? { ok: true, detail }
    : { ok: false, detail: { ...detail, reason: trouble.message }, faults: [trouble] };
}
