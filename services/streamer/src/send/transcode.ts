/**
 * Images in a transfer syntax that a node refuses go there transcoded: Orthanc converts them without loss (PS3.5 10). A transcoded image
 * is on disk only while it is sent. Nothing that is stored changes.
 */
import { defined } from '@scanflow/failure/defined';
import { randomUUID } from 'node:crypto';
import { mkdir, open, unlink, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { transferSyntaxes, readFileHeader } from '@scanflow/dicom';
import { type Failure, permanent, FailureError, codeOf, transient } from '@scanflow/failure';
import type { Orthanc } from '@scanflow/orthanc';
import { failureOf } from '../model/failure.ts';
import type { Kind, SendItem, Carrier, SendOptions, SendOutcome, OriginalImage } from './types.ts';

/** In this order: every node has to take the second (PS3.5 10.1), and the first says more. */
const TARGETS: readonly string[] = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
];

export interface TranscodeDeps {
  /** Which of the kinds the node takes. Throws where it cannot be asked. */
  readonly accepts: (kinds: readonly Kind[], signal: AbortSignal) => Promise<readonly Kind[]>;
  readonly openTranscoded: OpenTranscoded;
}

interface Refused {
  readonly item: SendItem;
  readonly outcome: SendOutcome;
}

/** The carrier, and what it was refused for its transfer syntax alone once more in another one. */
export const transcoding = (carrier: Carrier, deps: TranscodeDeps): Carrier => ({
  send: (items, options) => sendBoth(items, options, carrier, deps),
  close: () => carrier.close(),
});

async function* sendBoth(
  items: AsyncIterable<SendItem>,
  options: SendOptions,
  carrier: Carrier,
  deps: TranscodeDeps,
): AsyncGenerator<SendOutcome, void, undefined> {
  const underWay = new Map<string, SendItem>();
  const refused: Refused[] = [];
  const remembered = async function* (): AsyncGenerator<SendItem> {
    for await (const item of items) {
      underWay.set(item.id, item);
      yield item;
    }
  };
  for await (const outcome of carrier.send(remembered(), options)) {
    const item = underWay.get(outcome.id);
    underWay.delete(outcome.id);
    if (item?.original === undefined || !isNotNegotiated(outcome)) yield outcome;
    else refused.push({ item, outcome });
  }
  if (refused.length > 0) yield* sendTranscoded(refused, options, carrier, deps);
}

const isNotNegotiated = (outcome: SendOutcome): boolean =>
  outcome.result === 'failed' && outcome.failure.code === 'NOT_NEGOTIATED';

async function* sendTranscoded(
  refused: readonly Refused[],
  options: SendOptions,
  carrier: Carrier,
  { accepts, openTranscoded }: TranscodeDeps,
): AsyncGenerator<SendOutcome, void, undefined> {
  let taken: readonly Kind[];
  try {
    taken = await accepts(kindsFor(refused), options.signal);
  } catch (error) {
    const failure = failureOf(error);
    for (const { outcome } of refused) yield { id: outcome.id, result: 'failed', failure };
    return;
  }
  const targets = new Map<string, string>();
  const transcodedItems: SendItem[] = [];
  for (const { item, outcome } of refused) {
    const target = TARGETS.find((syntax) =>
      taken.some((kind) => kind.sopClassUid === item.original?.sopClassUid && kind.transferSyntax === syntax),
    );
    if (target === undefined || item.original === undefined) {
      yield withAdvice(outcome);
      continue;
    }
    targets.set(item.id, target);
    transcodedItems.push(transcodedItem(item, item.original, target, openTranscoded, options.signal));
  }
  if (transcodedItems.length === 0) return;
  for await (const outcome of carrier.send(each(transcodedItems), options)) {
    const transcoded = targets.get(outcome.id);
    yield transcoded === undefined ? outcome : { ...outcome, transcoded };
  }
}

const kindsFor = (refused: readonly Refused[]): Kind[] => {
  const classes = new Set(refused.flatMap(({ item }) => item.original?.sopClassUid ?? []));
  return [...classes].flatMap((sopClassUid) =>
    TARGETS.map((transferSyntax) => ({ sopClassUid, transferSyntax })),
  );
};

const transcodedItem = (
  { id }: SendItem,
  original: NonNullable<SendItem['original']>,
  target: string,
  openTranscoded: OpenTranscoded,
  signal: AbortSignal,
): SendItem => ({
  id,
  open: () => openTranscoded(original, target, signal),
  // Orthanc has the image as it came, without the tag
  ...defined({ look: original.look }),
});

async function* each(items: readonly SendItem[]): AsyncGenerator<SendItem> {
  for (const item of items) yield await Promise.resolve(item);
}

/** It takes the SOP class uncompressed neither: transcoding would not help. */
function withAdvice(outcome: SendOutcome): SendOutcome {
  if (outcome.result !== 'failed') return outcome;
  const failure: Failure = permanent(
    outcome.failure.code,
    `${outcome.failure.message} It does not take the SOP class uncompressed either, so a converted copy does not help: make it accept the SOP class, or leave such series out by when.`,
  );
  return { ...outcome, failure };
}

type OpenFile = Awaited<ReturnType<NonNullable<SendItem['open']>>>;

/** Throws an error that carries a failure, as StoreItem.open wants it. */
type OpenTranscoded = (
  original: OriginalImage,
  transferSyntax: string,
  signal: AbortSignal,
) => Promise<OpenFile>;

/** @param folder for files that have no name while they are used */
export const transcodedBy =
  (orthanc: Pick<Orthanc, 'instance' | 'transcode'>, folder: string): OpenTranscoded =>
  async (original, transferSyntax, signal) => {
    try {
      return await openTranscoded(orthanc, folder, original, transferSyntax, signal);
    } catch (error) {
      throw new FailureError(whyOf(failureOf(error)), error);
    }
  };

async function openTranscoded(
  orthanc: Pick<Orthanc, 'instance' | 'transcode'>,
  folder: string,
  original: OriginalImage,
  transferSyntax: string,
  signal: AbortSignal,
): Promise<OpenFile> {
  const { orthancId, fileUuid } = original;
  if ((await orthanc.instance(orthancId, signal)).fileUuid !== fileUuid) throw new FailureError(GONE);
  // before the request to Orthanc: an answer that nobody reads would keep its connection
  const file = await nameless(folder);
  try {
    const { bytes, chunks } = await orthanc.transcode(orthancId, transferSyntax, signal);
    for await (const chunk of chunks) await write(file, chunk);
    await requireSame(file, bytes, original, transferSyntax);
    return {
      size: bytes,
      read: (buffer, length, position) => fill(file, buffer, length, position),
      close: () => void file.close().catch(() => undefined),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** What ends without closing it, a crash too, leaves nothing behind. */
async function nameless(folder: string): Promise<FileHandle> {
  const path = join(folder, `transcoded-${randomUUID()}`);
  try {
    await mkdir(folder, { recursive: true, mode: 0o750 });
    const file = await open(path, 'wx+', 0o600);
    await unlink(path);
    return file;
  } catch (error) {
    throw new FailureError(noRoom(error), error);
  }
}

async function write(file: FileHandle, chunk: Uint8Array): Promise<void> {
  try {
    for (let rest = chunk; rest.length > 0;)
      rest = rest.subarray((await file.write(rest, 0, rest.length)).bytesWritten);
  } catch (error) {
    throw new FailureError(noRoom(error), error);
  }
}

async function fill(file: FileHandle, buffer: Buffer, length: number, position: number): Promise<number> {
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled;
}

/** File meta information is far smaller. */
const HEAD = 65_536;

/** It must be the same instance, in the requested transfer syntax. */
async function requireSame(
  file: FileHandle,
  size: number,
  { sopClassUid, sopInstanceUid }: OriginalImage,
  transferSyntax: string,
): Promise<void> {
  const head = Buffer.alloc(Math.min(HEAD, size));
  await fill(file, head, head.length, 0);
  const header = readFileHeader(head, size);
  const same =
    !('needMore' in header) &&
    header.sopInstanceUid === sopInstanceUid &&
    header.sopClassUid === sopClassUid &&
    header.transferSyntax === transferSyntax;
  if (!same) throw new FailureError(WRONG);
}

/** What Orthanc says about the image, as it concerns sending it transcoded. */
const whyOf = (failure: Failure): Failure => (failure.code === 'ORTHANC_GONE' ? GONE : failure);

const ADVICE =
  'Make the destination accept the transfer syntax that the image has, or send it from project storage with another program';
const GONE = permanent(
  'TRANSCODE_GONE',
  `The destination does not take the image’s transfer syntax, and Orthanc no longer has the image to convert it. ${ADVICE}.`,
);
const WRONG = permanent(
  'TRANSCODE_WRONG',
  `Orthanc’s converted copy is another image, or in another transfer syntax, than requested; it was not sent. ${ADVICE}.`,
);
const noRoom = (error: unknown): Failure =>
  transient(
    'TRANSCODE_NO_ROOM',
    `A converted copy cannot be kept in the data folder while it is sent (${codeOf(error) ?? 'unknown error'}). Check its space and permissions.`,
  );
