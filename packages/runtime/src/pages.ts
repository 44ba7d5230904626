/**
 * Pages that every service has. `/api/machine`, and metrics of the same: room on its disks, and when the certificates of its configuration run out.
 * `/api/events`: tells programs that something changed, and what kind of thing, as Server-Sent Events (WHATWG HTML 9.2). No
 * label goes out: a program that wants more requests the other pages. A program that was away requests everything anew.
 */
import { X509Certificate, randomUUID } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { defined, given } from '@scanflow/failure/defined';
import type { FastifyInstance } from 'fastify';
import type { Gauge, Registry } from 'prom-client';
import { addGauge } from './health.ts';
import { codeOf, messageOf } from '@scanflow/failure';
import { readBounded } from './files.ts';

/** What has to stay free, in bytes or as a fraction of all. */
export type Floor = { readonly bytes: number } | { readonly fraction: number };

interface Disk {
  readonly path: string;
  /** Bytes. */
  readonly free?: number;
  readonly total?: number;
  /** Bytes below which storing waits, where the configuration says so. */
  readonly least?: number;
  readonly failure?: string;
}

/** A size on disk for people: `95.0 MB`, `1.2 GB`. */
export const gigabytes = (bytes: number): string =>
  bytes < 1e8 ? `${(bytes / 1e6).toFixed(1)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;

const LOW = { fraction: 0.05, most: 100e9, least: 2e9 };
const SCARCE = { fraction: 0.02, most: 20e9 };

/**
 * Whether the room of a disk runs out, for `scanflow doctor` and the page Health. Where the facility says how much has to stay
 * free, only that counts; otherwise a part of the disk does, and on large ones some days of images. Pure.
 */
export function judgeRoom({
  free,
  total,
  least,
}: Pick<Required<Disk>, 'free' | 'total'> & Pick<Disk, 'least'>) {
  if (least !== undefined) return free < least ? 'below' : 'enough';
  if (free < Math.min(SCARCE.fraction * total, SCARCE.most)) return 'scarce';
  return free < Math.max(Math.min(LOW.fraction * total, LOW.most), LOW.least) ? 'low' : 'enough';
}

/**
 * How many bytes a floor keeps free. Pure.
 *
 * @param total size of the file system in bytes, for a floor that is a fraction of it
 */
export const leastOf = (total: number, floor: Floor): number =>
  Math.floor('bytes' in floor ? floor.bytes : floor.fraction * total);

interface NamedCertificate {
  /** Its key in the configuration. */
  readonly key: string;
  readonly path: string;
}

interface MachinePlace {
  /** Paths by the names that metrics give them. Anybody may read those: no name of a project. */
  readonly folders: Readonly<Record<string, string>>;
  /** What has to stay free in some of the folders. */
  readonly floors?: ReadonlyMap<string, Floor>;
  readonly certificates: readonly NamedCertificate[];
}

const PATIENCE_MS = 3_000;
/** However many ask, the machine is looked at once in this time. */
const FRESH_MS = 2_000;
const PEM_BYTES = 1_048_576;

interface Look {
  readonly disks: readonly Disk[];
  readonly certificates: readonly ReadCertificate[];
}

/** Adds `GET /api/machine`: `{disks: [{path, free, total, least, failure}], certificates: [{key, subject, ends, failure}]}`; and its metrics. */
export function addMachine(app: FastifyInstance, registry: Registry, place: MachinePlace): void {
  const look = lookingAt(place);
  app.get('/api/machine', look);
  addGauges(registry, place, look);
}

export function addMachineMetrics(registry: Registry, place: MachinePlace): void {
  addGauges(registry, place, lookingAt(place));
}

function lookingAt({ folders, floors, certificates }: MachinePlace): () => Promise<Look> {
  const rooms = [...new Set(Object.values(folders))].map((path) => roomOf(path, floors?.get(path)));
  const look = async (): Promise<Look> => ({
    disks: await Promise.all(rooms.map((room) => room())),
    certificates: await readCertificates(certificates),
  });
  let last: { readonly at: number; readonly answer: Promise<Look> } | undefined;
  return () => {
    if (last === undefined || performance.now() - last.at > FRESH_MS)
      last = { at: performance.now(), answer: look() };
    return last.answer;
  };
}

function addGauges(registry: Registry, { folders, floors }: MachinePlace, look: () => Promise<Look>): void {
  const ofFolder = (name: string, help: string, bytes: (disk: Disk) => number | undefined): void => {
    const collect = async (gauge: Gauge): Promise<void> => {
      gauge.reset();
      const disks = new Map((await look()).disks.map((disk) => [disk.path, disk]));
      for (const [folder, path] of Object.entries(folders)) {
        const disk = disks.get(path);
        const value = disk && bytes(disk);
        if (value !== undefined) gauge.set({ folder }, value);
      }
    };
    addGauge(registry, name, help, collect, 'folder');
  };
  ofFolder(
    'scanflow_filesystem_free_bytes',
    'Bytes that the service may still write on the file system of a folder. Absent if that cannot be read.',
    ({ free }) => free,
  );
  ofFolder('scanflow_filesystem_size_bytes', 'Size of the file system of a folder.', ({ total }) => total);
  if (floors !== undefined)
    ofFolder(
      'scanflow_filesystem_floor_bytes',
      'Free bytes below which storing waits (storage.freeSpace). Absent if not configured.',
      ({ least }) => least,
    );
  addGauge(
    registry,
    'scanflow_certificate_expiry_timestamp_seconds',
    'When the first certificate in a file of the configuration runs out, by its key. 0 if the file cannot be read.',
    async (gauge) => {
      const found = Map.groupBy((await look()).certificates, ({ key }) => key);
      for (const [certificate, all] of found)
        gauge.set({ certificate }, Math.min(...all.map(({ ends }) => secondsOf(ends))));
    },
    'certificate',
  );
}

const secondsOf = (instant: string | undefined): number =>
  instant === undefined ? 0 : Temporal.Instant.from(instant).epochMilliseconds / 1000;

/** A network drive that hangs holds a thread until it answers: it is asked again only after that. */
function roomOf(path: string, floor?: Floor): () => Promise<Disk> {
  let running: Promise<Disk> | undefined;
  const ask = async (): Promise<Disk> => {
    try {
      const { bavail, blocks, bsize } = await statfs(path);
      const total = blocks * bsize;
      const least = defined({ least: given(floor, (floor) => leastOf(total, floor)) });
      return { path, free: bavail * bsize, total, ...least };
    } catch (error) {
      return { path, failure: codeOf(error) ?? messageOf(error) };
    } finally {
      running = undefined;
    }
  };
  return async () => {
    const { promise: over, resolve } = Promise.withResolvers<Disk>();
    const failure = `no answer within ${PATIENCE_MS / 1000} s`;
    const timer = setTimeout(() => resolve({ path, failure }), PATIENCE_MS);
    running ??= ask();
    const found = await Promise.race([running, over]);
    clearTimeout(timer);
    return found;
  };
}

interface ReadCertificate {
  readonly key: string;
  readonly subject?: string;
  /** An instant. */
  readonly ends?: string;
  readonly failure?: string;
}

/** When certificates run out. One that cannot be read says why. */
export const readCertificates = async (
  certificates: readonly NamedCertificate[],
): Promise<ReadCertificate[]> => (await Promise.all(certificates.map(certificatesAt))).flat();

async function certificatesAt({ key, path }: NamedCertificate): Promise<ReadCertificate[]> {
  try {
    const pem = (await readBounded(path, PEM_BYTES)).toString();
    const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
    if (blocks.length === 0) return [{ key, failure: 'it holds no certificate in PEM' }];
    return blocks.map((block) => {
      const { subject, validToDate } = new X509Certificate(block);
      const ends = Temporal.Instant.fromEpochMilliseconds(validToDate.getTime()).toString();
      return { key, subject: subject.replaceAll('\n', ', '), ends };
    });
  } catch (error) {
    return [{ key, failure: codeOf(error) ?? messageOf(error) }];
  }
}

/** The certificates in a part of the configuration: `certificate` and `ca` of each `tls`. `path`: where the part stands. */
export function certificatesIn(part: unknown, path: readonly string[] = []): NamedCertificate[] {
  if (typeof part !== 'object' || part === null) return [];
  return Object.entries(part).flatMap(([name, inner]): NamedCertificate[] => {
    if (typeof inner !== 'string') return certificatesIn(inner, [...path, name]);
    const isOne = path.at(-1) === 'tls' && (name === 'certificate' || name === 'ca');
    return isOne ? [{ key: [...path, name].join('.'), path: inner }] : [];
  });
}

export interface ChangesOptions {
  /** For each kind of thing a text that differs after each change. Called while somebody listens. */
  readonly marks: () => Promise<Readonly<Record<string, string>>> | Readonly<Record<string, string>>;
  /** Shortest time between two looks at the marks, in milliseconds. */
  readonly everyMs?: number;
  /** Time between two lines that only say that the stream goes on, in milliseconds. */
  readonly beatMs?: number;
}

const EVERY_MS = 1_000;
/** Shorter than the server's patience with silent connections. */
const BEAT_MS = 4_000;
const MOST_LISTENERS = 16;
/** A listener that does not read is cut off; it asks anew when it comes back. */
const MOST_UNREAD = 65_536;
/** Looking takes at most this part of the time, however large the ledger is. */
const REST = 19;

/** Adds `GET /api/events`: first `begin` with `{instance, sequence}`, then a `change` with `{sequence, kind}` for each kind. */
export function addChanges(
  app: FastifyInstance,
  { marks, everyMs = EVERY_MS, beatMs = BEAT_MS }: ChangesOptions,
): void {
  const listeners = new Set<ServerResponse>();
  const instance = randomUUID();
  let sequence = 0;
  let last: Readonly<Record<string, string>> | undefined;
  let timer: NodeJS.Timeout | undefined;
  const tell = (kind: string): void => {
    sequence += 1;
    for (const raw of listeners) send(raw, 'change', { sequence, kind });
  };
  const look = async (): Promise<void> => {
    const began = performance.now();
    // what cannot be looked at now is looked at the next time
    const now = await Promise.resolve()
      .then(marks)
      .catch(() => undefined);
    if (now !== undefined && last !== undefined)
      for (const [kind, mark] of Object.entries(now)) if (last[kind] !== mark) tell(kind);
    last = now ?? last;
    again(Math.max(everyMs, (performance.now() - began) * REST));
  };
  const again = (afterMs: number): void => {
    timer = listeners.size === 0 ? undefined : setTimeout(() => void look(), afterMs).unref();
  };
  app.get('/api/events', (_request, reply) => {
    if (listeners.size >= MOST_LISTENERS)
      return reply.code(503).header('retry-after', '10').send({ error: 'too many programs listen' });
    const { raw } = reply.hijack();
    raw.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-store' });
    // what changed while nobody listened is in the pages that the listener asks for now
    if (listeners.size === 0) last = undefined;
    listeners.add(raw);
    send(raw, 'begin', { instance, sequence });
    if (timer === undefined) {
      timer = setTimeout(() => void look(), 0);
    }
    const beat = setInterval(() => write(raw, ': \n\n'), beatMs).unref();
    raw.once('close', () => {
      clearInterval(beat);
      listeners.delete(raw);
    });
    return reply;
  });
}

const send = (raw: ServerResponse, event: string, data: object): void =>
  write(raw, `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`);

function write(raw: ServerResponse, text: string): void {
  if (raw.writableLength > MOST_UNREAD) raw.destroy();
  else if (!raw.destroyed) raw.write(text);
}
