/** Verification as the API and /healthz show it. */
import type { Finding, PlaceName, VerificationView, VerifySummary } from './types.ts';

export interface VerificationReport {
  readonly place: PlaceName;
  /** When every file was last found as stored. */
  readonly good?: string;
  /** When every file was last read. */
  readonly looked?: string;
  /** When the schedule reads it next; absent: never again, or right now. */
  readonly due?: string;
  /** Files compared the last time. */
  readonly files: number;
  readonly bytes: number;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly since?: string;
  /** The first files that differ from what was stored. */
  readonly findings?: readonly Finding[];
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly reason: string };
  /** Why the last verification could not read it. */
  readonly trouble?: { readonly code: string; readonly message: string };
}

export function verificationReport(view: VerificationView): VerificationReport {
  const { place, files, bytes, failure, findings, acknowledged, trouble } = view;
  const at = <K extends string>(key: K, millis: number | null): Partial<Record<K, string>> =>
    millis === null ? {} : ({ [key]: iso(millis) } as Record<K, string>);
  return {
    place,
    ...at('good', view.good),
    ...at('looked', view.looked),
    ...at('due', view.due),
    files,
    bytes,
    ...(failure === undefined ? {} : { failure, findings, ...at('since', view.since) }),
    ...(acknowledged === undefined ? {} : { acknowledged: { ...acknowledged, at: iso(acknowledged.at) } }),
    ...(trouble === undefined ? {} : { trouble }),
  };
}

const iso = (millis: number): string => Temporal.Instant.fromEpochMilliseconds(millis).toString();

/** The result in words. Changed files are reported, but do not make the streamer unhealthy. */
export function verifyHealth(summary: VerifySummary | undefined): string {
  const { failing = {}, trouble = {} } = summary ?? {};
  const texts = [
    ...Object.entries(failing).map(([code, count]) => `${code}: ${count} series.`),
    ...Object.entries(trouble).map(([code, count]) => `${code}: ${count} series could not be looked at.`),
  ];
  if (texts.length === 0) return 'ok';
  return `${texts.join(' ')} scanflow series list --state failed shows which; scanflow verify --repair puts back what it can.`;
}
