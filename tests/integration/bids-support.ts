/** A stored session of phantoms, a plan by table, and a dataset to put it into. */
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { absent } from '@scanflow/runtime';
import { mrSession, writeMrSession, type MrWhat } from '@scanflow/testkit';
import type { Output, Plan, PlannedOutput, PlannedSeries, SeriesFacts, SessionFacts } from '@scanflow/bids';

/** Datatype, and entities with suffix, by the phantom's name. `{…}` of an output: nothing more than these tests need of rules. */
const NAMES: Readonly<
  Record<string, (output: Output) => readonly [datatype: string, name: string] | undefined>
> = {
  'anat-T1w': () => ['anat', 'T1w'],
  'anat-T2w': () => ['anat', 'T2w'],
  'anat-FLAIR': () => ['anat', 'FLAIR'],
  'fmap-magnitude': ({ echo }) => ['fmap', `magnitude${echo ?? 1}`],
  'fmap-phasediff': () => ['fmap', 'phasediff'],
  'fmap-epi_dir-AP': () => ['fmap', 'dir-AP_epi'],
  'fmap-epi_dir-PA': () => ['fmap', 'dir-PA_epi'],
  'func-bold_task-rest_SBRef': () => ['func', 'task-rest_sbref'],
  'func-bold_task-rest': () => ['func', 'task-rest_bold'],
  'func-bold_task-nback': ({ echo }) => ['func', `task-nback_echo-${echo ?? 1}_bold`],
  'func-bold_task-slices': () => ['func', 'task-slices_bold'],
  'func-bold_task-cut': () => ['func', 'task-cut_bold'],
  'dwi-dwi_dir-AP': () => ['dwi', 'dir-AP_dwi'],
  'dwi-dwi_acq-slices': () => ['dwi', 'acq-slices_dwi'],
};

export interface PlanChanges {
  /** Series that are aborted, by description and volumes; others all convert. */
  readonly whole?: (facts: SeriesFacts) => boolean;
  /** Of every functional sidecar; by default its task. */
  readonly metadata?: (datatype: string, name: string) => Readonly<Record<string, unknown>>;
}

/** Every series with a name converts; of an aborted run the plan says so. */
export function planByTable(facts: SessionFacts, changes: PlanChanges = {}): Plan {
  const subject = facts.subject.replace('sub-', '');
  const session = facts.session?.replace('ses-', '');
  const { metadata = taskOf, whole = isWhole } = changes;
  const start = session === undefined ? `sub-${subject}` : `sub-${subject}/ses-${session}`;
  const one = (series: SeriesFacts): PlannedSeries => {
    const outputs = series.outputs.flatMap((output): PlannedOutput[] => {
      const [datatype, name] = NAMES[series.seriesDescription]?.(output) ?? [];
      if (datatype === undefined || name === undefined) return [];
      const path = `${start}/${datatype}/${start.replace('/', '_')}_${name}`;
      const target = { datatype, suffix: name, entities: {} };
      return [{ output: output.name, path, target, metadata: metadata(datatype, name) }];
    });
    const { id, folder, seriesNumber, seriesDescription } = series;
    const decided =
      series.unconvertible !== undefined ? 'unreadable' : outputs.length === 0 ? 'unknown' : 'convert';
    const decision = decided === 'convert' && !whole(series) ? 'aborted' : decided;
    return {
      ...{ id, folder, seriesNumber, seriesDescription, decision },
      reason: series.unconvertible ?? decision,
      rule: undefined,
      outputs: decision === 'convert' ? outputs : [],
      suggestion: undefined,
    };
  };
  const { project, accessionNumber } = facts;
  return { project, subject, session, accessionNumber, series: facts.series.map(one), conflicts: [] };
}

const isWhole = ({ volumes, plannedVolumes = volumes, whole }: SeriesFacts): boolean =>
  whole && volumes >= plannedVolumes;

function taskOf(datatype: string, name: string): Readonly<Record<string, unknown>> {
  if (name === 'phasediff') return { EchoTime1: 0.00492, EchoTime2: 0.00738 };
  const task = /task-([a-z]+)/.exec(name)?.[1];
  return datatype === 'func' && task !== undefined ? { TaskName: task } : {};
}

/** The pinned one, as scripts/setup.sh installs it. */
const VALIDATOR = [
  process.execPath,
  join(import.meta.dirname, '../../services/bids/validator/node_modules/bids-validator/bin/bids-validator'),
];

/** What the service asks of its work. */
export interface StoredSession {
  readonly project: string;
  readonly subject: string;
  readonly session: string | undefined;
  readonly accessionNumber: string;
  readonly storageRoot: string;
  readonly datasetRoot: string;
  readonly series: readonly { readonly id: string; readonly folder: string }[];
}

/** A session without oddities, each kind of image once. */
export const USUAL: readonly MrWhat[] = [
  ...(['localiser', 't1w', 'field map magnitude', 'field map phase', 'epi AP', 'epi PA', 'sbref'] as const),
  ...(['bold aborted', 'bold', 'multi-echo', 'dwi', 'physiology', 'spectroscopy'] as const),
];

export interface BidsRig {
  readonly root: string;
  readonly dataset: string;
  readonly request: StoredSession;
  readonly options: typeof OPTIONS;
}

export const SCANNED = { when: '2026-11-30T10:00:00[Europe/Amsterdam]', patientId: '3010000.01_sub-001' };

export interface RigOptions {
  readonly series?: readonly MrWhat[];
  readonly session?: string;
  readonly subject?: string;
  /** Elsewhere than in a folder of the test's own. */
  readonly dataset?: string;
}

export async function bidsRig(t: TestContext, options: RigOptions = {}): Promise<BidsRig> {
  const { series = USUAL, subject = 'sub-001', session = 'ses-mr01' } = options;
  const root = await mkdtemp(join(tmpdir(), 'scanflow-bids-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const dataset = options.dataset ?? join(root, 'bids');
  const storageRoot = join(root, 'stored');
  return {
    root,
    dataset,
    request: await storeSession({ storageRoot, dataset, series, subject, session }),
    options: OPTIONS,
  };
}

/** Stores the phantoms of a session, and says what the service would ask for. */
export async function storeSession({
  storageRoot,
  dataset,
  series,
  subject,
  session,
}: {
  readonly storageRoot: string;
  readonly dataset: string;
  readonly series: readonly MrWhat[];
  readonly subject: string;
  readonly session: string;
}): Promise<StoredSession> {
  const scanned = { ...SCANNED, when: Temporal.ZonedDateTime.from(SCANNED.when) };
  const at = `raw/${subject}/${session}`;
  const written = await writeMrSession(join(storageRoot, at), mrSession({ series }), scanned);
  return {
    project: '3010000.01',
    subject,
    session,
    accessionNumber: `A-${subject}-${session}`,
    storageRoot,
    datasetRoot: dataset,
    series: written.map(({ folder, series: { what } }) => ({
      id: what,
      folder: `${at}/${basename(folder)}`,
    })),
  };
}

export const OPTIONS = {
  dcm2niix: { command: ['dcm2niix'], timeoutMs: 60_000 },
  plan: (facts: SessionFacts): Plan => planByTable(facts),
  validator: { command: VALIDATOR, timeoutMs: 60_000 },
  scanflowVersion: '0.1.0',
};

/**
 * Every file of a dataset, or of a part of it, with its SHA-256; none where there is no such folder. What SQLite has beside a lock is
 * nobody's, and lines of CHANGES with a day do not count.
 */
export async function sumsOf(folder: string): Promise<Record<string, string>> {
  const found: [name: string, sum: string][] = [];
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(absent);
  for (const entry of entries ?? []) {
    const path = join(entry.parentPath, entry.name);
    const name = path.slice(folder.length + 1);
    if (entry.isDirectory() || name.startsWith('.scanflow/locks/')) continue;
    const bytes = await readFile(path);
    const counts = name === 'CHANGES' ? bytes.toString().replaceAll(/^.*\d{4}-\d\d-\d\d.*$/gm, '') : bytes;
    found.push([name, createHash('sha256').update(counts).digest('hex')]);
  }
  return Object.fromEntries(found.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
