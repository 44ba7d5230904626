/** What Scanflow keeps of a session in a dataset: `.scanflow/sub-001_ses-mr01.json`. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FailureError, permanent } from '@scanflow/failure';
import { gone } from './files.ts';
import type { NewFile } from './convert.ts';
import type { KeptFile, Verdict } from './types.ts';

/** Everything of ours in a dataset that is no BIDS. */
export const STATE = '.scanflow';

export interface Provenance {
  readonly project: string;
  /** Scanflow's labels. */
  readonly subject: string;
  readonly session: string | undefined;
  readonly accessionNumber: string;
  /** Relative to the dataset. */
  readonly folder: string;
  readonly versions: Readonly<Record<string, string>>;
  readonly series: readonly {
    readonly id: string;
    readonly folder: string;
    readonly seriesInstanceUid: string;
    readonly decision: string;
    readonly reason: string;
    readonly rule?: string | undefined;
    readonly failure?: string | undefined;
    readonly sopInstanceUids: readonly string[];
    readonly files: readonly NewFile[];
  }[];
  /** Files that belong to no series: scans.tsv. */
  readonly files: readonly NewFile[];
  /** Of people; ours lie in `conflicts/`. */
  readonly kept: readonly KeptFile[];
  readonly verdict: Verdict | undefined;
}

/** `sub-001/ses-mr01` → `sub-001_ses-mr01`. */
export const unitOf = (folder: string): string => folder.replaceAll('/', '_');

export const provenancePath = (root: string, folder: string): string =>
  join(root, STATE, `${unitOf(folder)}.json`);

/** Undefined where the dataset has nothing of ours for this session. Rejects for a file that is none of ours. */
export async function readProvenance(root: string, folder: string): Promise<Provenance | undefined> {
  const path = provenancePath(root, folder);
  const text = await readFile(path, 'utf8').catch(gone);
  if (text === undefined) return undefined;
  try {
    const value = JSON.parse(text) as Provenance;
    if (Array.isArray(value.series) && Array.isArray(value.files)) return value;
  } catch {
    // below
  }
  throw new FailureError(
    permanent(
      'BIDS_PROVENANCE',
      `${path} cannot be read: somebody changed it. Put it back, or move the session's folder away.`,
    ),
  );
}

/** Every file that we wrote, with its SHA-256. */
export const hashesOf = (provenance: Provenance | undefined): ReadonlyMap<string, string> =>
  new Map(
    [...(provenance?.series ?? []).flatMap(({ files }) => files), ...(provenance?.files ?? [])].map(
      ({ path, sha256 }) => [path, sha256],
    ),
  );

/** Whether these labels of BIDS are free for this registration. Rejects with FailureError where they are not. */
export async function requireFree(
  root: string,
  folder: string,
  { subject, session, accessionNumber }: Pick<Provenance, 'subject' | 'session' | 'accessionNumber'>,
): Promise<void> {
  const [subjectFolder = ''] = folder.split('/');
  const names = (await readdir(join(root, STATE)).catch(gone)) ?? [];
  const units = names.filter(
    (name) =>
      name === `${subjectFolder}.json` || (name.startsWith(`${subjectFolder}_`) && name.endsWith('.json')),
  );
  for (const name of units) {
    const other = await readProvenance(root, name.slice(0, -5));
    if (other === undefined) continue;
    if (other.subject !== subject || (other.folder === folder && (other.session ?? '') !== (session ?? '')))
      throw new FailureError(
        permanent(
          'BIDS_LABEL_TAKEN',
          `${folder} of the dataset belongs to the labels ${labels(other)}, and ${labels({ subject, session })} would have the same name in BIDS. Rename one of them (scanflow series move).`,
        ),
      );
    if (other.folder === folder && other.accessionNumber !== accessionNumber)
      throw new FailureError(
        permanent(
          'BIDS_SESSION_TAKEN',
          `${folder} of the dataset is of the registration ${other.accessionNumber || '(none)'}, and this session is of ${accessionNumber || '(none)'}. Give one of them another session label.`,
        ),
      );
  }
}

const labels = ({ subject, session }: { subject: string; session: string | undefined }): string =>
  session === undefined ? `"${subject}"` : `"${subject}", "${session}"`;
