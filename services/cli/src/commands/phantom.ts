/** `scanflow phantom`: makes a DICOM series from thin air, by itself or for an item of a worklist. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { defined } from '@scanflow/failure/defined';
import {
  dataSet,
  fit,
  items,
  limitOf,
  makeSeries,
  newUid,
  sopClasses,
  text,
  type DataSet,
} from '@scanflow/dicom';
import { find } from '@scanflow/dimse';
import {
  EXIT,
  UsageError,
  type Command,
  type ExitCode,
  type Io,
  address,
  CALLING,
  callingOf,
  readArgs,
  wholeNumber,
} from '../command.ts';
import { createShow } from '../terminal.ts';

const help = `Usage: scanflow phantom FOLDER [--modality MR|CT|SC] [--images N] [--rows N] [--columns N]
                        [--series-number N] [--description TEXT] [--patient-id ID] [--patient-name NAME]
                        [--worklist [AET@]host:port [--calling AET] [--accession NUMBER]] [--json]

Writes a phantom series as DICOM files into FOLDER (created if it is missing; nothing in it is overwritten).

  --modality     MR, CT or SC (secondary capture); default MR
  --images N     images in the series (1 to 100000; default 20)
  --rows, --columns   size of an image (8 to 2048; default 256)
  --worklist     takes the patient, study and step attributes of an item of this worklist
  --description, --patient-id, --patient-name   at most 64 characters, in any script
  --calling AET  our AE title (default PHANTOM)
  --accession    accession number of the item; without it, the worklist must hold exactly one
  --json         prints what was made as JSON

Example:  npx scanflow phantom /tmp/phantom --modality CT --images 40
          npx scanflow phantom /tmp/phantom --worklist SCANFLOW@127.0.0.1:11112 --calling PRISMA --accession QYV0NHFE5G7CSX1X
`;

const OPTIONS = {
  modality: { type: 'string', default: 'MR' },
  images: { type: 'string' },
  rows: { type: 'string' },
  columns: { type: 'string' },
  'series-number': { type: 'string' },
  description: { type: 'string', default: 'Scanflow phantom' },
  'patient-id': { type: 'string' },
  'patient-name': { type: 'string' },
  worklist: { type: 'string' },
  ...CALLING,
  aet: { type: 'string' },
  accession: { type: 'string' },
  json: { type: 'boolean', default: false },
} as const;

type Values = ReturnType<typeof readArgs<typeof OPTIONS>>['values'];

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [folder] = positionals;
  if (folder === undefined)
    throw new UsageError('phantom takes the folder to write to: scanflow phantom FOLDER');
  const images = wholeNumber('images', values.images, { min: 1, max: 100_000, otherwise: 20 });
  const characterSet = characterSetOf(values);
  requireUseful(values);
  const size = { min: 8, max: 2048, otherwise: 256 };
  const form = {
    modality: modality(values.modality),
    rows: wholeNumber('rows', values.rows, size),
    columns: wholeNumber('columns', values.columns, size),
    seriesNumber: wholeNumber('series-number', values['series-number'], { min: 1, max: 9999, otherwise: 1 }),
  };
  const worklistItem = values.worklist === undefined ? undefined : await askItem(values, values.worklist, io);
  const seriesInstanceUid = newUid();
  const series = makeSeries({
    ...form,
    images,
    characterSet,
    seriesInstanceUid,
    seriesDescription: values.description,
    when: Temporal.Now.zonedDateTimeISO(),
    ...defined({ patientId: values['patient-id'], patientName: values['patient-name'], worklistItem }),
  });
  const files = await write(folder, series, images, io);
  if (values.json) io.out.write(`${JSON.stringify({ folder, seriesInstanceUid, files }, null, 2)}\n`);
  else
    io.out.write(`${files.length} ${values.modality} images of series ${seriesInstanceUid} in ${folder}\n`);
  return EXIT.done;
}

async function write(
  folder: string,
  series: ReturnType<typeof makeSeries>,
  total: number,
  io: Io,
): Promise<string[]> {
  const show = createShow(io);
  const files: string[] = [];
  await mkdir(folder, { recursive: true });
  for (const { sopInstanceUid, bytes } of series) {
    io.signal.throwIfAborted();
    const name = `${String(files.length + 1).padStart(5, '0')}_${sopInstanceUid}.dcm`;
    await writeFile(join(folder, name), bytes, { flag: 'wx' });
    files.push(name);
    show.progress('images', files.length, total);
  }
  if (io.terminal) io.err.write('\n');
  return files;
}

/** Texts that go into the images, with their VR (PS3.5 table 6.2-1). */
const TEXTS = { description: 'LO', 'patient-id': 'LO', 'patient-name': 'PN', accession: 'SH' } as const;
const UTF_8 = 'ISO_IR 192';
const LATIN_1 = 'ISO_IR 100';

/** The character set that holds all texts as they are. Throws UsageError for a text that does not fit its VR. */
function characterSetOf(values: Values): string {
  const given = Object.entries(TEXTS).flatMap(([name, vr]) => {
    const text = values[name as keyof typeof TEXTS];
    return text === undefined ? [] : [{ name, vr, text }];
  });
  for (const { name, vr, text } of given)
    if (text === '' || fit(vr, text, UTF_8) !== text || (vr === 'PN' && !isName(text)))
      throw new UsageError(
        `--${name} takes ${vr === 'PN' ? 'a name as Doe^Jane, each part' : 'a text'} of 1 to ${limitOf(vr) ?? ''} characters without \\, control characters and spaces around, not ${JSON.stringify(text)}`,
      );
  return given.every(({ vr, text }) => fit(vr, text, LATIN_1) === text) ? LATIN_1 : UTF_8;
}

/** Five components in a group (PS3.5 6.2.1). */
const isName = (text: string): boolean => text.split('=').every((group) => group.split('^').length <= 5);

/** Throws UsageError for an option without effect. */
function requireUseful(values: Values): void {
  if (values.worklist !== undefined) return;
  const useless = (['accession', 'calling', 'aet'] as const).find((name) => values[name] !== undefined);
  if (useless !== undefined) throw new UsageError(`--${useless} goes with --worklist`);
}

function modality(text: string): 'MR' | 'CT' | 'SC' {
  if (text === 'MR' || text === 'CT' || text === 'SC') return text;
  throw new UsageError(`--modality takes MR, CT or SC, not ${text}`);
}

/** The one item of the worklist that is meant, by a C-FIND as a scanner would send it (PS3.4 K.6.1.2.2). */
async function askItem(values: Values, worklist: string, io: Io): Promise<DataSet> {
  const callingAet = callingOf(values, { name: 'aet', text: values.aet }, io, 'PHANTOM');
  const { host, port, aet } = address('worklist', worklist, 'SCANFLOW');
  const answer = await find(
    { host, port, calledAet: aet, callingAet },
    { sopClass: sopClasses.modalityWorklistFind, identifier: everything(values.accession) },
    io.signal,
  );
  if (!answer.ok) throw new Error(`the worklist did not answer: ${answer.failure.message}`);
  const [item] = answer.matches;
  if (item === undefined) throw new UsageError('the worklist has no such item');
  if (answer.matches.length > 1) {
    const choice = answer.matches.map(
      (one) => `  --accession ${text(one, 'AccessionNumber') ?? ''}  ${stepOf(one)}`,
    );
    throw new UsageError(`the worklist has ${choice.length} items; choose one:\n${choice.join('\n')}`);
  }
  return item;
}

function stepOf(item: DataSet): string {
  const [step] = items(item, 'ScheduledProcedureStepSequence');
  if (step === undefined) return '';
  return ['ScheduledStationAETitle', 'ScheduledProcedureStepStartDate', 'ScheduledProcedureStepStartTime']
    .map((keyword) => text(step, keyword) ?? '')
    .join(' ');
}

const everything = (accession: string | undefined): DataSet =>
  dataSet({
    AccessionNumber: accession ?? null,
    ReferringPhysicianName: null,
    PatientName: null,
    PatientID: null,
    PatientBirthDate: null,
    PatientSex: null,
    StudyInstanceUID: null,
    RequestingPhysician: null,
    RequestedProcedureDescription: null,
    RequestedProcedureID: null,
    ScheduledProcedureStepSequence: [],
  });

export const phantom: Command = { help, run };
