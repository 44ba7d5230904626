/** `scanflow phantom`: makes a DICOM series from thin air, by itself or for an item of a worklist. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { dataSet, items, makeSeries, newUid, sopClasses, text, type DataSet } from '@scanflow/dicom';
import { find } from '@scanflow/dimse';
import { EXIT, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { createShow } from '../demo/show.ts';
import { address, readArgs, wholeNumber } from '../options.ts';

const help = `Usage: scanflow phantom FOLDER [--modality MR|CT|SC] [--images N] [--rows N] [--columns N]
                        [--series-number N] [--description TEXT] [--patient-id ID] [--patient-name NAME]
                        [--worklist [AET@]host:port [--aet AET] [--accession NUMBER]] [--json]

Writes a phantom series as DICOM files into FOLDER (made where it is missing; nothing in it is overwritten).

  --modality     MR, CT or SC (secondary capture); default MR
  --images N     images in the series (1 to 100000; default 20)
  --rows, --columns   size of an image (8 to 2048; default 256)
  --worklist     takes the patient, study and step attributes of an item of this worklist
  --aet          AE title with which to ask the worklist (default PHANTOM)
  --accession    which item; without it there must be just one
  --json         what was made as JSON on standard output

Example:  npx scanflow phantom /tmp/phantom --modality CT --images 40
          npx scanflow phantom /tmp/phantom --worklist SCANFLOW@127.0.0.1:11112 --aet PRISMA --accession QYV0NHFE5G7CSX1X
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
  aet: { type: 'string', default: 'PHANTOM' },
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
  const worklistItem =
    values.worklist === undefined ? undefined : await askItem(values, values.worklist, io.signal);
  const seriesInstanceUid = newUid();
  const series = makeSeries({
    modality: modality(values.modality),
    images,
    rows: wholeNumber('rows', values.rows, { min: 8, max: 2048, otherwise: 256 }),
    columns: wholeNumber('columns', values.columns, { min: 8, max: 2048, otherwise: 256 }),
    seriesInstanceUid,
    seriesNumber: wholeNumber('series-number', values['series-number'], { min: 1, max: 9999, otherwise: 1 }),
    seriesDescription: values.description,
    when: Temporal.Now.zonedDateTimeISO(),
    ...(values['patient-id'] === undefined ? {} : { patientId: values['patient-id'] }),
    ...(values['patient-name'] === undefined ? {} : { patientName: values['patient-name'] }),
    ...(worklistItem === undefined ? {} : { worklistItem }),
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

function modality(text: string): 'MR' | 'CT' | 'SC' {
  if (text === 'MR' || text === 'CT' || text === 'SC') return text;
  throw new UsageError(`--modality takes MR, CT or SC, not ${text}`);
}

/** The one item of the worklist that is meant, by a C-FIND as a scanner would send it (PS3.4 K.6.1.2.2). */
async function askItem(values: Values, worklist: string, signal: AbortSignal): Promise<DataSet> {
  const { host, port, aet } = address('worklist', worklist, 'SCANFLOW');
  const answer = await find(
    { host, port, calledAet: aet, callingAet: values.aet },
    { sopClass: sopClasses.modalityWorklistFind, identifier: everything(values.accession) },
    signal,
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
