/** One image: out of Orthanc, hashed, tagged, written aside, checked, named. */
import { defined } from '@scanflow/failure/defined';
import { createHash } from 'node:crypto';
import { CannotTag, privateTagOf, TagStream } from '@scanflow/dicom';
import { type Failure, FailureError, transient } from '@scanflow/failure';
import type { InstanceBody, InstanceListing, Orthanc } from '@scanflow/orthanc';
import { COUNT_KEYWORDS, countsOf } from '../completeness/counts.ts';
import { imageFacts, type Head, type ImageFacts } from './image.ts';
import { fileName, keywordsOf, type Layout } from './place/layout.ts';
import type { Attributes, Reason } from '../model/series.ts';
import type { Folder, ImageFile, Store, StoredInstance, TagRecord } from './types.ts';
import { reached } from '../work/trace.ts';
import { Twins } from './versions.ts';

interface PullContext {
  readonly orthanc: Orthanc;
  readonly store: Store;
  readonly folder: Folder;
  readonly layout: Layout;
  /** Labels and the series' attributes, for a layout that names them in the file's name. */
  readonly values: Attributes;
  readonly increment: number;
}

/** Pulls one instance into the folder. Throws FailureError; nothing is left of an image that failed. */
export async function pullImage(
  listing: InstanceListing,
  context: PullContext,
  signal: AbortSignal,
): Promise<StoredInstance> {
  const { tag } = context.folder.record;
  try {
    return await pullWith(tag, listing, context, signal);
  } catch (error) {
    if (!(error instanceof CannotTag)) throw error;
    const { code, message } = error.refusal;
    return { ...(await pullWith(undefined, listing, context, signal)), untagged: { code, message } };
  }
}

async function pullWith(
  tag: TagRecord | undefined,
  listing: InstanceListing,
  { orthanc, store, folder, layout, values, increment }: PullContext,
  signal: AbortSignal,
): Promise<StoredInstance> {
  const body = await orthanc.open(listing, signal);
  const file = await store.create(folder, listing.bytes).catch(async (error: unknown) => {
    await letGo(body);
    throw error;
  });
  try {
    const keywords = [...new Set(['SOPInstanceUID', ...keywordsOf({ folder: [], file: layout.file })])];
    const before = new Twins(folder, store);
    const streamed = await copyTagged(
      body,
      before.listening(file),
      tag,
      keywords.filter((keyword) => !(keyword in values)),
      COUNT_KEYWORDS,
    );
    requireSame(streamed, body, listing);
    const attributes = { ...listing.tags, ...streamed.facts?.attributes };
    const version = defined({ version: listing.version });
    const twin = await before.find(attributes['SOPInstanceUID'] ?? '');
    if (twin !== undefined) return { ...twin, orthancId: listing.id, fileUuid: listing.fileUuid, ...version };
    const name = fileName(layout, (keyword) => attributes[keyword] ?? values[keyword]);
    const published = await file.publish(name);
    reached('image-named', { instance: listing.id });
    return {
      orthancId: listing.id,
      fileUuid: listing.fileUuid,
      sopClassUid: streamed.facts?.sopClassUid ?? '',
      sopInstanceUid: attributes['SOPInstanceUID'] ?? '',
      transferSyntax: streamed.facts?.transferSyntax ?? '',
      ...published,
      original: { md5: streamed.md5, bytes: streamed.bytes },
      tagged: streamed.tagged,
      ...defined({ untagged: streamed.untagged }),
      ...version,
      increment,
      ...defined({ series: listing.series }),
      ...countsIn(streamed),
    };
  } finally {
    await file.discard();
  }
}

function countsIn({ counted, facts, bytes }: Streamed): Pick<StoredInstance, 'counts'> {
  if (counted === undefined) return {};
  const counts = countsOf(counted, { transferSyntax: facts?.transferSyntax ?? '', bytes });
  return Object.keys(counts).length === 0 ? {} : { counts };
}

/** An answer that nobody reads would keep its connection. */
async function letGo({ chunks }: InstanceBody): Promise<void> {
  const reader = chunks[Symbol.asyncIterator]();
  // one that was never asked has nothing to end
  await reader.next().catch(() => undefined);
  await reader.return?.();
}

interface Streamed {
  readonly tagged: boolean;
  readonly untagged: Reason | undefined;
  readonly facts: ImageFacts | undefined;
  /** What the further keywords say. */
  readonly counted?: Attributes | undefined;
  /** Of what came, before the tag. */
  readonly md5: string;
  readonly bytes: number;
}

/**
 * Copies chunk by chunk, with the tag that the series' record names. A file that turns out only half-way not to be
 * fit for it throws CannotTag.
 */
export async function copyTagged(
  body: InstanceBody,
  file: Pick<ImageFile, 'write'>,
  record: TagRecord | undefined,
  keywords: readonly string[],
  further: readonly string[] = [],
): Promise<Streamed> {
  const md5 = createHash('md5');
  let bytes = 0;
  let facts: ImageFacts | undefined;
  let counted: Attributes | undefined;
  async function* measured(): AsyncGenerator<Uint8Array, void, undefined> {
    for await (const chunk of body.chunks) {
      md5.update(chunk);
      bytes += chunk.length;
      yield chunk;
    }
  }
  const look = (head: Head): number | undefined => {
    const all = imageFacts(head, [...new Set([...keywords, ...further])]);
    if ('needMore' in all) return all.needMore;
    // one that cannot be read so far has its name nevertheless
    const read = all.facts === undefined ? imageFacts(head, keywords) : all;
    if ('needMore' in read) return read.needMore;
    facts = read.facts;
    counted = all.facts?.attributes;
    return undefined;
  };
  const leave = record?.apply === 'forwarded';
  const stream = new TagStream(record === undefined ? undefined : privateTagOf(record), {
    fileSize: body.bytes,
    look,
    leave,
  });
  for await (const chunk of stream.through(measured())) {
    await file.write(chunk);
    reached('image-begun');
  }
  const { outcome } = stream;
  return {
    tagged: outcome?.kind === 'already' || (outcome?.kind === 'tagged' && !leave),
    untagged: outcome?.kind === 'refused' ? { code: outcome.code, message: outcome.message } : undefined,
    facts,
    counted,
    md5: md5.digest('hex'),
    bytes,
  };
}

/** What Orthanc received, what it lists, what it promised and what it sent must be one and the same. */
function requireSame(streamed: Streamed, body: InstanceBody, listing: InstanceListing): void {
  const wrong =
    streamed.bytes !== body.bytes || streamed.bytes !== listing.bytes
      ? `it lists ${listing.bytes} bytes and sent ${streamed.bytes}`
      : body.md5 !== undefined && body.md5 !== streamed.md5
        ? `it received MD5 ${body.md5} and sent ${streamed.md5}`
        : undefined;
  if (wrong !== undefined) throw new FailureError(corrupt(wrong));
}

const corrupt = (what: string): Failure =>
  transient(
    'ORTHANC_CORRUPT',
    `Orthanc's copy of an image is not what it received: ${what}. Check its disk; send the image again from the scanner: storing then goes on by itself.`,
  );
