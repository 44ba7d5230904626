/**
 * An image that Orthanc has already, sent again: the same bytes, or other ones under its UIDs. Orthanc keeps what it has,
 * so other bytes are kept beside it, as attachments of the instance (docs/decisions/0017-who-receives.md).
 */
import { createHash } from 'node:crypto';
import { readPart10Header } from '@scanflow/dicom';
import type { Orthanc, Upload } from './adapters/orthanc.ts';
import { OUT_OF_RESOURCES } from './domain/verdict.ts';

/** Attachments of Orthanc's that hold versions, in the order in which they came. */
export const FIRST_VERSION = 5110;
export const MOST_VERSIONS = 40;

export type Kept =
  /** Orthanc has these bytes. */
  | { readonly kind: 'same' }
  /** They are kept as this attachment. `damaged`: what Orthanc has under the UID cannot be read as it came. */
  | { readonly kind: 'kept'; readonly attachment: number; readonly damaged: boolean }
  | { readonly kind: 'failed'; readonly status: number; readonly comment: string };

/** The data set that came, and the file that it makes. */
export interface Version {
  readonly transferSyntax: string;
  readonly dataSet: () => AsyncIterable<Uint8Array>;
  readonly file: Upload;
}

/** Keeps a version of an instance that Orthanc has. One at a time for each instance. */
export async function keepVersion(orthanc: Orthanc, instance: string, version: Version): Promise<Kept> {
  const path = `/instances/${instance}/attachments`;
  const listed = await orthanc.ask('GET', path);
  if (!listed.answered || listed.status !== 200) return failed('Orthanc does not tell what it has');
  const names = (JSON.parse(listed.body.toString('utf8')) as unknown[]).map(Number);
  const versions = names.filter((name) => name >= FIRST_VERSION && name < FIRST_VERSION + MOST_VERSIONS);
  const first = await compare(orthanc, `${path}/dicom`, version);
  if (first === 'same') return { kind: 'same' };
  for (const name of versions)
    if ((await compare(orthanc, `${path}/${name}`, version)) === 'same') return { kind: 'same' };
  const attachment = Math.max(FIRST_VERSION - 1, ...versions) + 1;
  if (attachment >= FIRST_VERSION + MOST_VERSIONS)
    return failed(`Orthanc has ${MOST_VERSIONS} other versions of this image`);
  const put = await orthanc.ask('PUT', `${path}/${attachment}`, version.file);
  if (!put.answered || put.status !== 200)
    return failed('Orthanc cannot store another version of this image');
  return { kind: 'kept', attachment, damaged: first === 'damaged' };
}

const failed = (comment: string): Kept => ({ kind: 'failed', status: OUT_OF_RESOURCES, comment });

/** `damaged`: the bytes are not those that Orthanc wrote, or are not there. */
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
    const intact = hash.digest('hex') === recorded.body.toString('latin1');
    if (!intact) return 'damaged';
    return same ? 'same' : 'other';
  } catch {
    return 'damaged';
  }
}

/** Whether a file has the version's transfer syntax and data set, whatever else its head says. Reads all of the file. */
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
