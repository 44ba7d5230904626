/** Converts the planned series of a session aside: dcm2niix once for each, checks, sidecars, compression. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { failureIn, FailureError, permanent, type Failure } from '@scanflow/failure';
import { pool } from '@scanflow/runtime';
import type { Plan, PlannedOutput, PlannedSeries } from '@scanflow/bids';
import { checkSeries, columnsOf, type Made, gzipFile, niftiOf } from './check.ts';
import { convertFolder, type Converted } from './dcm2niix.ts';
import type { SeriesRead } from './facts.ts';
import { gone, hashOf, writeNew } from './files.ts';
import { sidecarText } from './sidecar.ts';
import type { Program } from './types.ts';

export interface ConvertOptions {
  readonly storageRoot: string;
  /** On the file system of the dataset. */
  readonly aside: string;
  readonly dcm2niix: Program;
  readonly scrub: readonly string[];
  /** Series that dcm2niix and compression work on at a time. */
  readonly atOnce: number;
  readonly onSeries?: (done: number) => void;
}

/** A file of the dataset, made and on the disk. */
export interface NewFile {
  /** Relative to the dataset. */
  readonly path: string;
  readonly sha256: string;
}

export interface SeriesConverted {
  readonly series: PlannedSeries;
  readonly files: readonly NewFile[];
  readonly failure: Failure | undefined;
  readonly warnings: readonly string[];
}

/** Where the dataset's new files are made. */
export const newDataset = (aside: string): string => join(aside, 'dataset');

/**
 * Converts the series that the plan converts and no conflict names. A series that fails stands in the result; rejects where none can
 * be converted: dcm2niix is missing, the disk is full.
 */
export async function convertSession(
  plan: Plan,
  reads: ReadonlyMap<string, SeriesRead>,
  options: ConvertOptions,
  signal: AbortSignal,
): Promise<readonly SeriesConverted[]> {
  const disputed = new Set(plan.conflicts.flatMap(({ series }) => series));
  const chosen = plan.series.filter(({ id, decision }) => decision === 'convert' && !disputed.has(id));
  const names = new Map<string, string>();
  let done = 0;
  return pool([...chosen.entries()], options.atOnce, async ([index, series]) => {
    signal.throwIfAborted();
    const failed = (failure: Failure): SeriesConverted => ({ series, files: [], failure, warnings: [] });
    const read = reads.get(series.id);
    const wrong = read === undefined ? undefined : wrongName(series, plan, names);
    if (read === undefined || wrong !== undefined)
      return failed(
        wrong ??
          permanent('BIDS_OUTPUT_MISSING', `${series.folder}: the plan has a series that is not stored.`),
      );
    const aside = join(options.aside, 'raw', String(index));
    try {
      return await convertSeries(series, read, { ...options, aside: aside, root: options.aside }, signal);
    } catch (error) {
      const failure = failureIn(error);
      if (failure?.code !== 'BIDS_DCM2NIIX_TIMEOUT') throw error;
      return failed({ ...failure, message: `${series.folder}: ${failure.message}` });
    } finally {
      await rm(aside, { recursive: true, force: true });
      options.onSeries?.((done += 1));
    }
  });
}

/** A path that leaves the session's folder, or that another series has. */
function wrongName(
  { outputs, folder, id }: PlannedSeries,
  plan: Plan,
  names: Map<string, string>,
): Failure | undefined {
  const within = `${sessionFolder(plan)}/`;
  for (const { path } of outputs) {
    if (!path.startsWith(within) || path.split('/').some((part) => part === '' || part.startsWith('.')))
      return permanent('BIDS_NAME', `${folder}: the name ${path} is none of ${within}. Correct the rule.`);
    const other = names.get(path);
    if (other !== undefined)
      return permanent(
        'BIDS_NAME_TAKEN',
        `${folder}: the series ${other} has the name ${path}, too. Correct the rules.`,
      );
    names.set(path, id);
  }
  return undefined;
}

export const sessionFolder = ({ subject, session }: Pick<Plan, 'subject' | 'session'>): string =>
  session === undefined ? `sub-${subject}` : `sub-${subject}/ses-${session}`;

type SeriesOptions = ConvertOptions & { readonly root: string };

async function convertSeries(
  series: PlannedSeries,
  read: SeriesRead,
  options: SeriesOptions,
  signal: AbortSignal,
): Promise<SeriesConverted> {
  const { storageRoot, aside, dcm2niix } = options;
  const source = join(storageRoot, series.folder);
  const converted = await convertFolder(
    { source, files: read.files, aside, sidecarsOnly: false },
    dcm2niix,
    signal,
  );
  const { warnings, words } = converted;
  const made = await madeOf(converted);
  const failure = converted.ok
    ? checkSeries({ facts: read.facts, voxels: read.voxels, made, others: othersOf(converted, made) }, words)
    : permanent('BIDS_CONVERT_FAILED', `${series.folder}: dcm2niix says: ${words}`);
  if (failure !== undefined) return { series, files: [], failure, warnings };
  const files: NewFile[] = [];
  for (const output of series.outputs) files.push(...(await writeOutput(output, converted, options, signal)));
  return { series, files, failure: undefined, warnings };
}

const GRADIENTS = ['bval', 'bvec'] as const;

async function madeOf({ files, folder }: Converted): Promise<Made[]> {
  const names = files.filter((name) => name.endsWith('.nii')).map((name) => name.slice(0, -4));
  const made: Made[] = [];
  for (const name of names) {
    const [values, vectors] = await Promise.all(
      GRADIENTS.map((end) => readFile(join(folder, `${name}.${end}`), 'utf8').catch(gone)),
    );
    made.push({
      name,
      ...(await niftiOf(join(folder, `${name}.nii`))),
      bValues: values === undefined ? undefined : columnsOf(values)[0],
      bVectors: vectors === undefined ? undefined : columnsOf(vectors),
    });
  }
  return made;
}

/** Files that belong to no image. */
function othersOf({ files }: Converted, made: readonly Made[]): string[] {
  const known = new Set(
    made.flatMap(({ name }) => ['nii', 'json', ...GRADIENTS].map((end) => `${name}.${end}`)),
  );
  return files.filter((name) => !known.has(name));
}

async function writeOutput(
  { output, path, target: { datatype }, metadata, aslContext }: PlannedOutput,
  { folder, outputs, files }: Converted,
  { root, scrub }: SeriesOptions,
  signal: AbortSignal,
): Promise<NewFile[]> {
  const described = outputs.find(({ name }) => name === output);
  if (described === undefined)
    throw new FailureError(
      permanent(
        'BIDS_OUTPUT_MISSING',
        `The plan names the output ${output}, and dcm2niix made no sidecar of it.`,
      ),
    );
  const at = join(newDataset(root), path);
  await mkdir(dirname(at), { recursive: true });
  const written: string[] = [];
  const put = async (end: string, write: (to: string) => Promise<void>): Promise<void> => {
    await write(`${at}${end}`);
    written.push(`${path}${end}`);
  };
  await put('.nii.gz', (to) => gzipFile(join(folder, `${output}.nii`), to, signal));
  if (aslContext !== undefined) {
    const context = path.replace(/_asl$/, '_aslcontext.tsv');
    await writeNew(join(newDataset(root), context), `volume_type\n${aslContext.join('\n')}\n`);
    written.push(context);
  }
  await put('.json', (to) => writeNew(to, sidecarText({ sidecar: described.sidecar, metadata, scrub })));
  // BIDS has gradients beside diffusion alone: of a map without weighting, which dcm2niix gives them, too, they are zeros
  for (const end of GRADIENTS)
    if (datatype === 'dwi' && files.includes(`${output}.${end}`))
      await put(`.${end}`, async (to) => writeNew(to, await readFile(join(folder, `${output}.${end}`))));
  const hashed: NewFile[] = [];
  for (const file of written) hashed.push({ path: file, sha256: await hashOf(join(newDataset(root), file)) });
  return hashed;
}
