/** What unit tests of the streamer share. Its types fit the streamer's by structure: no package imports a service. */
import { createHash } from 'node:crypto';

/** The patterns of the sample configuration. */
export const PATTERNS = {
  PatientID: /^(?<project>\d{7}\.\d{2})_(?<subject>sub-?\w+)$/u,
  StudyID: /^(?<session>ses-?\w[\w.+-]*)$/u,
};

const ROUTE_RULES = {
  patterns: PATTERNS,
  patientId: '{project}_{subject}',
  patientName: '{project}_{subject}',
  timeZone: 'Europe/Amsterdam',
  senders: new Map([['PRISMA', 'prisma']]),
  admits: () => true,
  quarantined: new Set<never>(),
};

/** Rules of routing: anybody may send, and doubtful series are shown instead of quarantined. */
export const routeRules = <O extends object>(over?: O): typeof ROUTE_RULES & O => ({
  ...ROUTE_RULES,
  ...(over as O),
});

/** A `stillOurs` of a series that no other streamer took. */
export const ours = (): Promise<void> => Promise.resolve();

/** The record of a series of which no image is stored yet. */
export const freshRecord = (orthancSeries: string) => ({
  version: 1 as const,
  orthancSeries,
  seriesInstanceUid: '1.2',
  state: 'storing' as const,
  attributes: {},
  counts: { inOrthanc: 0, stored: 0, untagged: 0, failed: 0 },
  failures: [],
  instances: [],
});

/** The record's entry of an image that was stored under this name. */
export const storedInstance = (file: string, content: string) => ({
  orthancId: file,
  fileUuid: '',
  sopClassUid: '',
  sopInstanceUid: '',
  transferSyntax: '',
  file,
  sha256: createHash('sha256').update(content).digest('hex'),
  bytes: Buffer.byteLength(content),
  original: { md5: '', bytes: 1 },
  tagged: true,
  increment: 1,
});

interface NewFile {
  write(bytes: Uint8Array): Promise<unknown>;
  publish(name: string): Promise<{ readonly file: string }>;
  discard(): Promise<void>;
}

/** Writes an image into a store; returns the name that it got. */
export async function put<F>(
  store: { create(folder: F, bytes: number): Promise<NewFile> },
  folder: F,
  name: string,
  content: string,
): Promise<string> {
  const file = await store.create(folder, content.length);
  try {
    await file.write(Buffer.from(content));
    return (await file.publish(name)).file;
  } finally {
    await file.discard();
  }
}
