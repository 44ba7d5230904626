/** What a file that Orthanc did not list is: asks Orthanc's index, and compares bytes. It changes nothing. */
import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { codeOf } from '@scanflow/failure';
import { array, object, type OrthancClient } from '@scanflow/orthanc';
import type { Erasures } from '@scanflow/runtime';
import { sumIn } from '../backup/manifest.ts';
import { contentOf, type Content, type Identity } from './content.ts';

/** `known`: the index knows it after all. */
export type Judgement =
  | { readonly kind: 'known' | 'header' | 'compressed' | 'other' | 'erased' }
  | { readonly kind: 'incomplete'; readonly why: string }
  /** The index knows the image, with these bytes in another file. `instance`: Orthanc's identifier. */
  | {
      readonly kind: 'spare';
      readonly instance: string;
      readonly identity: Identity;
      readonly sha256: string;
    }
  /** The index knows the image, with other bytes. */
  | { readonly kind: 'different'; readonly instance: string }
  | { readonly kind: 'forgotten'; readonly identity: Identity; readonly sha256: string };

export interface Judging {
  readonly client: OrthancClient;
  readonly erasures: Erasures;
  readonly signal: AbortSignal;
}

/** Judges one file. Throws what the file system says, and FailureError `ORTHANC_…`. */
export async function judge(
  { path, name, bytes }: { readonly path: string; readonly name: string; readonly bytes: number },
  judging: Judging,
): Promise<Judgement> {
  const { content, sha256 } = await readOnce(path, bytes);
  if (content.kind !== 'image') return content;
  const { identity } = content;
  const found = await lookUp(identity, judging);
  if (await isAttached(name, found, judging)) return { kind: 'known' };
  await judging.erasures.refresh();
  if (isErased(identity, judging.erasures)) return { kind: 'erased' };
  for (const instance of found.instances)
    if (await holds(instance, { bytes, sha256 }, judging))
      return { kind: 'spare', instance, identity, sha256 };
  // the same image under another patient or study is an image of its own at Orthanc
  const [instance] = await inSeries(found, judging);
  return instance === undefined ? { kind: 'forgotten', identity, sha256 } : { kind: 'different', instance };
}

async function readOnce(path: string, bytes: number): Promise<{ content: Content; sha256: string }> {
  const file = await open(path, 'r');
  try {
    const content = await contentOf(file, bytes);
    if (content.kind !== 'image') return { content, sha256: '' };
    return { content, sha256: (await sumIn(file)).sha256 };
  } finally {
    await file.close();
  }
}

const isErased = (image: Identity, erasures: Erasures): boolean =>
  erasures.has('instance', image.sopInstanceUid) ||
  erasures.has('series', image.seriesInstanceUid) ||
  erasures.has('study', image.studyInstanceUid) ||
  erasures.has('accession', image.accessionNumber);

/** Orthanc's identifiers of whatever bears one of the image's identifiers. */
interface Found {
  readonly instances: readonly string[];
  readonly series: readonly string[];
  /** Paths, such as `/studies/9f293fd9-…`, of the image's series, study and patient. */
  readonly above: readonly string[];
}

async function lookUp(image: Identity, { client, signal }: Judging): Promise<Found> {
  const named = async (uid: string): Promise<{ type: string; id: string; path: string }[]> =>
    uid === ''
      ? []
      : array(await client.json('/tools/lookup', signal, uid)).map((one) => {
          const { Type, ID, Path } = object(one);
          return { type: String(Type), id: String(ID), path: String(Path) };
        });
  const instances = await named(image.sopInstanceUid);
  const above = [
    ...(await named(image.seriesInstanceUid)),
    ...(await named(image.studyInstanceUid)),
    ...(await named(image.patientId)),
  ].filter(({ type }) => type !== 'Instance');
  return {
    instances: instances.filter(({ type }) => type === 'Instance').map(({ id }) => id),
    series: above.filter(({ type }) => type === 'Series').map(({ id }) => id),
    above: [...new Set(above.map(({ path }) => path))],
  };
}

/** Whether the file is an attachment of the image, such as a version of it, or of its series, study or patient. */
async function isAttached(name: string, { instances, above }: Found, judging: Judging): Promise<boolean> {
  for (const path of [...instances.map((one) => `/instances/${one}`), ...above])
    for (const { uuid } of await attachmentsOf(path, judging)) if (uuid === name) return true;
  return false;
}

interface Attachment {
  readonly name: string;
  /** The file in Orthanc's storage. */
  readonly uuid: string;
  /** Of its content, which Orthanc may keep compressed. */
  readonly bytes: number;
}

/** What is attached to something, such as `/instances/9f293fd9-…`; nothing if it is gone. */
export async function attachmentsOf(
  path: string,
  { client, signal }: Pick<Judging, 'client' | 'signal'>,
): Promise<Attachment[]> {
  const names = array((await unlessGone(client.json(`${path}/attachments`, signal))) ?? []).map(String);
  const found: Attachment[] = [];
  for (const name of names) {
    const about = `${path}/attachments/${encodeURIComponent(name)}/info`;
    const { Uuid, UncompressedSize } = object((await unlessGone(client.json(about, signal))) ?? {});
    if (typeof Uuid === 'string') found.push({ name, uuid: Uuid, bytes: Number(UncompressedSize) });
  }
  return found;
}

/** It was deleted meanwhile. */
async function unlessGone<T>(answer: Promise<T>, codes = ['ORTHANC_GONE']): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (codes.includes(codeOf(error) ?? '')) return undefined;
    throw error;
  }
}

/** Whether an attachment of the instance has these bytes: the image itself, or a version of it. */
async function holds(
  instance: string,
  wanted: { readonly bytes: number; readonly sha256: string },
  judging: Judging,
): Promise<boolean> {
  for (const { name, bytes } of await attachmentsOf(`/instances/${instance}`, judging))
    if (bytes === wanted.bytes && (await sumAt(instance, name, judging)) === wanted.sha256) return true;
  return false;
}

/** SHA-256 of an attachment as Orthanc gives it out; undefined if it is gone, or Orthanc cannot read its file. */
export async function sumAt(
  instance: string,
  attachment: string,
  { client, signal }: Pick<Judging, 'client' | 'signal'>,
): Promise<string | undefined> {
  const path = `/instances/${instance}/attachments/${encodeURIComponent(attachment)}/data`;
  const response = await unlessGone(client.get(path, signal), ['ORTHANC_GONE', 'ORTHANC_ERROR']);
  if (response === undefined) return undefined;
  const hash = createHash('sha256');
  for await (const part of response as AsyncIterable<Uint8Array>) hash.update(part);
  return hash.digest('hex');
}

/** The instances that are in the image's own series. */
async function inSeries({ instances, series }: Found, { client, signal }: Judging): Promise<string[]> {
  const found: string[] = [];
  for (const instance of instances) {
    const one = await unlessGone(client.json(`/instances/${instance}`, signal));
    if (one !== undefined && series.includes(String(object(one)['ParentSeries']))) found.push(instance);
  }
  return found;
}
