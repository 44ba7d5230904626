/** Files at the top of a dataset. Never overwrites a file that a person wrote or changed; `participants.tsv` alone gets our rows. */
import { readdir, readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { FailureError, permanent } from '@scanflow/failure';
import { writeFileAtomic } from '@scanflow/runtime';
import { gone } from './files.ts';
import { STATE } from './provenance.ts';
import { jsonText } from './sidecar.ts';
import { withParticipant } from './tables.ts';

export interface DatasetInput {
  readonly project: string;
  /** `sub-001`. */
  readonly participant: string;
  readonly versions: { readonly scanflow: string; readonly dcm2niix: string };
  /** Over our own fields of `dataset_description.json`. */
  readonly description: Readonly<Record<string, unknown>>;
  /** Where the images lie, as a URI relative to the dataset. */
  readonly source: string;
  /** `2026-11-30`, for CHANGES of a new dataset. */
  readonly today: string;
}

const BIDS_VERSION = '1.10.0';
const DESCRIPTION = 'dataset_description.json';
const READMES: ReadonlySet<string> = new Set(['README', 'README.md', 'README.rst', 'README.txt']);

/** A file of the top level: its present text, and whether that is ours. */
interface Current {
  readonly text: string | undefined;
  readonly ours: boolean;
}

/** The texts that these files should have; a file that is not named stays. */
export async function datasetFiles(root: string, input: DatasetInput): Promise<ReadonlyMap<string, string>> {
  const hashes = await readHashes(root);
  const current = async (name: string): Promise<Current> => {
    const text = await readFile(join(root, name), 'utf8').catch(gone);
    return { text, ours: text === undefined || (hashes[name] ?? []).includes(sha256(text)) };
  };
  const wanted = new Map<string, string>();
  const description = await current(DESCRIPTION);
  if (description.ours) wanted.set(DESCRIPTION, describeDataset(input, description.text));
  const names = (await readdir(root).catch(gone)) ?? [];
  const fixed = { README: readme(input), CHANGES: changes(input), '.bidsignore': `${STATE}/\n` };
  for (const [name, text] of Object.entries({ ...fixed, 'participants.json': PARTICIPANTS })) {
    const isThere = name === 'README' ? names.some((one) => READMES.has(one)) : names.includes(name);
    if (!isThere) wanted.set(name, text);
  }
  const participants = (await current('participants.tsv')).text;
  const merged = withParticipant(participants, input.participant);
  if (merged === undefined)
    throw new FailureError(
      permanent(
        'BIDS_PARTICIPANTS',
        `${join(root, 'participants.tsv')} has no column participant_id. Put it back as its first column, separated by tabs.`,
      ),
    );
  if (merged !== participants) wanted.set('participants.tsv', merged);
  for (const [name, text] of wanted) if ((await current(name)).text === text) wanted.delete(name);
  return wanted;
}

const HASHES = join(STATE, 'dataset.json');
type Hashes = Readonly<Record<string, readonly string[]>>;

async function readHashes(root: string): Promise<Hashes> {
  const text = await readFile(join(root, HASHES), 'utf8').catch(gone);
  try {
    return text === undefined ? {} : ((JSON.parse(text) as { readonly files?: Hashes }).files ?? {});
  } catch {
    // then everything counts as written by a person
    return {};
  }
}

/** Writes them. Their hashes come first, so that a kill between the two leaves no file of ours that counts as a person's. */
export async function writeDatasetFiles(root: string, files: ReadonlyMap<string, string>): Promise<void> {
  if (files.size === 0) return;
  const hashes = await readHashes(root);
  const known = { ...hashes };
  for (const [name, text] of files)
    known[name] = [...new Set([...(hashes[name] ?? []), sha256(text)])].slice(-20);
  await writeFileAtomic(join(root, HASHES), jsonText({ files: known }));
  for (const [name, text] of files) await writeFileAtomic(join(root, name), text);
}

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Generator {
  readonly Name: string;
  readonly Version: string;
}

/** Versions that made earlier sessions stay in the list. */
function describeDataset(
  { project, versions, description, source }: DatasetInput,
  before: string | undefined,
): string {
  const now: Generator[] = [
    { Name: 'Scanflow', Version: versions.scanflow },
    { Name: 'dcm2niix', Version: versions.dcm2niix },
  ];
  const all = [...generatorsOf(before), ...now];
  const distinct = new Map(all.map((one) => [`${one.Name} ${one.Version}`, one]));
  const generated = [...distinct.entries()].sort(([one], [other]) => (one < other ? -1 : 1));
  return jsonText({
    Name: project,
    BIDSVersion: BIDS_VERSION,
    DatasetType: 'raw',
    GeneratedBy: generated.map(([, one]) => one),
    SourceDatasets: [{ URL: source }],
    ...description,
  });
}

function generatorsOf(text: string | undefined): Generator[] {
  if (text === undefined) return [];
  try {
    const { GeneratedBy: list } = JSON.parse(text) as { readonly GeneratedBy?: unknown };
    return Array.isArray(list) ? (list as Generator[]) : [];
  } catch {
    return [];
  }
}

const PARTICIPANTS = jsonText({
  participant_id: { Description: 'Label of the participant, as in the names of the folders' },
});

const readme = ({ project }: DatasetInput): string =>
  `# ${project}

Scanflow made this dataset from the DICOM images of the project, with dcm2niix. Each session came from one registration of
the booking calendar. The images themselves lie in the project's storage, unchanged.

Please write here what the study is about, and how it was acquired. Scanflow does not change this file again.
The folder .scanflow/ says of each file which series it came from, and why it has its name.
`;

const changes = ({ today }: DatasetInput): string => `1.0.0 ${today}\n  - Scanflow made the dataset.\n`;
