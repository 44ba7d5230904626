/** What verification reads, what follows from its findings, and how people see it. Pure. */
import { defined, given } from '@scanflow/failure/defined';
import { createHash } from 'node:crypto';
import type { RecordedVerification, SeriesRecord, StoredFile } from '../store/types.ts';
import type { SeriesView } from '../ledger/rows.ts';
import type { Finding, Look, FileTarget, VerificationView, VerifyTimes, VerifySummary } from './types.ts';
import { type Reason, iso } from '../model/series.ts';

/** Messages name so many files; the rest is counted. */
const MOST_NAMED = 50;

/** Every file in the record, once. */
export function filesOf({ instances, archive }: SeriesRecord): StoredFile[] {
  const all = [...instances, ...(archive === undefined ? [] : [archive])];
  return [...new Map(all.map((one) => [one.file, one])).values()];
}

/** A file name in the series' own folder. Users who may write there may write anything into series.json. */
export const isPlainName = (file: string): boolean =>
  file !== '' && file !== '.' && file !== '..' && !/[/\\\0]/.test(file);

/** Why a series cannot be verified now: images are being stored there, or wait to be. */
export const isBusy = ({ due, reason, legs, path }: SeriesView, place: FileTarget): boolean => {
  const leg = legs.find(({ target }) => target === place);
  if (place === 'copy') return leg === undefined || leg.state === 'pending';
  // a quarantined series keeps its earlier folder, and its leg waits for a person
  return path === undefined || (leg?.state === 'pending' && reason === undefined) || due !== null;
};

/** The record is older than the ledger: storage was restored from an older backup. */
const isOlder = (record: SeriesRecord, stored: number): boolean =>
  record.state !== 'stored' || record.instances.length < stored;

/** The outcome, in words. */
export function judge(
  record: SeriesRecord,
  findings: readonly Finding[],
  looked: Pick<Look, 'files' | 'bytes'>,
  stored: number,
): Look {
  const count = (kind: Finding['kind']): number => findings.filter((one) => one.kind === kind).length;
  const of = `of ${filesOf(record).length} files`;
  const [missing, changed, unreadable] = [count('missing'), count('changed'), count('unreadable')];
  const and = changed > 0 && missing > 0 ? ` ${missing} more are missing.` : '';
  const failure =
    changed > 0
      ? failing('VERIFY_CHANGED', `${changed} ${of} are no longer what was stored.${and} ${WHAT_TO_DO}`)
      : missing > 0
        ? failing('VERIFY_MISSING', `${missing} ${of} are missing. ${WHAT_TO_DO}`)
        : isOlder(record, stored)
          ? failing(
              'VERIFY_RECORD_OLD',
              `series.json names ${record.instances.length} of ${stored} images: the folder is older than the ledger. ${WHAT_TO_DO}`,
            )
          : unreadable > 0
            ? failing(
                'VERIFY_UNREADABLE',
                `${unreadable} ${of} are there and cannot be read. Let the streamer's user read them, and check the disk.`,
              )
            : undefined;
  return {
    ...looked,
    failure,
    findings: findings.slice(0, MOST_NAMED),
    digest: failure === undefined ? undefined : digestOf(failure.code, findings),
  };
}

const failing = (code: string, message: string) => ({ code, message });

const WHAT_TO_DO =
  'scanflow verify ID --repair puts back what Orthanc or the copy still has. If somebody did it on purpose: scanflow verify acknowledge ID --reason TEXT.';

/** If the folder itself or its series.json is missing. */
export const gone = (failure: NonNullable<Look['failure']> = RECORD_GONE): Look => ({
  files: 0,
  bytes: 0,
  failure,
  findings: [],
  digest: digestOf(failure.code, []),
});

const RECORD_GONE = failing(
  'VERIFY_RECORD_GONE',
  `The folder of this series, or its series.json, is not there. ${WHAT_TO_DO}`,
);

function digestOf(code: string, findings: readonly Finding[]): string {
  const lines = findings.map(({ file, kind }) => `${kind} ${file}`).sort();
  return createHash('sha256')
    .update([code, ...lines].join('\n'))
    .digest('base64url');
}

/** When it is looked at next by schedule; null: never. What is older than `until` is left alone. */
export function nextDue(
  { stored }: Pick<VerificationView, 'stored'>,
  { every, until }: VerifyTimes,
  now: number,
): number | null {
  if (every === undefined) return null;
  const due = now + every;
  return until !== undefined && due > stored + until ? null : due;
}

/** Whether the time of looking at it by schedule is over. */
export const isOver = (
  { stored }: Pick<VerificationView, 'stored'>,
  { until }: VerifyTimes,
  now: number,
): boolean => until !== undefined && now > stored + until;

/** What `series.json` says of the outcome; it is written anew only where this changes. */
export function recordedOutcome(
  look: Pick<Look, 'failure' | 'findings'>,
  acknowledged: VerificationView['acknowledged'],
): RecordedVerification {
  if (look.failure === undefined) return { outcome: 'good' };
  return {
    outcome: 'failed',
    code: look.failure.code,
    files: look.findings.map(({ file, kind }) => `${kind}: ${file}`),
    ...defined({
      acknowledged: given(acknowledged, (acknowledged) => ({
        by: acknowledged.by,
        at: iso(acknowledged.at),
        reason: acknowledged.reason,
      })),
    }),
  };
}

/** Without one, a record says that its files are good: they were when it was written. */
export function saysTheSame(record: SeriesRecord, outcome: RecordedVerification): boolean {
  const { since: _since, ...before } = record.verification ?? { outcome: 'good' };
  return JSON.stringify(before) === JSON.stringify(outcome);
}

export interface VerificationReport {
  readonly place: FileTarget;
  /** When every file was last found as stored. */
  readonly good?: string;
  /** When every file was last read. */
  readonly looked?: string;
  /** When the schedule reads it next; absent: never again, or right now. */
  readonly due?: string;
  /** Files compared the last time. */
  readonly files: number;
  readonly bytes: number;
  readonly failure?: Reason;
  readonly since?: string;
  /** The first files that differ from what was stored. */
  readonly findings?: readonly Finding[];
  readonly acknowledged?: { readonly by: string; readonly at: string; readonly reason: string };
  /** Why the last verification could not read it. */
  readonly trouble?: Reason;
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
    ...given(failure, (failure) => ({ failure, findings, ...at('since', view.since) })),
    ...defined({
      acknowledged: given(acknowledged, (acknowledged) => ({ ...acknowledged, at: iso(acknowledged.at) })),
      trouble,
    }),
  };
}

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
