/**
 * What Orthanc has, as types, and its answers read as these: any other form throws FailureError ORTHANC_UNCLEAR. A request that
 * fails becomes a failure here, too: whether a retry helps, and what a person should do.
 */
import { given } from '@scanflow/failure/defined';
import { codeOf, FailureError, messageOf, permanent, transient, type Failure } from '@scanflow/failure';

/** Values by keyword, as Orthanc decoded them. */
export type Tags = Readonly<Record<string, string>>;

export interface SystemInfo {
  readonly version: string;
  /** Its database, by DatabaseServerIdentifier (from Orthanc 1.11.1). Orthancs that share one say the same. */
  readonly database: string | undefined;
  /** Changes appear in the order of their numbers: it has one writer, as its own SQLite does. */
  readonly ordered: boolean;
  /** The limits by which Orthanc deletes the oldest images by itself; undefined if there are none or it does not say. */
  readonly recycling: string | undefined;
}

/** One of several addresses of Orthanc. */
export interface Server {
  readonly url: string;
  /** Requests go to it now. */
  readonly used: boolean;
  readonly database: string | undefined;
  /** Why it does not answer. */
  readonly failure: Failure | undefined;
}

export interface Change {
  readonly seq: number;
  readonly type: string;
  /** Orthanc id of the resource. */
  readonly id: string;
}

export interface ChangePage {
  readonly changes: readonly Change[];
  readonly last: number;
  readonly done: boolean;
}

export interface InstanceListing {
  readonly id: string;
  /** Number of the file among those that were sent again under its UIDs with other bytes, from 1. Absent: its own file. */
  readonly version?: number;
  /** Changes when other bytes take the instance's place. */
  readonly fileUuid: string;
  readonly bytes: number;
  readonly tags: Tags;
  /** Orthanc's identifier of its series, if that was joined with another. */
  readonly series?: string;
}

/** One file that Orthanc has of an instance. */
export type FileOfInstance = Pick<InstanceListing, 'id' | 'version'>;

export interface SeriesListing {
  readonly id: string;
  /** Series Instance UID. */
  readonly uid: string;
  readonly instances: readonly string[];
}

/** Where an instance came from, as far as it is noted. */
export interface Origin {
  /** UTC. */
  readonly received?: string;
  /** AE title of the sender. */
  readonly from?: string;
  /** AE title that was called. */
  readonly called?: string;
  /** Network address of the sender. */
  readonly address?: string;
  /** It came through Orthanc's HTTP interface. */
  readonly uploaded?: boolean;
}

/** What is noted on a series. */
export interface Notes {
  /** JSON: what a person decided. */
  readonly decision?: string;
}

/** All throw FailureError `ORTHANC_…`; for what Orthanc no longer has, ORTHANC_GONE (permanent). */
export interface Orthanc {
  readonly system: (signal: AbortSignal) => Promise<SystemInfo>;
  /** The address that answered last. */
  readonly address: () => string;
  /** Each of several addresses; empty, without a request, if there is one. */
  readonly servers: (signal: AbortSignal) => Promise<readonly Server[]>;
  readonly changes: (since: number, limit: number, signal: AbortSignal) => Promise<ChangePage>;
  readonly lastChange: (signal: AbortSignal) => Promise<number>;
  /** Series of an instance. */
  readonly parentOf: (instance: string, signal: AbortSignal) => Promise<string>;
  /** IDs of the series that have an image of this SOP Instance UID. */
  readonly seriesWith: (sopInstanceUid: string, signal: AbortSignal) => Promise<string[]>;
  readonly series: (id: string, signal: AbortSignal) => Promise<SeriesListing>;
  readonly seriesPage: (
    since: number,
    limit: number,
    signal: AbortSignal,
  ) => Promise<readonly SeriesListing[]>;
  readonly instance: (instance: string, signal: AbortSignal) => Promise<InstanceListing>;
  /** Deletes one instance; with the last one goes the series. */
  readonly remove: (instance: string, signal: AbortSignal) => Promise<void>;
  /** Each instance's own file, and every version that was sent again with other bytes. */
  readonly instances: (series: string, signal: AbortSignal) => Promise<readonly InstanceListing[]>;
  /** Versions of one instance that are kept beside its own file. */
  readonly versions: (instance: string, signal: AbortSignal) => Promise<readonly FileOfInstance[]>;
  /** Whether an instance of the series has such versions, or may have. */
  readonly hasVersions: (series: string, signal: AbortSignal) => Promise<boolean>;
  /** Attributes of the series and its study from Orthanc's database, as it decoded them. */
  readonly seriesTags: (series: string, signal: AbortSignal) => Promise<Tags>;
  readonly origin: (instance: string, series: string, signal: AbortSignal) => Promise<Origin>;
  readonly notes: (series: string, signal: AbortSignal) => Promise<Notes>;
  /** Notes a person's decision on the series itself, so that it outlives the ledger. */
  readonly noteDecision: (series: string, decision: string, signal: AbortSignal) => Promise<void>;
  /**
   * Notes on the series since when it is being deleted (an instant); undefined takes the note away. While it stands, the
   * receiver acknowledges no image that is sent again (docs/decisions/0017-who-receives.md).
   */
  readonly noteLeaving: (series: string, since: string | undefined, signal: AbortSignal) => Promise<void>;
  readonly open: (file: FileOfInstance, signal: AbortSignal) => Promise<InstanceBody>;
  /** The instance in another transfer syntax, under its own UID. Throws TRANSCODE_FAILED if Orthanc cannot convert it. */
  readonly transcode: (
    instance: string,
    transferSyntax: string,
    signal: AbortSignal,
  ) => Promise<InstanceBody>;
}

const ORTHANC_ID = /^[0-9a-f]{8}(-[0-9a-f]{8}){4}$/;

export function systemInfo(system: Record<string, unknown>): SystemInfo {
  const database = system['DatabaseServerIdentifier'];
  const limits = ['MaximumStorageSize', 'MaximumPatientCount'].filter((key) => Number(system[key] ?? 0) > 0);
  const recycles = limits.length > 0 && system['MaximumStorageMode'] !== 'Reject';
  return {
    version: text(system['Version']),
    database: typeof database === 'string' ? databaseOf(database) : undefined,
    ordered: system['DatabaseBackendPlugin'] === null,
    recycling: recycles ? limits.map((key) => `${key} ${String(system[key])}`).join(', ') : undefined,
  };
}

/**
 * The database by a DatabaseServerIdentifier. Each of several Orthancs on one database needs its own: `DATABASE@ORTHANC`.
 *
 * @example
 * ```ts
 * import { databaseOf } from '@scanflow/orthanc';
 *
 * databaseOf('mr-archive@2'); // → 'mr-archive'
 * databaseOf('mr-archive'); // → 'mr-archive'
 * ```
 */
export const databaseOf = (identifier: string): string => identifier.replace(/(?<=.)@[^@]*$/, '');

export const changeOf = (change: Record<string, unknown>): Change => ({
  seq: integer(change['Seq']),
  type: text(change['ChangeType']),
  id: text(change['ID']),
});

export const seriesOf = (series: Record<string, unknown>): SeriesListing => ({
  id: text(series['ID']),
  uid: attributes(series['MainDicomTags'])['SeriesInstanceUID'] ?? '',
  instances: array(series['Instances']).map(text),
});

export const instanceOf = (instance: Record<string, unknown>): InstanceListing => ({
  id: text(instance['ID']),
  fileUuid: text(instance['FileUuid']),
  bytes: integer(instance['FileSize']),
  tags: attributes(instance['MainDicomTags']),
});

export const attributes = (value: unknown): Tags =>
  Object.fromEntries(
    Object.entries(given(value, object) ?? {}).filter(
      (entry): entry is [string, string] => typeof entry[1] === 'string',
    ),
  );

/** Whether it has the form of Orthanc's identifiers. */
export const isId = (value: string): boolean => ORTHANC_ID.test(value);

/** An identifier goes into a path, so it must look like one. */
export function id(value: unknown): string {
  if (typeof value !== 'string' || !isId(value)) throw unclear('an identifier of a strange form');
  return value;
}

/** An object. Throws a FailureError ORTHANC_UNCLEAR if an answer holds something else. */
export function object(value: unknown): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unclear('an object was expected');
  return value as Record<string, unknown>;
}

/** A list. Throws a FailureError ORTHANC_UNCLEAR if an answer holds something else. */
export function array(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw unclear('a list was expected');
  return value;
}

/** A text; throws as `object` does. */
export function text(value: unknown): string {
  if (typeof value !== 'string') throw unclear('a text was expected');
  return value;
}

export function integer(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unclear('a whole number was expected');
  return value as number;
}

export const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));

const transientFault = (code: string, message: string, cause?: unknown): FailureError =>
  new FailureError(transient(code, message), cause);

export const unclear = (detail: string): FailureError =>
  transientFault(
    'ORTHANC_UNCLEAR',
    `Orthanc's answer makes no sense: ${detail}. Check that the address is that of an Orthanc.`,
  );

export const stalled = (ms: number): FailureError =>
  transientFault('ORTHANC_STALLED', `Orthanc sent nothing for ${ms / 1000} s. Check its load and its disks.`);

export const truncated = (promised: number, came: number): FailureError =>
  transientFault(
    'ORTHANC_TRUNCATED',
    `Orthanc promised ${promised} bytes of an image and sent ${came}. Check its storage, and its log.`,
  );

export const corrupt = (): FailureError =>
  transientFault(
    'ORTHANC_CORRUPT',
    'The bytes of an image are not those that Orthanc received (MD5). Check its disk.',
  );

/** Of whatever broke a connection; a failure stays as it is. */
export function connectionFault(error: unknown, url: string): FailureError {
  if (error instanceof FailureError) return error;
  const why = codeOf(error) ?? messageOf(error);
  return transientFault(
    'ORTHANC_UNREACHABLE',
    `Orthanc does not answer at ${url} (${why}). Check that it runs, and its address.`,
    error,
  );
}

/** Of an answer's status other than 200 and 206. */
export function statusFault(status: number, path: string): FailureError {
  if (status === 404)
    return new FailureError(
      permanent('ORTHANC_GONE', `Orthanc has no ${path}: it was deleted, or never there.`),
    );
  if (status === 401 || status === 403)
    return transientFault(
      'ORTHANC_DENIED',
      `Orthanc refuses the user or the password (${status}). Correct them: RegisteredUsers of its configuration has them.`,
    );
  return transientFault('ORTHANC_ERROR', `Orthanc answered ${status} to ${path}. Look into its log.`);
}

/** Orthanc answers, and refuses the user of the configuration: nothing can be done until a person corrects one of the two. */
export function refusedAtStart({
  url,
  username = '',
  passwordFile = 'orthanc.passwordFile, which is not configured',
}: {
  readonly url: string | readonly string[];
  readonly username?: string | undefined;
  readonly passwordFile?: string | undefined;
}): FailureError {
  return new FailureError(
    permanent(
      'ORTHANC_DENIED',
      `Orthanc at ${[url]
        .flat()
        .map((one) => new URL(one).host)
        .join(
          ' and ',
        )} refuses the user "${username}", so the service does not start. Put the password of Orthanc's RegisteredUsers into ${passwordFile}, or correct orthanc.username. In the compose stack: docker compose run --rm secrets, then docker compose up -d --wait --force-recreate.`,
    ),
  );
}

/** Orthanc 1.10 answers 500 to what it cannot decode, as to a mistake of its own. */
export function transcodeFault(status: number, path: string): FailureError {
  if (![400, 415, 422, 500].includes(status)) return statusFault(status, path);
  return new FailureError(
    permanent(
      'TRANSCODE_FAILED',
      `The destination does not take the image’s transfer syntax, and Orthanc cannot convert the image (${status}). For JPEG 2000 it needs its plugin for GDCM (Debian: orthanc-gdcm); else make the destination accept the transfer syntax.`,
    ),
  );
}

export interface InstanceBody {
  /** Content-Length. */
  readonly bytes: number;
  /** What Orthanc computed when it received the instance; undefined if it keeps none. */
  readonly md5: string | undefined;
  /** Throws FailureError if the connection breaks or fewer bytes come. */
  readonly chunks: AsyncIterable<Uint8Array>;
}
