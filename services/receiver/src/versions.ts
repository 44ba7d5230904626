/**
 * An image that Orthanc has already, sent again: the same bytes, or other bytes under its UIDs. Orthanc keeps its image, so
 * other bytes become attachments of the instance (docs/decisions/0017-who-receives.md).
 */
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { readPart10Header } from '@scanflow/dicom';
import {
  FIRST_VERSION,
  MD5_OF_NOTHING,
  METADATA,
  MOST_VERSIONS,
  versionsAmong,
  type Upload,
} from '@scanflow/orthanc';
import type { Orthanc } from './orthanc.ts';
import { OUT_OF_RESOURCES, type Stored } from './domain/orthanc.ts';

const LEAVING_BELIEVED_MS = 15 * 60_000;
/** How long a scanner waits for the end of a deletion, and how often the receiver looks. */
const LEAVING_MS = 10_000;
const LOOK_MS = 200;

type Kept =
  /** Orthanc has these bytes. */
  | { readonly kind: 'same' }
  /** They are this attachment. `damaged`: the image of Orthanc is not what it once wrote. */
  | { readonly kind: 'kept'; readonly attachment: number; readonly damaged: boolean }
  /** Orthanc has deleted the instance: store it anew. */
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly status: number; readonly comment: string };

/** The data set that arrived, and its file. */
interface Version {
  readonly transferSyntax: string;
  readonly dataSet: () => AsyncIterable<Uint8Array>;
  readonly file: Upload;
}

/** Keeps a version of an instance that Orthanc has. One at a time for each instance. */
export async function keepVersion(orthanc: Orthanc, stored: Stored, version: Version): Promise<Kept> {
  const path = pathOf(stored);
  const versions = await versionsOf(orthanc, stored);
  if (versions === 'gone') return { kind: 'gone' };
  if (versions === undefined) return failed('Orthanc does not say what it has');
  const first = await compare(orthanc, `${path}/dicom`, version);
  if (first === 'same') return { kind: 'same' };
  for (const name of versions)
    if ((await compare(orthanc, `${path}/${name}`, version)) === 'same')
      return stays(orthanc, stored, name, { kind: 'same' });
  const attachment = Math.max(FIRST_VERSION - 1, ...versions) + 1;
  if (attachment >= FIRST_VERSION + MOST_VERSIONS)
    return failed(`Orthanc has ${MOST_VERSIONS} other versions of this image`);
  // before the bytes, so that nobody who lists the series misses them
  if (!(await mark(orthanc, stored))) return failed('Orthanc does not take the mark of another version');
  const put = await orthanc.ask('PUT', `${path}/${attachment}`, version.file);
  if (put.answered && put.status === 404) return { kind: 'gone' };
  if (!put.answered || put.status !== 200)
    return failed('Orthanc cannot store another version of this image');
  return stays(orthanc, stored, attachment, { kind: 'kept', attachment, damaged: first === 'damaged' });
}

const pathOf = ({ instance }: Stored): string => `/instances/${instance}/attachments`;

/** Numbers of the attachments that are versions; undefined if Orthanc does not say. */
async function versionsOf(orthanc: Orthanc, stored: Stored): Promise<number[] | 'gone' | undefined> {
  const listed = await orthanc.ask('GET', pathOf(stored));
  if (listed.answered && listed.status === 404) return 'gone';
  if (!listed.answered || listed.status !== 200) return undefined;
  return versionsAmong(JSON.parse(listed.body.toString('utf8')) as unknown[]);
}

async function mark(orthanc: Orthanc, { series }: Stored): Promise<boolean> {
  const body = Buffer.from('1');
  const upload: Upload = { bytes: body.length, content: () => [body] };
  const put = await orthanc.ask('PUT', `/series/${series}/metadata/${METADATA.versions.number}`, upload);
  return put.answered && put.status === 200;
}

/**
 * The outcome, once no deletion can remove the attachment. The streamer marks a series, looks for versions, then deletes.
 * The receiver writes the version first, then looks for the mark. So one of the two sees the other.
 */
async function stays(orthanc: Orthanc, stored: Stored, attachment: number, outcome: Kept): Promise<Kept> {
  const until = performance.now() + LEAVING_MS;
  for (;;) {
    const leaving = await orthanc.ask('GET', `/series/${stored.series}/metadata/${METADATA.leaving.number}`);
    if (!leaving.answered) return failed('Orthanc does not say what it has');
    const versions = await versionsOf(orthanc, stored);
    if (versions === 'gone' || versions?.includes(attachment) === false) return { kind: 'gone' };
    const free = leaving.status === 404 || (leaving.status === 200 && isOld(leaving.body.toString('utf8')));
    if (versions !== undefined && free) return outcome;
    if (performance.now() > until) return failed('Orthanc is deleting this series');
    await pause(LOOK_MS);
  }
}

const failed = (comment: string): Kept => ({ kind: 'failed', status: OUT_OF_RESOURCES, comment });

/** Whether the streamer that wrote the mark must have ended since. */
function isOld(since: string): boolean {
  try {
    const age = Temporal.Now.instant().since(Temporal.Instant.from(since));
    return age.total('milliseconds') > LEAVING_BELIEVED_MS;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** `damaged`: the bytes are not those that Orthanc wrote, or are gone. */
async function compare(
  orthanc: Orthanc,
  path: string,
  version: Version,
): Promise<'same' | 'other' | 'damaged'> {
  try {
    const [chunks, recorded] = [
      await orthanc.stream(`${path}/data`),
      await orthanc.ask('GET', `${path}/md5`),
    ];
    if (chunks === undefined || !recorded.answered) return 'damaged';
    const hash = createHash('md5');
    const same = await isSame(chunks, hash, version);
    const md5 = recorded.body.toString('latin1');
    // without an MD5, other bytes may have arrived like this
    const kept = recorded.status === 200 && /^[0-9a-f]{32}$/.test(md5) && md5 !== MD5_OF_NOTHING;
    if (kept && hash.digest('hex') !== md5) return 'damaged';
    return same ? 'same' : 'other';
  } catch {
    return 'damaged';
  }
}

/** Whether a file has the transfer syntax and data set of the version. Reads all of the file. */
async function isSame(
  file: AsyncIterable<Uint8Array>,
  hash: { update: (bytes: Uint8Array) => unknown },
  { transferSyntax, dataSet }: Version,
): Promise<boolean> {
  const ours = dataSet()[Symbol.asyncIterator]();
  let rest: Uint8Array = new Uint8Array();
  let same = true;
  const matches = async (bytes: Uint8Array): Promise<boolean> => {
    let at = 0;
    while (at < bytes.length) {
      if (rest.length === 0) {
        const next = await ours.next();
        if (next.done === true) return false;
        rest = next.value;
      }
      const count = Math.min(rest.length, bytes.length - at);
      if (Buffer.compare(rest.subarray(0, count), bytes.subarray(at, at + count)) !== 0) return false;
      rest = rest.subarray(count);
      at += count;
    }
    return true;
  };
  let head: Buffer | undefined = Buffer.alloc(0);
  for await (const chunk of file) {
    hash.update(chunk);
    if (!same) continue;
    if (head === undefined) same = await matches(chunk);
    else {
      head = Buffer.concat([head, chunk]);
      const header = readPart10Header(head);
      if ('needMore' in header) continue;
      same = header.transferSyntax === transferSyntax && (await matches(head.subarray(header.dataSetOffset)));
      head = undefined;
    }
  }
  const ended = rest.length === 0 && (await ours.next()).done === true;
  await ours.return?.();
  return same && head === undefined && ended;
}
