/** `scanflow orthanc forgotten`: finds images in Orthanc's storage that its index does not know, and gives them back to Orthanc. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf, messageOf } from '@scanflow/failure';
import { orthancClient, type OrthancClient } from '@scanflow/orthanc';
import { erasuresIn, KeyedQueue, openErasures, pool } from '@scanflow/runtime';
import { readSecret } from '@scanflow/runtime/files';
import { duration, EXIT, readArgs, UsageError, type Command, type ExitCode, type Io } from '../command.ts';
import { fileAt, listedFiles, missingFiles, pathOf, walkStorage, type Walked } from '../forgotten/files.ts';
import { act, type Outcome, type StoredFile, type Wanted } from '../forgotten/import.ts';
import { judge, type Judgement, type Judging } from '../forgotten/judge.ts';
import { isGood, reportOf, Tally, type Finding } from '../forgotten/report.ts';
import { CONFIG, requireConfig } from '../installation.ts';
import { bar, Progress, timeLeft } from '../terminal.ts';

const help = `Usage: scanflow orthanc forgotten [FOLDER] [--import] [--remove] [--json]

Finds images that Orthanc's index forgot: their files are in Orthanc's storage, and Orthanc does not know them. It happens
when an index comes from an older moment: a replica that lacked the last commits, or a backup. Without --import and
--remove, the command reads only. Orthanc and the streamer may run meanwhile.

  FOLDER           Orthanc's storage folder (default /var/lib/orthanc/db)
  --import         gives each forgotten image back to Orthanc, with its bytes as they are, and compares what Orthanc then
                   has. The streamer stores and sends it like any other. Run an interrupted import again.
  --remove         deletes files that are spare: Orthanc has their bytes, on disk, in another file
  --remove-erased  deletes files of images that somebody had erased. They never go back to Orthanc
  --age 10m        does nothing about files that are younger: Orthanc may be writing them
  --config FILE    the configuration (default /etc/scanflow/scanflow.yaml)
  --json           prints JSON

Kinds:  forgotten   an image that Orthanc does not know               spare        Orthanc has the same bytes in another file
        different   Orthanc has this image with other bytes           erased       an image that was erased on request
        incomplete  a DICOM file that was cut                         header       an image without its pixels, Orthanc's own
        compressed  a file that Orthanc compressed: not read          other        no DICOM file, such as an attachment
        missing     Orthanc knows the image, and its file is gone: have it sent again
        unreadable  a file that this command could not read

Example:  docker compose run --rm forgotten
          docker compose run --rm forgotten --import
Exit:     0 nothing is forgotten, or all of it is back; 1 images are forgotten, different, erased, missing or cut, or were not read;
          2 not started (usage, configuration, another Orthanc's folder, no Orthanc)
`;

const OPTIONS = {
  ...CONFIG,
  import: { type: 'boolean', default: false },
  remove: { type: 'boolean', default: false },
  'remove-erased': { type: 'boolean', default: false },
  age: { type: 'string', default: '10m' },
  json: { type: 'boolean', default: false },
} as const;

/** Where it is in Orthanc's container, and in that of the command. */
const STORAGE = '/var/lib/orthanc/db';
/** Files at a time: a judgement is a few requests. */
const AT_ONCE = 4;

interface Options extends Wanted {
  readonly ageMs: number;
}

async function run([verb, ...args]: readonly string[], io: Io): Promise<ExitCode> {
  if (verb !== 'forgotten') throw new UsageError('orthanc takes: scanflow orthanc forgotten');
  const { values, positionals } = readArgs(args, OPTIONS, 1);
  const [folder = STORAGE] = positionals;
  const wanted: Options = {
    folder,
    ageMs: duration('age', values.age),
    import: values.import,
    remove: values.remove,
    removeErased: values['remove-erased'],
  };
  const { data, orthanc } = await requireConfig(values.config);
  const password = orthanc.passwordFile === undefined ? undefined : await secret(orthanc.passwordFile);
  const client = orthancClient({ ...orthanc, password });
  try {
    const erasures = openErasures(erasuresIn(data));
    const walked = await looked(wanted, client, io);
    const tally = new Tally({ ...walked, folder });
    for (const one of await missingFiles(client, folder, walked.absent, io.signal))
      tally.add({ ...one, kind: 'missing' });
    await judgeAll(walked, wanted, {
      judging: { client, erasures, signal: io.signal },
      tally,
      io,
      turns: new KeyedQueue(),
    });
    io.out.write(reportOf(tally, values.json));
    return isGood(tally) ? EXIT.done : EXIT.failed;
  } finally {
    client.close();
  }
}

const secret = (path: string): Promise<string> =>
  readSecret(path).catch((error: unknown) => {
    throw new UsageError(messageOf(error));
  });

/** Lists and walks. Throws UsageError if that cannot be done, or if this is another Orthanc's folder. */
async function looked({ folder }: Wanted, client: OrthancClient, io: Io): Promise<Walked> {
  const progress = new Progress(io);
  const step =
    (what: string) =>
    (done: number, total: number): void =>
      progress.update((seconds) => `${bar(done, total)} ${what}${timeLeft(done, total, seconds)}`);
  try {
    await readdir(folder);
    const listed = await listedFiles(client, io.signal, step('images of the index'));
    const walked = await walkStorage(folder, listed, io.signal, step('folders of the storage'));
    if (listed.size > 0 && walked.listed === 0)
      throw new UsageError(
        `${folder} has none of the files that Orthanc at ${client.url} lists: it is another Orthanc's storage, or another folder of it`,
      );
    return walked;
  } catch (error) {
    if (io.signal.aborted) throw error;
    throw new UsageError(codeOf(error) === 'ENOENT' ? `there is no folder ${folder}` : messageOf(error));
  } finally {
    progress.end();
  }
}

interface Work {
  readonly judging: Judging;
  readonly tally: Tally;
  readonly io: Io;
  /** Orthanc takes four times the size of an image to receive it: one at a time. */
  readonly turns: KeyedQueue;
}

async function judgeAll({ unlisted }: Walked, wanted: Options, work: Work): Promise<void> {
  const { tally, io } = work;
  const progress = new Progress(io);
  let done = 0;
  try {
    await pool(unlisted, AT_ONCE, async (name) => {
      io.signal.throwIfAborted();
      const finding = await findingOf(name, wanted, work);
      if (finding !== undefined) tally.add(finding);
      done += 1;
      progress.update(
        (seconds) => `${bar(done, unlisted.size)} files${timeLeft(done, unlisted.size, seconds)}`,
      );
    });
  } finally {
    progress.end();
  }
}

/** One file to its end; undefined if it is gone. */
async function findingOf(name: string, wanted: Options, work: Work): Promise<Finding | undefined> {
  const file = pathOf(name);
  let bytes = 0;
  try {
    const path = join(wanted.folder, file);
    const found = await fileAt(path);
    if (found === undefined) return undefined;
    ({ bytes } = found);
    const isYoung = Temporal.Now.instant().epochMilliseconds - found.written < wanted.ageMs;
    const outcome = await outcomeOf({ name, path, bytes }, isYoung, wanted, work);
    const written = Temporal.Instant.fromEpochMilliseconds(Math.floor(found.written)).toString();
    return outcome && { file, bytes, written, ...outcome };
  } catch (error) {
    const code = codeOf(error) ?? '';
    if (code === 'ENOENT') return undefined;
    // of this file alone; what Orthanc does not answer ends the command
    if (!OF_ONE_FILE.has(syscallOf(error)) || CONNECTION.has(code)) throw error;
    return { file, bytes, kind: 'unreadable', why: code };
  }
}

const OF_ONE_FILE: ReadonlySet<unknown> = new Set(['stat', 'open', 'read', 'realpath', 'unlink']);

/** A connection is read, too. */
const CONNECTION: ReadonlySet<string> = new Set(['ECONNRESET', 'ETIMEDOUT', 'EPIPE']);

const syscallOf = (error: unknown): unknown =>
  error instanceof Error && 'syscall' in error ? error.syscall : undefined;

async function outcomeOf(
  file: StoredFile,
  isYoung: boolean,
  wanted: Wanted,
  { judging, turns }: Work,
): Promise<Outcome | undefined> {
  const judgement = await judge(file, judging);
  if (isYoung) return judgement.kind === 'known' ? undefined : youngOf(judgement);
  // again in its turn: another file of the same image may have been imported meanwhile
  return judgement.kind === 'forgotten' && wanted.import
    ? turns.run('import', async () => act(file, await judge(file, judging), wanted, judging))
    : act(file, judgement, wanted, judging);
}

/** Right after a failover, what Orthanc forgot is young: nobody may take that for good. */
const youngOf = ({ kind }: Judgement): Pick<Finding, 'kind' | 'why'> =>
  kind === 'forgotten'
    ? { kind, why: 'just written, so not imported yet: run the command again later, or with a shorter --age' }
    : { kind: 'young' };

export const orthanc: Command = { help, run };
