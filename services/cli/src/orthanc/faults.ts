/** What goes wrong with Orthanc, as failures with what to do. */
import { codeOf, FailureError, messageOf } from '@scanflow/failure';

export const unreachable = (url: string, cause: unknown): FailureError =>
  new FailureError(
    {
      kind: 'transient',
      code: 'ORTHANC_UNREACHABLE',
      message: `Orthanc does not answer at ${url} (${codeOf(cause) ?? messageOf(cause)}). Check that it runs, and its address.`,
    },
    cause,
  );

export const stalled = (ms: number): FailureError =>
  new FailureError({
    kind: 'transient',
    code: 'ORTHANC_STALLED',
    message: `Orthanc sent nothing for ${ms / 1000} s. Check its load and its disks.`,
  });

export const unclear = (detail: string): FailureError =>
  new FailureError({
    kind: 'transient',
    code: 'ORTHANC_UNCLEAR',
    message: `Orthanc's answer is not understood: ${detail}. Check that the address is that of an Orthanc.`,
  });

export const truncated = (promised: number, came: number): FailureError =>
  new FailureError({
    kind: 'transient',
    code: 'ORTHANC_TRUNCATED',
    message: `Orthanc promised ${promised} bytes of an image and sent ${came}. Check its storage, and its log.`,
  });

export const corrupt = (): FailureError =>
  new FailureError({
    kind: 'transient',
    code: 'ORTHANC_CORRUPT',
    message: 'The bytes of an image are not those that Orthanc received (MD5). Check its disk.',
  });

/** Of an answer other than 200 and 206. */
export function refused(status: number, path: string): FailureError {
  if (status === 404)
    return new FailureError({
      kind: 'permanent',
      code: 'ORTHANC_GONE',
      message: `Orthanc has no ${path}: it was deleted, or never there.`,
    });
  if (status === 401 || status === 403)
    return new FailureError({
      kind: 'transient',
      code: 'ORTHANC_DENIED',
      message: `Orthanc refuses the user or the password (${status}). Correct them: RegisteredUsers of its configuration has them.`,
    });
  return new FailureError({
    kind: 'transient',
    code: 'ORTHANC_ERROR',
    message: `Orthanc answered ${status} to ${path}. Look into its log.`,
  });
}
