/** What goes wrong with Orthanc, as failures. */
import { errnoOf, Fault } from '../model/failure.ts';

export const unreachable = (detail: string) =>
  ({
    kind: 'transient',
    code: 'ORTHANC_UNREACHABLE',
    message: `Orthanc does not answer (${detail}). Check that it runs and orthanc.url; it is asked again.`,
  }) as const;
export const unclear = (detail: string) =>
  ({
    kind: 'transient',
    code: 'ORTHANC_UNCLEAR',
    message: `Orthanc's answer is not understood: ${detail}. Check that orthanc.url names an Orthanc.`,
  }) as const;
export const stalled = (ms: number) =>
  ({
    kind: 'transient',
    code: 'ORTHANC_STALLED',
    message: `Orthanc sent nothing for ${ms / 1000} s. Check its load and its disks; it is asked again.`,
  }) as const;

export function connectionFault(error: unknown): Fault {
  if (error instanceof Fault) return error;
  return new Fault(
    unreachable(errnoOf(error) ?? (error instanceof Error ? error.message : String(error))),
    error,
  );
}

export function statusFault(status: number, path: string): Fault {
  if (status === 404)
    return new Fault({ kind: 'permanent', code: 'ORTHANC_GONE', message: `Orthanc no longer has ${path}.` });
  if (status === 401 || status === 403)
    return new Fault({
      kind: 'transient',
      code: 'ORTHANC_DENIED',
      message: `Orthanc refuses the streamer's user (${status}). Correct orthanc.username and orthanc.passwordFile.`,
    });
  return new Fault({
    kind: 'transient',
    code: 'ORTHANC_ERROR',
    message: `Orthanc answered ${status} to ${path}. Look into its log; it is asked again.`,
  });
}

/** Orthanc 1.10 answers 500 to what it cannot decode, as to a mistake of its own. */
export function transcodeFault(status: number, path: string): Fault {
  if (![400, 415, 422, 500].includes(status)) return statusFault(status, path);
  return new Fault({
    kind: 'permanent',
    code: 'TRANSCODE_FAILED',
    message: `The destination does not take the image’s transfer syntax, and Orthanc cannot convert the image (${status}). For JPEG 2000 it needs its plugin for GDCM (Debian: orthanc-gdcm); else have the destination accept the transfer syntax.`,
  });
}
