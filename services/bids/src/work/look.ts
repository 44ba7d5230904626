/** Facts of all series of a session, and the plan. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { codeOf, FailureError, messageOf } from '@scanflow/failure';
import type { Plan, SeriesFacts, SessionFacts } from '@scanflow/bids';
import { readFacts, type SeriesRead } from './facts.ts';
import type { PlanOptions, SessionRequest, StoredSeries } from './types.ts';

/** Facts and plan; writes nothing into dataset or storage. Rejects with FailureError. */
export async function planOf(
  request: SessionRequest,
  options: PlanOptions,
  signal: AbortSignal,
): Promise<{ readonly facts: SessionFacts; readonly plan: Plan }> {
  const aside = await mkdtemp(join(tmpdir(), 'scanflow-bids-'));
  try {
    const { facts, plan } = await look(request, options, aside, signal);
    return { facts, plan };
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

export interface Looked {
  readonly facts: SessionFacts;
  readonly plan: Plan;
  readonly reads: ReadonlyMap<string, SeriesRead>;
}

/** @param aside an empty or absent folder of ours */
export async function look(
  { project, subject, session, accessionNumber, storageRoot, series }: SessionRequest,
  { dcm2niix, plan, onProgress }: PlanOptions,
  aside: string,
  signal: AbortSignal,
): Promise<Looked> {
  const reads = new Map<string, SeriesRead>();
  for (const [index, one] of series.entries()) {
    signal.throwIfAborted();
    const folder = join(aside, `facts-${index}`);
    const read = await readFacts(one, { storageRoot, aside: folder, dcm2niix }, signal).catch(
      (error: unknown) => unreadable(one, error),
    );
    await rm(folder, { recursive: true, force: true });
    reads.set(one.id, read);
    onProgress?.({ step: 'facts', done: index + 1, of: series.length });
  }
  const facts = {
    project,
    subject,
    session,
    accessionNumber,
    series: [...reads.values()].map((read) => read.facts),
  };
  return { facts, plan: plan(facts), reads };
}

/** A folder that cannot be read, or a series on which dcm2niix hangs, stops no other. */
function unreadable({ id, folder }: StoredSeries, error: unknown): SeriesRead {
  const code = codeOf(error);
  const isOfSeries =
    error instanceof FailureError
      ? code === 'BIDS_DCM2NIIX_TIMEOUT'
      : /^E(?!NOSPC|DQUOT|MFILE|NFILE)/.test(code ?? '');
  if (!isOfSeries && !(error instanceof RangeError)) throw error;
  const unconvertible = `The series cannot be read: ${messageOf(error)}`;
  const facts: SeriesFacts = { ...NOTHING, id, folder, unconvertible };
  return { facts, files: [], sopInstanceUids: [], voxels: undefined, fingerprint: '' };
}

const NOTHING: Omit<SeriesFacts, 'id' | 'folder' | 'unconvertible'> = {
  seriesInstanceUid: '',
  studyInstanceUid: '',
  accessionNumber: '',
  seriesNumber: undefined,
  modality: '',
  manufacturer: '',
  model: '',
  scanner: '',
  protocolName: '',
  seriesDescription: '',
  sequenceName: '',
  mrAcquisitionType: '',
  acquired: { from: '', to: '' },
  images: 0,
  volumes: 0,
  whole: false,
  plannedVolumes: undefined,
  bValues: [],
  geometry: undefined,
  outputs: [],
};
