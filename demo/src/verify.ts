/** Compares, image by image, what the scanner sent with what is stored and what the PACS received; shows it as a table. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import { readPart10Header, removeSplice } from '@scanflow/dicom';
import { textTable } from '@scanflow/cli/terminal';
import type { SeriesView, Stack } from './stack.ts';

/** What a scanner of the demo has sent. */
export interface SentSeries {
  readonly scanner: string;
  readonly modality: string;
  /** Start of the slot, `09:30`. */
  readonly time: string;
  readonly patientId: string;
  readonly session: string;
  readonly accessionNumber: string;
  readonly seriesInstanceUid: string;
  readonly seriesDescription: string;
  readonly images: readonly SentImage[];
}

interface SentImage {
  readonly sopInstanceUid: string;
  /** SHA-256 of the encoded data set, without preamble and file meta information. */
  readonly dataSetSha256: string;
}

export interface SessionResult extends Omit<SentSeries, 'images'> {
  readonly images: number;
  readonly stored: End;
  readonly sent: End;
  readonly problems: readonly string[];
}

interface End {
  readonly where: string;
  readonly verified: number;
}

interface FoundImage {
  readonly path: string;
  readonly fileSha256: string;
  /** As it lies there. */
  readonly dataSetSha256: string;
  /** With the private tag taken out again. */
  readonly untaggedSha256: string;
}

/** Verifies a series at both ends. An image counts only if its bytes were read and compared. */
export async function verifySession(
  stack: Stack,
  series: SentSeries,
  seen: SeriesView | undefined,
): Promise<SessionResult> {
  const { images, ...rest } = series;
  const problems = seen === undefined ? ['the streamer does not know this series'] : complaints(seen);
  const path = seen?.legs.find(({ target }) => target === 'storage')?.path;
  const folder = path === undefined ? undefined : resolve(stack.projectRoot, path);
  const stored = folder === undefined ? new Map<string, FoundImage>() : await readImages(folder, stack);
  const manifest = folder === undefined ? new Map<string, string>() : await readManifest(folder);
  const received = await readImages(
    stack.pacsFolder,
    stack,
    new Set(images.map((one) => one.sopInstanceUid)),
  );
  let [atStorage, atPacs] = [0, 0];
  for (const image of images) {
    const here = stored.get(image.sopInstanceUid);
    const there = received.get(image.sopInstanceUid);
    if (isStored(image, here, manifest)) atStorage += 1;
    if (here !== undefined && there?.dataSetSha256 === here.dataSetSha256) atPacs += 1;
  }
  if (atStorage < images.length)
    problems.push(`${images.length - atStorage} images are not in storage as they were sent`);
  if (atPacs < images.length)
    problems.push(`${images.length - atPacs} images are not at the PACS as they are stored`);
  return {
    ...rest,
    images: images.length,
    stored: { where: folder === undefined ? '–' : relative(stack.projectRoot, folder), verified: atStorage },
    sent: { where: forwardedTo(seen), verified: atPacs },
    problems,
  };
}

/** Stored: in the manifest with its hash, and without the tag it is what the scanner sent. */
const isStored = (
  image: SentImage,
  found: FoundImage | undefined,
  manifest: ReadonlyMap<string, string>,
): boolean =>
  found?.untaggedSha256 === image.dataSetSha256 &&
  found.untaggedSha256 !== found.dataSetSha256 &&
  manifest.get(found.path) === found.fileSha256;

const complaints = (seen: SeriesView): string[] =>
  seen.legs
    .filter(({ state }) => state !== 'done')
    .map(({ target, state, failure }) =>
      `${target} is ${state}: ${failure?.code ?? ''} ${failure?.message ?? ''}`.trim(),
    )
    .concat(seen.state === 'quarantined' ? [`quarantined: ${seen.reason ?? ''}`] : []);

const forwardedTo = (seen: SeriesView | undefined): string => {
  const targets = seen?.legs.filter(({ target }) => target !== 'storage').map(({ target }) => target) ?? [];
  return targets.length === 0 ? 'nowhere' : targets.join(', ');
};

/** The DICOM files of a folder by SOP Instance UID. `wanted`: UIDs that a file name must contain. */
async function readImages(
  folder: string,
  stack: Stack,
  wanted?: ReadonlySet<string>,
): Promise<Map<string, FoundImage>> {
  const found = new Map<string, FoundImage>();
  for (const name of await readdir(folder)) {
    if (wanted !== undefined && ![...wanted].some((uid) => name.includes(uid))) continue;
    if (/\.(txt|json|csv|tmp)$/.test(name)) continue;
    const bytes = await readFile(join(folder, name));
    const header = readPart10Header(bytes);
    if ('needMore' in header) continue;
    const untagged = removeSplice(bytes, stack.tag);
    found.set(header.sopInstanceUid, {
      path: name,
      fileSha256: sha256(bytes),
      dataSetSha256: sha256(bytes.subarray(header.dataSetOffset)),
      untaggedSha256: sha256(untagged.subarray(header.dataSetOffset)),
    });
  }
  return found;
}

/** `manifest-sha256.txt`: file name to hash. */
async function readManifest(folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, 'manifest-sha256.txt'), 'utf8');
  const lines = text.matchAll(/^(?<hash>[0-9a-f]{64}) [ *](?<name>.+)$/gm);
  return new Map([...lines].map(({ groups }) => [groups?.['name'] ?? '', groups?.['hash'] ?? '']));
}

export const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const HEAD = ['booking', 'accession', 'series', 'images', 'stored where', 'sent where', ''] as const;

/** One row per session. */
export function resultTable(results: readonly SessionResult[]): string {
  const rows = [
    HEAD,
    ...results.map((result) => [
      `${result.scanner} ${result.time} ${result.patientId} ${result.session}`,
      result.accessionNumber,
      `${result.modality} ${result.seriesDescription}`,
      String(result.images),
      `${result.stored.verified}/${result.images} in ${result.stored.where}`,
      `${result.sent.verified}/${result.images} at ${result.sent.where}`,
      result.problems.length === 0 ? 'verified' : 'NOT VERIFIED',
    ]),
  ];
  return textTable(rows, [], true);
}
