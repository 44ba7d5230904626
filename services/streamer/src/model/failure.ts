/** Any error of the streamer as a failure. */
import { codeOf, failureIn, messageOf, transient, type Failure } from '@scanflow/failure';

const DENIED = [
  'STORE_DENIED',
  'No permission to write to project storage. On the host: chown 10001:10001 FOLDER, the folder of SCANFLOW_PROJECT; without containers, give it to the streamer’s user. Storing goes on by itself.',
] as const;

/**
 * Operating system errors met while storing, by errno name. All transient: a person mends the storage, and the
 * work goes on by itself; meanwhile the images are in Orthanc.
 */
const STORAGE_ERRORS: Readonly<Record<string, readonly [code: string, message: string]>> = {
  ENOSPC: ['STORE_DISK_FULL', 'Project storage is full. Free space; storing goes on by itself.'],
  EDQUOT: ['STORE_QUOTA', 'The quota of project storage is used up. Raise it; storing goes on by itself.'],
  EACCES: DENIED,
  EPERM: DENIED,
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

/** What to do about a code of project storage; undefined for any other code. */
export function storageAdvice(code: string): string | undefined {
  const message = Object.values(STORAGE_ERRORS).find(([known]) => known === code)?.[1];
  return message?.slice(message.indexOf('. ') + 2);
}

/** Any thrown value as a failure. An unforeseen error is transient: the work is retried, and the failure stays visible. */
export function failureOf(error: unknown): Failure {
  const carried = failureIn(error);
  if (carried !== undefined) return carried;
  const errno = codeOf(error);
  const known = errno === undefined ? undefined : STORAGE_ERRORS[errno];
  if (known !== undefined) return transient(known[0], known[1]);
  if (errno?.startsWith('ERR_SQLITE') === true)
    return transient('LEDGER_FAILED', `The ledger cannot be used (${messageOf(error)}). ${LEDGER_ADVICE}`);
  // the message of a system error names the path, and with it project and subject
  const detail = errno ?? messageOf(error);
  return transient('UNEXPECTED', `Something unforeseen happened (${detail}). It is tried again.`);
}

/** The answer of Orthanc; undefined where it no longer has the series or the image. */
export async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (failureOf(error).code === 'ORTHANC_GONE') return undefined;
    throw error;
  }
}

const LEDGER_ADVICE = 'Check the disk and the permissions of the data folder.';
