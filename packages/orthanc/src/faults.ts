/** What goes wrong with a request to Orthanc, as failures: whether a retry helps, and what a person should do. */
import { codeOf, FailureError, messageOf, permanent, transient } from '@scanflow/failure';

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
