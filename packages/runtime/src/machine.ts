/** `/api/machine`: what a service sees of its machine: room on its disks, and when the certificates of its configuration run out. */
import { X509Certificate } from 'node:crypto';
import { statfs } from 'node:fs/promises';
import type { FastifyInstance } from 'fastify';
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

/** A floor in bytes. Pure. */
export const leastOf = (total: number, floor: Floor): number =>
  Math.floor('bytes' in floor ? floor.bytes : floor.fraction * total);

interface NamedCertificate {
  /** Its key in the configuration. */
  readonly key: string;
  readonly path: string;
}

interface MachinePlace {
  readonly folders: readonly string[];
  /** What has to stay free in some of the folders. */
  readonly floors?: ReadonlyMap<string, Floor>;
  readonly certificates: readonly NamedCertificate[];
}

const PATIENCE_MS = 3_000;
/** However many ask, the machine is looked at once in this time. */
const FRESH_MS = 2_000;
const PEM_BYTES = 1_048_576;

/** Adds `GET /api/machine`: `{disks: [{path, free, total, least, failure}], certificates: [{key, subject, ends, failure}]}`. */
export function addMachine(app: FastifyInstance, { folders, floors, certificates }: MachinePlace): void {
  const rooms = new Map(folders.map((path) => [path, roomOf(path, floors?.get(path))]));
  let last: { readonly at: number; readonly answer: Promise<object> } | undefined;
  const look = async (): Promise<object> => ({
    disks: await Promise.all([...rooms.values()].map((room) => room())),
    certificates: await readCertificates(certificates),
  });
  app.get('/api/machine', () => {
    if (last === undefined || performance.now() - last.at > FRESH_MS)
      last = { at: performance.now(), answer: look() };
    return last.answer;
  });
}

/** A network drive that hangs holds a thread until it answers: it is asked again only after that. */
function roomOf(path: string, floor?: Floor): () => Promise<Disk> {
  let running: Promise<Disk> | undefined;
  const ask = async (): Promise<Disk> => {
    try {
      const { bavail, blocks, bsize } = await statfs(path);
      const total = blocks * bsize;
      const least = floor === undefined ? {} : { least: leastOf(total, floor) };
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
