/** What can go wrong, in one vocabulary: kind (does trying again help?), code, and a sentence for a person. */

export interface Failure {
  /** Transient: trying again may help. Permanent: it will not. Ambiguous: it may have worked. */
  readonly kind: 'transient' | 'permanent' | 'ambiguous';
  /** Stable, upper case, listed in docs/failures.md. */
  readonly code: string;
  /** What happened and what to do about it; no patient attribute. */
  readonly message: string;
}

/** A failure that is thrown. */
export class Fault extends Error implements Failure {
  override readonly name = 'Fault';
  readonly kind: Failure['kind'];
  readonly code: string;

  constructor(failure: Failure, cause?: unknown) {
    super(failure.message, { cause });
    this.kind = failure.kind;
    this.code = failure.code;
  }
}

export const transient = (code: string, message: string): Failure => ({ kind: 'transient', code, message });
export const permanent = (code: string, message: string): Failure => ({ kind: 'permanent', code, message });

/**
 * Operating system errors met while storing, by errno name. All transient: a person mends the storage, and the
 * work goes on by itself; meanwhile the images are in Orthanc.
 */
const STORAGE_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  ENOSPC: ['STORE_DISK_FULL', 'Project storage is full. Free space; storing goes on by itself.'],
  EDQUOT: ['STORE_QUOTA', 'The quota of project storage is used up. Raise it; storing goes on by itself.'],
  EACCES: ['STORE_DENIED', 'No permission to write to project storage. Let the streamer’s user write there.'],
  EPERM: ['STORE_DENIED', 'No permission to write to project storage. Let the streamer’s user write there.'],
  EROFS: ['STORE_READ_ONLY', 'Project storage is mounted read-only. Mount it read-write.'],
  ESTALE: ['STORE_STALE', 'The network file system lost its handle. Check the mount of project storage.'],
  EIO: ['STORE_IO', 'Project storage reports an input/output error. Check its disks and its mount.'],
  ENOTCONN: ['STORE_STALE', 'Project storage is not connected. Check its mount.'],
  ENOENT: ['STORE_FOLDER_GONE', 'The folder of this series vanished while it was written. It is made anew.'],
  ENAMETOOLONG: [
    'STORE_NAME_TOO_LONG',
    'Project storage refuses a name for its length. Shorten storage.root or storage.layout.',
  ],
  EMFILE: ['STORE_TOO_MANY_FILES', 'Too many open files. Raise the limit of open files of the streamer.'],
  ENFILE: ['STORE_TOO_MANY_FILES', 'Too many open files. Raise the limit of open files of this machine.'],
};

/** Any thrown value as a failure; what nobody foresaw is transient, so that it is tried again and stays visible. */
export function failureOf(error: unknown): Failure {
  if (error instanceof Fault) return { kind: error.kind, code: error.code, message: error.message };
  if (isCarrier(error)) return error.failure;
  const errno = errnoOf(error);
  const known = errno === undefined ? undefined : STORAGE_ERRORS[errno];
  if (known !== undefined) return transient(known[0], known[1]);
  if (errno?.startsWith('ERR_SQLITE') === true)
    return transient('LEDGER_FAILED', `The ledger cannot be used (${messageOf(error)}). ${LEDGER_ADVICE}`);
  // the message of a system error names the path, and with it project and subject
  const detail = errno ?? messageOf(error);
  return transient('UNEXPECTED', `Something unforeseen happened (${detail}). It is tried again.`);
}

const LEDGER_ADVICE = 'Check the disk and the permissions of the data folder.';

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Errors of other packages that carry a failure of the same shape. */
const isCarrier = (error: unknown): error is Error & { failure: Failure } =>
  error instanceof Error &&
  'failure' in error &&
  typeof error.failure === 'object' &&
  error.failure !== null &&
  'kind' in error.failure &&
  'code' in error.failure;

/** The errno name (`ENOENT`) of an error of Node's, undefined for anything else. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  const { code } = error;
  if (typeof code !== 'string') return undefined;
  const number = UNNAMED.exec(code)?.[1];
  return (number === undefined ? undefined : LINUX[number]) ?? code;
}

/** What Node says of an error that its libuv has no name for. */
const UNNAMED = /^Unknown system error -(\d+)$/;
/** Those of them that file systems give, by Linux's numbers (asm-generic/errno.h). */
const LINUX: Readonly<Record<string, string>> = { 116: 'ESTALE', 122: 'EDQUOT' };
