/** What is done about a file that was judged: gives a forgotten image back to Orthanc, and deletes what may go. */
import { createReadStream } from 'node:fs';
import { realpath, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { codeOf } from '@scanflow/failure';
import { defined } from '@scanflow/failure/defined';
import { collected, METADATA, object, type OrthancClient } from '@scanflow/orthanc';
import { sumOf } from '../backup/manifest.ts';
import type { Identity } from './content.ts';
import { pathOf } from './files.ts';
import { attachmentsOf, sumAt, type Judgement } from './judge.ts';
import type { Finding } from './report.ts';

interface Place {
  readonly client: OrthancClient;
  readonly signal: AbortSignal;
}

/** What a person wants done. */
export interface Wanted {
  /** Orthanc's storage folder. */
  readonly folder: string;
  readonly import: boolean;
  readonly remove: boolean;
  readonly removeErased: boolean;
}

/** A file below the storage folder. */
export interface StoredFile {
  readonly name: string;
  readonly path: string;
  readonly bytes: number;
}

/** What became of a file, beside where it is; undefined if the index knows it after all. */
export type Outcome = Omit<Finding, 'file' | 'bytes' | 'written'>;

/** Does what is wanted with a file. Throws FailureError `ORTHANC_…` if Orthanc does not answer. */
export async function act(
  file: StoredFile,
  judgement: Judgement,
  wanted: Wanted,
  place: Place,
): Promise<Outcome | undefined> {
  const { kind } = judgement;
  if (kind === 'known') return undefined;
  if (kind === 'erased') return wanted.removeErased ? removed(file, { kind }) : { kind };
  if (kind === 'spare') {
    const { instance, identity } = judgement;
    if (wanted.import) await noteMissingSender(identity, instance, place);
    return removedIfSafe(file, judgement, { kind, instance }, wanted, place);
  }
  if (kind !== 'forgotten' || !wanted.import) return outcomeOf(judgement, kind);
  const { instance, why } = await importImage(file, judgement, place);
  if (instance === undefined) return { kind, ...defined({ why }) };
  const { sha256 } = judgement;
  return removedIfSafe(file, { instance, sha256 }, { kind, imported: true, instance }, wanted, place);
}

const MOST_ANSWER = 64 * 1024;

/** Hands the file to Orthanc and reads it back. `why`: what Orthanc said instead of taking it. */
async function importImage(
  { path, bytes }: StoredFile,
  { sha256, identity }: Judgement & { kind: 'forgotten' },
  place: Place,
): Promise<{ readonly instance?: string; readonly why?: string }> {
  const { client, signal } = place;
  const body = { bytes, content: () => createReadStream(path) };
  const sent = await client.exchange('/instances', { method: 'POST', body, signal });
  if (!sent.answered) {
    signal.throwIfAborted();
    // throws what is wrong with the connection, unless it was for this image alone
    await client.text('/system', signal);
    return { why: 'Orthanc closed the connection' };
  }
  const answer = await collected(sent.response, { url: client.url, signal, most: MOST_ANSWER });
  const { statusCode = 0 } = sent.response;
  if (statusCode !== 200) return { why: `Orthanc answered ${statusCode}` };
  const { ID, Status } = object(JSON.parse(answer.toString('utf8')));
  const instance = String(ID);
  if ((await sumAt(instance, 'dicom', place)) !== sha256)
    return { why: `Orthanc answered ${String(Status)} and has other bytes` };
  await noteSender(identity, instance, place);
  return { instance };
}

/** As the receiver does, whose note went with the index: on the series, or on an image of another sender than the series'. */
async function noteSender({ sender: aet, called }: Identity, instance: string, place: Place): Promise<void> {
  if (aet === '') return;
  const note = JSON.stringify({ aet, called });
  const { ParentSeries: parent } = object(await place.client.json(`/instances/${instance}`, place.signal));
  const series = `/series/${String(parent)}`;
  const recorded = await metadataOf(series, SENDER, place);
  if (recorded !== undefined && aetOf(recorded) === aet) return;
  const at = recorded === undefined ? series : `/instances/${instance}`;
  await place.client.put(`${at}/metadata/${SENDER}`, note, place.signal);
}

/** An import that was interrupted may not have noted the sender. Notes of the receiver say more, and those stay. */
async function noteMissingSender(identity: Identity, instance: string, place: Place): Promise<void> {
  const at = `/instances/${instance}`;
  if ((await metadataOf(at, SENDER, place)) !== undefined) return;
  // Orthanc itself saw who sent what came by DICOM
  if ((await metadataOf(at, 'Origin', place)) === 'RestApi') await noteSender(identity, instance, place);
}

const SENDER = METADATA.sender.number;

const metadataOf = (
  path: string,
  name: string | number,
  { client, signal }: Place,
): Promise<string | undefined> =>
  client.text(`${path}/metadata/${name}`, signal).catch((error: unknown) => {
    if (codeOf(error) === 'ORTHANC_GONE') return undefined;
    throw error;
  });

function aetOf(note: string): unknown {
  try {
    return object(JSON.parse(note))['aet'];
  } catch {
    return undefined;
  }
}

/**
 * Whether another file of the image in this storage folder has these bytes: what Orthanc gives out may come from its memory. Then
 * this file may go.
 */
async function isOnDisk(
  folder: string,
  { instance, sha256, name }: { readonly instance: string; readonly sha256: string; readonly name: string },
  { client, signal }: Place,
): Promise<boolean> {
  const own = await realpath(join(folder, pathOf(name)));
  for (const { uuid } of await attachmentsOf(`/instances/${instance}`, { client, signal })) {
    // it belongs to the index now
    if (uuid === name) return false;
    const other = join(folder, pathOf(uuid));
    const sum = await sumOf(other).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined;
      throw error;
    });
    // programs that save space replace equal files by links, so the two may be one
    if (sum?.sha256 === sha256 && (await realpath(other)) !== own) return true;
  }
  return false;
}

async function removedIfSafe(
  file: StoredFile,
  { instance, sha256 }: { readonly instance: string; readonly sha256: string },
  outcome: Outcome,
  { remove, folder }: Wanted,
  place: Place,
): Promise<Outcome> {
  if (!remove) return outcome;
  if (await isOnDisk(folder, { instance, sha256, name: file.name }, place)) return removed(file, outcome);
  return { ...outcome, why: 'not removed: Orthanc has no other file with these bytes' };
}

async function removed({ path }: StoredFile, outcome: Outcome): Promise<Outcome> {
  try {
    await unlink(path);
    return { ...outcome, removed: true };
  } catch (error) {
    return { ...outcome, why: `not removed: ${codeOf(error) ?? ''}` };
  }
}

function outcomeOf(judgement: Judgement, kind: Exclude<Judgement['kind'], 'known'>): Outcome {
  const { instance, why } = { instance: undefined, why: undefined, ...judgement };
  return { kind, ...defined({ instance, why }) };
}
