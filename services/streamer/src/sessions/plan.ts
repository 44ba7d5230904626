/** A study session: the series of one study. Its state follows from theirs. */
import { createHash } from 'node:crypto';
import type { Attributes, SeriesState } from '../model/series.ts';
import { digestOf } from '../store/record.ts';

/** The state of a series or session in one word, for people. */
export type Outcome = 'Complete' | 'Incomplete' | 'Failed' | 'Quarantined' | 'Pending';

/**
 * What the series of one session have in common: the accession number with the patient (a number typed in by hand
 * may come again), else the study. Some exports give each volume of one series a study of its own, so the accession
 * number comes first. Undefined where the images name neither.
 */
export function sessionOf(attributes: Attributes): string | undefined {
  const accession = (attributes['AccessionNumber'] ?? '').trim();
  const study = (attributes['StudyInstanceUID'] ?? '').trim();
  const patient = (attributes['PatientID'] ?? '').trim();
  if (accession !== '') return digest(`accession\n${accession}\n${patient}`);
  return study === '' ? undefined : digest(`study\n${study}`);
}

/** Letters and digits alone: it stands in addresses and in names of files. */
const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);

interface SeriesCounts {
  readonly state: SeriesState;
  /** Different instances that are stored. */
  readonly images: number;
  /** How many the scanner said that there are. */
  readonly expected: number | undefined;
}

export function outcomeOf({ state, images, expected }: SeriesCounts): Outcome {
  switch (state) {
    case 'failed':
      return 'Failed';
    case 'quarantined':
      return 'Quarantined';
    case 'collecting':
    case 'working':
      return 'Pending';
    case 'complete':
      return expected !== undefined && images < expected ? 'Incomplete' : 'Complete';
  }
}

/** The worst that has become of one of its series. */
export function sessionOutcome(series: readonly Outcome[]): Outcome {
  const order: readonly Outcome[] = ['Pending', 'Quarantined', 'Failed', 'Incomplete'];
  return order.find((one) => series.includes(one)) ?? 'Complete';
}

/** One text for what a session consists of, to tell whether it is still the same. */
export function sessionDigest(
  series: readonly {
    readonly id: string;
    readonly state: SeriesState;
    readonly increment: number;
    readonly stored: number;
    readonly expected?: number | undefined;
  }[],
): string {
  const lines = series.map(({ id, state, increment, stored, expected = '' }) =>
    [id, state, increment, stored, expected].join(' '),
  );
  return digestOf(lines);
}

const RECOVERED = 'recovered:';

/**
 * Stands for the digest of a session that was reported before the ledger was lost: it is not reported again until an image
 * more is stored.
 */
export function recoveredMark(
  series: readonly { readonly id: string; readonly increment: number; readonly stored: number }[],
): string {
  const lines = series.map(({ id, increment, stored }) => [id, increment, stored].join(' '));
  return `${RECOVERED}${digestOf(lines)}`;
}

export const isRecovered = (digest: string | undefined): boolean => digest?.startsWith(RECOVERED) === true;

/** The deepest folder that is above all of these; empty where that is the root. Parts are separated by `/`. */
export function commonParent(folders: readonly string[]): string {
  const [first = [], ...others] = folders.map((folder) => folder.split('/').slice(0, -1));
  const shared = first.findIndex((name, index) => others.some((other) => other[index] !== name));
  return (shared < 0 ? first : first.slice(0, shared)).join('/');
}

/** The report's name: unique within its folder, and one by which people find it. */
export function reportName(session: string, accession: string): string {
  const safe = accession.replaceAll(/[^A-Za-z0-9-]+/g, '_').slice(0, 40);
  return `scanflow-report${safe === '' ? '' : `-${safe}`}-${session.slice(0, 8)}`;
}
