/** `scanflow tag IN OUT`: the private tag into one file, every other byte as it is. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { link, open, rename, stat, unlink, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { defined, given } from '@scanflow/failure/defined';
import { defaultTag, type Config } from '@scanflow/config';
import { codeOf, messageOf } from '@scanflow/failure';
import { absent, asideName, fsyncFolder } from '@scanflow/runtime';
import {
  CannotTag,
  isTagText,
  privateTagOf,
  readAttributes,
  TagStream,
  text,
  utcDateTime,
  type PrivateTag,
  type TagText,
} from '@scanflow/dicom';
import { requireConfig } from '../installation.ts';
import { EXIT, UsageError, type Command, type ExitCode, type Io, readArgs } from '../command.ts';

const help = `Usage: scanflow tag IN OUT [--config FILE] [--force] [--json]

Writes the DICOM file IN to OUT with the private tag, as the streamer does: spliced into the encoded data set, with
every other byte as it is (in a deflated file, every other byte of the inflated data set). A file that has the tag already
is copied as it is. IN is parsed up to the tag's place, not to its end, and never changed.

  --config FILE  takes the tag (group, creator, element, value, accession, time) from this configuration; whatever its
                 tag.apply is. Without it: (0021,xx10) of SCANFLOW, 'DICOM send'. The time is now
  --force        overwrites OUT if it exists
  --json         prints what was done as JSON

Example:  npx scanflow tag image.dcm tagged.dcm --config config/scanflow.yaml
Exit:     0 OUT is there, whole; 1 refused or failed, and there is no new OUT: not DICOM, cannot be decoded, no free
          block …; 2 wrong usage, configuration, IN cannot be read, OUT exists
`;

const OPTIONS = {
  config: { type: 'string' },
  force: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
} as const;

async function run(args: readonly string[], io: Io): Promise<ExitCode> {
  const { values, positionals } = readArgs(args, OPTIONS, 2);
  const [from, to] = positionals;
  if (from === undefined || to === undefined)
    throw new UsageError('tag takes a file and where to write: scanflow tag IN OUT');
  const settings = await tagSettings(values.config);
  const fileSize = await sizeOf(from);
  await requireTarget(from, to, values.force);
  const accession = settings.accession === undefined ? '' : await accessionOf(from, fileSize, io.signal);
  const tag = privateTagOf(tagText(settings, accession, Temporal.Now.instant()));
  const done = await write({ from, to, fileSize, tag, force: values.force }, io.signal);
  if (done.kind === 'refused') {
    io.err.write(`scanflow: ${from}: ${done.message} (${done.code})\n`);
    return EXIT.failed;
  }
  const { kind, bytes, sha256 } = done;
  if (values.json)
    io.out.write(`${JSON.stringify({ in: from, out: to, outcome: kind, bytes, sha256 }, null, 2)}\n`);
  else io.out.write(`${to}: ${kind === 'tagged' ? 'tagged' : 'had the tag already; copied as it is'}\n`);
  return EXIT.done;
}

async function tagSettings(file: string | undefined): Promise<Config['tag']> {
  if (file === undefined) return defaultTag();
  return (await requireConfig(file)).tag;
}

/** The tag with the elements that the configuration wants. An accession number that does not fit is left out. */
function tagText(
  { group, creator, element, value, accession, time }: Config['tag'],
  number: string,
  now: Temporal.Instant,
): TagText {
  return {
    ...{ group, creator, element, value },
    ...(accession !== undefined && isTagText('SH', number)
      ? { accession: { element: accession, value: number } }
      : {}),
    ...defined({ time: given(time, (time) => ({ element: time, value: utcDateTime(now) })) }),
  };
}

async function sizeOf(path: string): Promise<number> {
  try {
    const found = await stat(path);
    if (found.isFile()) return found.size;
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${messageOf(error)}`);
  }
  throw new UsageError(`${path} is no file`);
}

async function requireTarget(from: string, to: string, force: boolean): Promise<void> {
  let there: Awaited<ReturnType<typeof stat>>;
  try {
    there = await stat(to);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw new UsageError(`${to} cannot be written: ${messageOf(error)}`);
  }
  const source = await stat(from);
  if (there.dev === source.dev && there.ino === source.ino)
    throw new UsageError(`IN and OUT are the same file, ${from}; IN is never changed`);
  if (!there.isFile()) throw new UsageError(`${to} is there and is no file`);
  if (!force) throw new UsageError(`${to} exists; --force overwrites it`);
}

/** The accession number of the file. The streamer would also use the booking, which is not known here. */
async function accessionOf(path: string, fileSize: number, signal: AbortSignal): Promise<string> {
  let accession = '';
  const head = new TagStream(undefined, {
    fileSize,
    look: ({ bytes, complete }) => {
      const read = readAttributes(bytes, ['AccessionNumber'], { complete, fileSize });
      if (read.kind === 'needMore') return complete ? undefined : read.atLeast;
      if (read.kind === 'attributes') accession = (text(read.dataSet, 'AccessionNumber') ?? '').trim();
      return undefined;
    },
  });
  for await (const _ of head.through(createReadStream(path, { signal }))) break;
  return accession;
}

interface Job {
  readonly from: string;
  readonly to: string;
  readonly fileSize: number;
  readonly tag: PrivateTag;
  readonly force: boolean;
}

type Done =
  | { readonly kind: 'tagged' | 'already'; readonly bytes: number; readonly sha256: string }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

/** Writes beside OUT first, so that OUT is never half written. Leaves nothing behind if it fails. */
async function write(job: Job, signal: AbortSignal): Promise<Done> {
  const aside = asideName(job.to);
  const file = await open(aside, 'wx', 0o644);
  try {
    const done = await copy(job, file, signal).finally(() => file.close());
    if (done.kind !== 'refused') await publish(aside, job);
    return done;
  } catch (error) {
    if (error instanceof CannotTag) return error.refusal;
    throw error;
  } finally {
    await unlink(aside).catch(absent);
  }
}

async function copy({ from, fileSize, tag }: Job, file: FileHandle, signal: AbortSignal): Promise<Done> {
  const stream = new TagStream(tag, { fileSize });
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream.through(createReadStream(from, { signal, highWaterMark: 1024 * 1024 }))) {
    if (stream.outcome?.kind === 'refused') break;
    hash.update(chunk);
    bytes += chunk.length;
    await file.writeFile(chunk);
  }
  const { outcome } = stream;
  if (outcome === undefined || outcome.kind === 'refused')
    return outcome ?? { kind: 'refused', code: 'TAG_NOT_PART10', message: 'It is empty.' };
  await file.sync();
  return { kind: outcome.kind, bytes, sha256: hash.digest('hex') };
}

const NO_HARD_LINKS = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EINVAL']);

/** Gives the file its name. Without --force by link(), which fails if the name is taken. */
async function publish(aside: string, { to, force }: Job): Promise<void> {
  try {
    if (force) await rename(aside, to);
    else await link(aside, to);
  } catch (error) {
    if (force || !NO_HARD_LINKS.has(codeOf(error) ?? '')) throw error;
    await rename(aside, to);
  }
  await fsyncFolder(dirname(to));
}

export const tag: Command = { help, run };
