/** Source and target through the REST interface of an Orthanc, which queries the archive and receives the images. */
import { FailureError, permanent, type Failure } from '@scanflow/failure';
import { dataSet, type Attributes, type DataSet } from '@scanflow/dicom';
import type { MoveOutcome } from '@scanflow/dimse';
import { array, findImages, object, type OrthancClient } from '@scanflow/orthanc';
import { sleep } from '@scanflow/runtime/time';
import {
  type Holding,
  type Part,
  type Source,
  type Target,
  holdingOf,
  identifier,
  imageKeys,
  moveKeys,
  seriesIn,
  seriesKeys,
  studiesIn,
  studyKeys,
  toList,
} from './nodes.ts';

interface ViaOptions {
  readonly client: OrthancClient;
  /** Name of the archive in Orthanc's DicomModalities. */
  readonly modality: string;
  /** AE title of Orthanc. */
  readonly aet: string;
  /** Longest time without progress of a retrieval, in milliseconds. */
  readonly quietMs: number;
}

const LEVELS: Readonly<Record<string, string>> = { STUDY: 'Study', SERIES: 'Series', IMAGE: 'Instance' };

/**
 * An archive that an Orthanc queries, and from which it retrieves. Its methods throw FailureError: `ORTHANC_…`, or
 * `TRANSFER_NO_MODALITY` if Orthanc does not know the archive.
 */
export function viaSource({ client, modality, aet, quietMs }: ViaOptions): Source {
  const name = `${modality} of Orthanc at ${client.url}`;
  const at = `/modalities/${encodeURIComponent(modality)}`;
  const query = async (keys: Attributes, signal: AbortSignal): Promise<Answers> => {
    const { QueryRetrieveLevel, ...Query } = keys;
    const level = typeof QueryRetrieveLevel === 'string' ? LEVELS[QueryRetrieveLevel] : undefined;
    const asked = { Level: level, Query, Normalize: false };
    const { ID } = object(await client.json(`${at}/query`, signal, JSON.stringify(asked)));
    const id = String(ID);
    const answers = array(await client.json(`/queries/${id}/answers?expand&simplify`, signal));
    return { id, answers: answers.map((answer) => answerOf(answer, Object.keys(Query))) };
  };
  return {
    name,
    check: async (signal) => {
      const known = array(await client.json('/modalities', signal)).map(String);
      if (!known.includes(modality)) throw new FailureError(unknown(modality, known));
      await client.json(`${at}/echo`, signal, '{}');
    },
    studies: async (request, signal) => studiesIn((await query(studyKeys(request), signal)).answers, request),
    holding: async (studyUid, signal) => {
      const counts = seriesIn((await query(seriesKeys(studyUid), signal)).answers);
      const lists = new Map<string, readonly DataSet[]>();
      for (const uid of counts.keys()) {
        const { answers } = await query(imageKeys(studyUid, uid), signal).catch(noImageLevel);
        lists.set(uid, answers);
      }
      return holdingOf(counts, lists, name);
    },
    move: async (part, _sent, signal) => {
      try {
        const { id, answers } = await query(moveKeys(part), signal);
        if (answers.length === 0) throw new FailureError(gone(name, part));
        const order = JSON.stringify({ TargetAet: aet, Synchronous: false });
        const { ID } = object(await client.json(`/queries/${id}/answers/0/retrieve`, signal, order));
        return await awaitJob({ client, id: String(ID), source: name, quietMs, signal });
      } catch (error) {
        return outcomeOf(error, signal);
      }
    },
  };
}

interface Answers {
  readonly id: string;
  readonly answers: readonly DataSet[];
}

function answerOf(answer: unknown, keywords: readonly string[]): DataSet {
  const given = object(answer);
  const values = keywords.map((keyword) => [keyword, given[keyword]] as const);
  const texts = values.filter((pair): pair is readonly [string, string] => typeof pair[1] === 'string');
  return dataSet(Object.fromEntries(texts));
}

/** Orthanc does not say why it failed. If the archive is gone, the next query shows it. */
function noImageLevel(error: unknown): Answers {
  if (error instanceof FailureError && error.code === 'ORTHANC_ERROR') return { id: '', answers: [] };
  throw error;
}

const unknown = (modality: string, known: readonly string[]): Failure =>
  permanent(
    'TRANSFER_NO_MODALITY',
    `Orthanc has no modality ${modality} (it has ${known.length === 0 ? 'none' : known.join(', ')}). Give --from one of these, or enter it in DicomModalities.`,
  );

const gone = (name: string, { studyUid, seriesUid }: Part): Failure =>
  permanent('TRANSFER_NO_MATCH', `${name} does not find ${seriesUid ?? studyUid} any more.`);

function outcomeOf(error: unknown, signal: AbortSignal): MoveOutcome {
  if (error instanceof FailureError) return { ...NO_COUNTS, result: 'failed', failure: error.failure };
  if (!signal.aborted) throw error;
  return cancelled();
}

const cancelled = (): MoveOutcome => {
  const message = 'It was cancelled before it was done; it can be tried again.';
  return { ...NO_COUNTS, result: 'cancelled', failure: { kind: 'transient', code: 'CANCELLED', message } };
};

interface Retrieval {
  readonly client: OrthancClient;
  readonly id: string;
  readonly source: string;
  readonly quietMs: number;
  readonly signal: AbortSignal;
}

const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 2_000;
const CANCEL_MS = 5_000;
const NO_COUNTS = { counts: {}, failedUids: [] } as const;

/**
 * Waits for the end of a job. Orthanc calls a retrieval a success whatever became of its sub-operations. Throws
 * FailureError if Orthanc does not answer.
 */
async function awaitJob({ client, id, source, quietMs, signal }: Retrieval): Promise<MoveOutcome> {
  const path = `/jobs/${id}`;
  const cancel = (): Promise<unknown> =>
    client.json(`${path}/cancel`, AbortSignal.timeout(CANCEL_MS), '{}').catch(() => undefined);
  let progress = '';
  let since = performance.now();
  for (let wait = FIRST_LOOK_MS; !signal.aborted; wait = Math.min(2 * wait, LONGEST_LOOK_MS)) {
    const job = (await client.json(path, signal)) as Readonly<Record<string, unknown>>;
    const state = String(job['State']);
    if (state === 'Success') return { ...NO_COUNTS, result: 'complete' };
    if (state === 'Failure') return failed(source, job['ErrorDescription']);
    const now = `${state} ${String(job['Progress'])}`;
    if (now !== progress) [progress, since] = [now, performance.now()];
    if (performance.now() - since > quietMs) {
      await cancel();
      const message = `Orthanc's retrieval from ${source} got no further for ${quietMs / 1000} s. It may go on sending.`;
      return { ...NO_COUNTS, result: 'failed', failure: { kind: 'ambiguous', code: 'MOVE_LOST', message } };
    }
    await sleep(wait, signal);
  }
  await cancel();
  return cancelled();
}

function failed(source: string, said: unknown): MoveOutcome {
  const why = typeof said === 'string' ? said : 'it does not say why';
  const message = `Orthanc's retrieval from ${source} failed: ${why}. Look into the log of both.`;
  return { ...NO_COUNTS, result: 'failed', failure: { kind: 'transient', code: 'MOVE_FAILED', message } };
}

/** The Orthanc as target: counts what it has by REST, not by C-FIND. Its methods throw FailureError `ORTHANC_…`. */
export function viaTarget(client: OrthancClient, aet: string): Target {
  return {
    name: `${aet}, Orthanc at ${client.url}`,
    check: async (signal) => {
      await client.json('/system', signal);
    },
    holding: (studyUid, signal, wanted) => heldBy(client, studyUid, signal, wanted),
  };
}

async function heldBy(
  client: OrthancClient,
  studyUid: string,
  signal: AbortSignal,
  wanted: Holding | undefined,
): Promise<Holding> {
  const counts = new Map<string, number>();
  const ids = new Map<string, string[]>();
  // a study of two patients is two studies there: their series count together
  for (const { series } of await findImages(client, 'study', studyUid, signal))
    for (const { id, seriesInstanceUid: uid, instances } of series) {
      counts.set(uid, (counts.get(uid) ?? 0) + instances.length);
      ids.set(uid, [...(ids.get(uid) ?? []), id]);
    }
  const lists = new Map<string, DataSet[]>();
  for (const uid of toList(counts, wanted)) lists.set(uid, await images(client, ids.get(uid) ?? [], signal));
  return holdingOf(counts, lists, client.url);
}

async function images(
  client: OrthancClient,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<DataSet[]> {
  const all: DataSet[] = [];
  for (const id of ids)
    for (const instance of array(await client.json(`/series/${id}/instances`, signal)).map(object)) {
      const uid = object(instance['MainDicomTags'])['SOPInstanceUID'];
      if (typeof uid === 'string') all.push(identifier({ SOPInstanceUID: uid }));
    }
  return all;
}
