/** One image: out of Orthanc, hashed, tagged, written aside, checked, named. */
import { createHash } from 'node:crypto';
import { applyEdits, type PrivateTag } from '@scanflow/dicom';
import { Fault, transient, type Failure } from '../domain/failure.ts';
import { imageFacts, planTagging, type Head, type ImageFacts, type Tagging } from '../domain/image.ts';
import { fileName, keywordsOf, type Layout } from '../domain/layout.ts';
import type { Attributes } from '../domain/route.ts';
import type {
  Folder,
  ImageFile,
  InstanceBody,
  InstanceListing,
  Orthanc,
  Store,
  StoredInstance,
} from '../ports.ts';
import { reached } from '../trace.ts';

export interface PullContext {
  readonly orthanc: Orthanc;
  readonly store: Store;
  readonly folder: Folder;
  readonly layout: Layout;
  readonly tag: PrivateTag;
  /** Labels and the series' attributes, for a layout that names them in the file's name. */
  readonly values: Attributes;
  readonly increment: number;
}

/** Pulls one instance into the folder. Throws Fault; nothing is left of an image that failed. */
export async function pullImage(
  listing: InstanceListing,
  { orthanc, store, folder, layout, tag, values, increment }: PullContext,
  signal: AbortSignal,
): Promise<StoredInstance> {
  const body = await orthanc.open(listing.id, signal);
  const file = await store.create(folder);
  try {
    const keywords = [...new Set(['SOPInstanceUID', ...keywordsOf({ folder: [], file: layout.file })])];
    const copy = await copyTagged(
      body,
      file,
      tag,
      keywords.filter((keyword) => !(keyword in values)),
    );
    requireSame(copy, body, listing);
    const attributes = { ...listing.tags, ...copy.facts?.attributes };
    const name = fileName(layout, (keyword) => attributes[keyword] ?? values[keyword]);
    const published = await file.publish(name);
    reached('image-named', { instance: listing.id });
    return {
      orthancId: listing.id,
      fileUuid: listing.fileUuid,
      sopClassUid: copy.facts?.sopClassUid ?? '',
      sopInstanceUid: attributes['SOPInstanceUID'] ?? '',
      transferSyntax: copy.facts?.transferSyntax ?? '',
      ...published,
      original: { md5: copy.md5, bytes: copy.bytes },
      tagged: copy.tagging.kind !== 'untagged',
      ...(copy.tagging.kind === 'untagged' ? { untagged: copy.tagging.reason } : {}),
      increment,
    };
  } finally {
    await file.discard();
  }
}

interface Copy {
  readonly tagging: Tagging;
  readonly facts: ImageFacts | undefined;
  /** Of what came, before the tag. */
  readonly md5: string;
  readonly bytes: number;
}

/** Copies chunk by chunk. Only the head is held, until it tells where the tag goes and what the file is called. */
async function copyTagged(
  body: InstanceBody,
  file: ImageFile,
  tag: PrivateTag,
  keywords: readonly string[],
): Promise<Copy> {
  const md5 = createHash('md5');
  const head = new HeadReader(body.bytes, tag, keywords);
  let bytes = 0;
  for await (const chunk of body.chunks) {
    md5.update(chunk);
    bytes += chunk.length;
    const ready = head.known === undefined ? head.add(chunk) : chunk;
    if (ready !== undefined) await file.write(ready);
    reached('image-begun');
  }
  const known = head.known;
  // the bytes of a file that ends too early are refused for that, not written
  if (known === undefined) throw new Fault(corrupt(`it sent ${bytes} of ${body.bytes} bytes`));
  return { ...known, md5: md5.digest('hex'), bytes };
}

interface Known {
  readonly tagging: Tagging;
  readonly facts: ImageFacts | undefined;
}

/** Gathers an image's first chunks until they tell what has to be known. */
class HeadReader {
  known: Known | undefined;
  readonly #fileSize: number;
  readonly #tag: PrivateTag;
  readonly #keywords: readonly string[];
  #chunks: Uint8Array[] = [];
  #held = 0;
  #wanted = 0;

  constructor(fileSize: number, tag: PrivateTag, keywords: readonly string[]) {
    this.#fileSize = fileSize;
    this.#tag = tag;
    this.#keywords = keywords;
  }

  /** The bytes to write, with the tag, once it has its place. */
  add(chunk: Uint8Array): Uint8Array | undefined {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    const complete = this.#held >= this.#fileSize;
    if (this.#held < this.#wanted && !complete) return undefined;
    const bytes = Buffer.concat(this.#chunks);
    this.#chunks = [bytes];
    const found = inspect({ bytes, complete, fileSize: this.#fileSize }, this.#tag, this.#keywords);
    if ('needMore' in found) {
      // twice as much each time: the head is walked anew
      this.#wanted = Math.max(found.needMore, 2 * this.#held);
      return undefined;
    }
    this.known = found;
    this.#chunks = [];
    return found.tagging.kind === 'tag' ? applyEdits(bytes, found.tagging.edits) : bytes;
  }
}

function inspect(head: Head, tag: PrivateTag, keywords: readonly string[]): Known | { needMore: number } {
  const tagging = planTagging(head, tag);
  if ('needMore' in tagging) return tagging;
  const read = imageFacts(head, keywords);
  return 'needMore' in read ? read : { tagging, facts: read.facts };
}

/** What Orthanc received, what it lists, what it promised and what it sent must be one and the same. */
function requireSame(copy: Copy, body: InstanceBody, listing: InstanceListing): void {
  const wrong =
    copy.bytes !== body.bytes || copy.bytes !== listing.bytes
      ? `it lists ${listing.bytes} bytes and sent ${copy.bytes}`
      : body.md5 !== undefined && body.md5 !== copy.md5
        ? `it received MD5 ${body.md5} and sent ${copy.md5}`
        : undefined;
  if (wrong !== undefined) throw new Fault(corrupt(wrong));
}

const corrupt = (what: string): Failure =>
  transient(
    'ORTHANC_CORRUPT',
    `Orthanc's copy of an image is not what it received: ${what}. Check its disk; send the image again from the scanner.`,
  );
