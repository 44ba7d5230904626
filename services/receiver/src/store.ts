/**
 * One C-STORE: the data set is kept while it arrives, given to Orthanc with its sender when it is complete, and then
 * acknowledged. A head makes the data set a file (PS3.10 7.1); it stays as it came.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { KeyedQueue, type Log } from '@scanflow/runtime';
import { type Upload, METADATA } from '@scanflow/orthanc';
import type { FinalStatus, StoreHandler, StoreReceipt, StoreRequest } from '@scanflow/dimse';
import { defined } from '@scanflow/failure/defined';
import { dataSet, part10Head, readAttributes, text } from '@scanflow/dicom';
import type { Orthanc } from './orthanc.ts';
import {
  DOES_NOT_MATCH,
  orthancIds,
  OUT_OF_RESOURCES,
  verdictOf,
  type Stored,
  type Verdict,
} from './domain/orthanc.ts';
import { Parcel, type Room } from './holding.ts';
import { keepVersion } from './versions.ts';

/** What became of an image, for metrics. */
export type Outcome = 'stored' | 'repeated' | 'version' | 'failed';

export interface StoreSettings {
  readonly orthanc: Orthanc;
  /** Whether to ask Orthanc what it has before it gets an image. */
  readonly mayOverwrite: () => boolean;
  readonly room: Room;
  /** For data sets that are too large for memory. */
  readonly folder: string;
  readonly log: Log;
  /** Name in the configuration of the scanner that sends with an AE title. */
  readonly scannerOf: (callingAet: string) => string | undefined;
  readonly onImage: (outcome: Outcome, bytes: number, seconds: number, callingAet: string) => void;
}

interface Deps extends StoreSettings {
  readonly turns: KeyedQueue;
  readonly remember: (stored: Stored, request: StoreRequest) => Promise<boolean>;
}

/** How long to retry an Orthanc that does not answer before the scanner gets a failure. */
const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 500;
/** Enough for the UIDs, which are at the beginning of a data set. */
const BEGINNING = 16 * 1024;
const SUCCESS: FinalStatus = { status: 0 };

/** Handles every C-STORE of a listener. */
export function storing(settings: StoreSettings): StoreHandler {
  const deps: Deps = { ...settings, turns: new KeyedQueue(), remember: rememberSenders(settings) };
  return (request, onRoom): StoreReceipt => {
    const parcel = new Parcel(settings.room, settings.folder, onRoom);
    return {
      write: (bytes) => parcel.write(bytes),
      abandon: () => parcel.close(),
      store: () => store(deps, request, parcel).finally(() => parcel.close()),
    };
  };
}

async function store(deps: Deps, request: StoreRequest, parcel: Parcel): Promise<FinalStatus> {
  const { log, onImage } = deps;
  const { association } = request;
  const started = performance.now();
  const done = (outcome: Outcome, final: FinalStatus): FinalStatus => {
    onImage(outcome, parcel.length, (performance.now() - started) / 1000, association.callingAet);
    return final;
  };
  const fail = (status: number, comment: string): FinalStatus => {
    const { id, callingAet, address } = association;
    log.warn('image.refused', { association: id, callingAet, address, why: comment, bytes: parcel.length });
    return done('failed', { status, comment });
  };
  if (parcel.refused) return fail(OUT_OF_RESOURCES, 'The receiver has no room left');
  const lost = await parcel.whole().catch((error: unknown) => error ?? true);
  if (lost !== undefined) return fail(OUT_OF_RESOURCES, 'The receiver cannot write to its disk');
  const beginning = await parcel.beginning(BEGINNING);
  const head = fileHead({ ...request, ...association }, beginning, parcel.length <= BEGINNING);
  const image: Image = { request, parcel, head, file: uploadOf(head, parcel), beginning };
  for (let round = 1; ; round += 1) {
    const settled = await settle(deps, image);
    // Orthanc deleted it after it had said that it has it: store it anew
    if (settled.kind === 'gone' && round < ROUNDS) continue;
    if (settled.kind === 'done') return done(settled.outcome, matching(head, request));
    return settled.kind === 'gone'
      ? fail(OUT_OF_RESOURCES, 'Orthanc is deleting this image')
      : fail(settled.status, settled.comment);
  }
}

/** How often to offer an image that Orthanc deletes meanwhile. */
const ROUNDS = 3;

interface Image {
  readonly request: StoreRequest;
  readonly parcel: Parcel;
  readonly head: FileHead;
  readonly file: Upload;
  /** First bytes of its data set. */
  readonly beginning: Buffer;
}

type Settled =
  | { readonly kind: 'done'; readonly outcome: Outcome }
  | { readonly kind: 'gone' }
  | { readonly kind: 'failed'; readonly status: number; readonly comment: string };

/** Gives it to Orthanc, or keeps it beside the image that Orthanc has under its UIDs. */
async function settle(deps: Deps, image: Image): Promise<Settled> {
  const { turns } = deps;
  const { request, parcel, head, file } = image;
  const verdict = deps.mayOverwrite()
    ? await turns.run(head.named?.sopInstanceUid ?? request.sopInstanceUid, () => offer(deps, image))
    : await handOver(deps.orthanc, file);
  if (verdict.kind === 'failed') return verdict;
  if (!(await deps.remember(verdict, request)))
    return {
      kind: 'failed',
      status: OUT_OF_RESOURCES,
      comment: 'Orthanc does not record who sent the image',
    };
  if (verdict.kind === 'stored') return { kind: 'done', outcome: 'stored' };
  const { transferSyntax } = request;
  const version = { transferSyntax, dataSet: () => parcel.read(), file };
  const kept = await turns.run(verdict.instance, () => keepVersion(deps.orthanc, verdict, version));
  if (kept.kind === 'failed' || kept.kind === 'gone') return kept;
  if (kept.kind === 'same') return { kind: 'done', outcome: 'repeated' };
  deps.log.warn(kept.damaged ? 'image.mended' : 'image.other-version', {
    sopInstanceUid: head.named?.sopInstanceUid ?? request.sopInstanceUid,
    instance: verdict.instance,
    attachment: kept.attachment,
    callingAet: request.association.callingAet,
  });
  return { kind: 'done', outcome: 'version' };
}

/** For an Orthanc that would replace its image, with all versions beside it: asks first. */
async function offer({ orthanc }: Deps, { head, file, beginning, parcel }: Image): Promise<Verdict> {
  const ids = orthancIds(Buffer.concat([head.bytes, beginning]), parcel.length <= BEGINNING);
  if (ids !== undefined) {
    const has = await orthanc.ask('GET', `/instances/${ids.instance}/attachments`);
    if (has.answered && has.status === 200) return { kind: 'known', ...ids };
  }
  return handOver(orthanc, file);
}

function uploadOf(head: FileHead, parcel: Parcel): Upload {
  const pieces = parcel.pieces();
  return {
    bytes: head.bytes.length + parcel.length,
    content: () => (pieces === undefined ? behind(head.bytes, parcel) : [head.bytes, ...pieces]),
  };
}

async function* behind(head: Uint8Array, parcel: Parcel): AsyncGenerator<Uint8Array> {
  yield head;
  yield* parcel.read();
}

/** Retries for a while: Orthanc may be starting. A repeat changes nothing there. */
async function handOver(orthanc: Orthanc, file: Upload): Promise<Verdict> {
  const until = performance.now() + PATIENCE_MS;
  for (;;) {
    const verdict = verdictOf(await orthanc.ask('POST', '/instances', file));
    if (verdict.kind !== 'failed' || !verdict.again || performance.now() > until) return verdict;
    await pause(ASK_AGAIN_MS);
  }
}

/** Success, with a warning if the request names another instance than its data set: the data set counts. */
function matching({ named }: FileHead, { sopClassUid, sopInstanceUid }: StoreRequest): FinalStatus {
  if (named === undefined) return SUCCESS;
  // a request without an instance contradicts nothing
  const same =
    named.sopClassUid === sopClassUid && (sopInstanceUid === '' || named.sopInstanceUid === sopInstanceUid);
  return same ? SUCCESS : { status: DOES_NOT_MATCH, comment: 'Stored by the UIDs of its data set' };
}

/** How long a record is cached: a series may be deleted and arrive again. */
const BELIEVED_MS = 60_000;

/**
 * Makes the function that records at Orthanc who sent a series: Orthanc itself knows only that it was the receiver. False:
 * Orthanc did not take it, so the image must fail.
 */
function rememberSenders({
  orthanc,
  scannerOf,
}: Pick<StoreSettings, 'orthanc' | 'scannerOf'>): Deps['remember'] {
  const turns = new KeyedQueue();
  const known = new Map<string, { readonly recorded: string; readonly until: number }>();
  const recordedOf = async (series: string, sender: string): Promise<string | undefined> => {
    const now = performance.now();
    for (const [key, { until }] of known) {
      // in the order in which they expire
      if (until > now) break;
      known.delete(key);
    }
    const found = known.get(series)?.recorded;
    if (found !== undefined) return found;
    const recorded = await readOrWrite(
      orthanc,
      `/series/${series}/metadata/${METADATA.sender.number}`,
      sender,
    );
    if (recorded !== undefined) known.set(series, { recorded, until: now + BELIEVED_MS });
    return recorded;
  };
  return async ({ series, instance }: Stored, { association }: StoreRequest): Promise<boolean> => {
    const { callingAet: aet, calledAet: called, address } = association;
    const scanner = scannerOf(aet);
    const sender = JSON.stringify({ aet, called, address, ...defined({ scanner }) });
    const recorded = await turns.run(series, () => recordedOf(series, sender));
    if (recorded === undefined) return false;
    return (
      recorded === sender || put(orthanc, `/instances/${instance}/metadata/${METADATA.sender.number}`, sender)
    );
  };
}

/** The record at Orthanc, which is written if there is none. Undefined: neither worked. */
async function readOrWrite(orthanc: Orthanc, path: string, sender: string): Promise<string | undefined> {
  const found = await orthanc.ask('GET', path);
  if (!found.answered) return undefined;
  if (found.status === 200) return found.body.toString('utf8');
  return (await put(orthanc, path, sender)) ? sender : undefined;
}

async function put(orthanc: Orthanc, path: string, text: string): Promise<boolean> {
  const body = Buffer.from(text);
  const answer = await orthanc.ask('PUT', path, { bytes: body.length, content: () => [body] });
  return answer.answered && answer.status === 200;
}

/** What the C-STORE request and its association say. */
export interface Received {
  readonly sopClassUid: string;
  readonly sopInstanceUid: string;
  readonly transferSyntax: string;
  readonly callingAet: string;
  readonly calledAet: string;
}

export interface FileHead {
  readonly bytes: Buffer;
  /** UIDs in the data set; undefined if its beginning does not show them. */
  readonly named: { readonly sopClassUid: string; readonly sopInstanceUid: string } | undefined;
}

/**
 * Makes the head of a file. It names the instance by the UIDs of the data set (PS3.10 table 7.1-1), and who sent and
 * received it: (0002,0016), (0002,0017), (0002,0018).
 *
 * @param beginning first bytes of the data set
 * @param complete whether these are all bytes
 */
export function fileHead(received: Received, beginning: Uint8Array, complete: boolean): FileHead {
  const { transferSyntax, callingAet, calledAet } = received;
  const head = (uids: Pick<Received, 'sopClassUid' | 'sopInstanceUid'>): Buffer =>
    part10Head({
      transferSyntax,
      sopClassUid: uids.sopClassUid,
      sopInstanceUid: uids.sopInstanceUid,
      extraMeta: dataSet({
        SourceApplicationEntityTitle: callingAet,
        SendingApplicationEntityTitle: callingAet,
        ReceivingApplicationEntityTitle: calledAet,
      }),
    });
  const first = head(received);
  const named = uidsOf(Buffer.concat([first, beginning]), complete);
  const same =
    named === undefined ||
    (named.sopClassUid === received.sopClassUid && named.sopInstanceUid === received.sopInstanceUid);
  return { bytes: same ? first : head(named), named };
}

function uidsOf(file: Uint8Array, complete: boolean): FileHead['named'] {
  const found = readAttributes(file, ['SOPClassUID', 'SOPInstanceUID'], { complete });
  if (found.kind !== 'attributes') return undefined;
  const sopClassUid = text(found.dataSet, 'SOPClassUID') ?? '';
  const sopInstanceUid = text(found.dataSet, 'SOPInstanceUID') ?? '';
  return sopClassUid === '' || sopInstanceUid === '' ? undefined : { sopClassUid, sopInstanceUid };
}
