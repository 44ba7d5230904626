/** One C-STORE: its data set is held while it arrives, handed to Orthanc when it is whole, and acknowledged after that. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Log } from '@scanflow/chassis';
import type { FinalStatus, StoreHandler, StoreReceipt, StoreRequest } from '@scanflow/dimse';
import type { Orthanc, Upload } from './adapters/orthanc.ts';
import { fileHead, type FileHead } from './domain/file-head.ts';
import { DOES_NOT_MATCH, OUT_OF_RESOURCES, verdictOf, type Stored, type Verdict } from './domain/verdict.ts';
import { Parcel } from './holding/parcel.ts';
import type { Room } from './holding/room.ts';
import { Turns } from './turns.ts';
import { keepVersion } from './versions.ts';

/** What became of an image, for metrics. */
export type Outcome = 'stored' | 'repeated' | 'version' | 'failed';

export interface StoreSettings {
  readonly orthanc: Orthanc;
  readonly room: Room;
  /** For data sets that are too large for memory. */
  readonly folder: string;
  readonly log: Log;
  /** Records at Orthanc who sent a series. */
  readonly remember: (stored: Stored, request: StoreRequest) => Promise<boolean>;
  readonly onImage: (outcome: Outcome, bytes: number, seconds: number) => void;
  /** How long an Orthanc that does not answer is asked again before the scanner is told, in milliseconds. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 10_000;
const ASK_AGAIN_MS = 500;
/** Holds the UIDs of any data set: they stand at its beginning. */
const BEGINNING = 16 * 1024;
const SUCCESS: FinalStatus = { status: 0 };

/** Handles every C-STORE of a listener. */
export function storing(settings: StoreSettings): StoreHandler {
  const turns = new Turns();
  return (request, onRoom): StoreReceipt => {
    const parcel = new Parcel(settings.room, settings.folder, onRoom);
    return {
      write: (bytes) => parcel.write(bytes),
      abandon: () => parcel.close(),
      store: () => store(settings, request, parcel, turns).finally(() => parcel.close()),
    };
  };
}

async function store(
  settings: StoreSettings,
  request: StoreRequest,
  parcel: Parcel,
  turns: Turns,
): Promise<FinalStatus> {
  const { log, onImage } = settings;
  const started = performance.now();
  const done = (outcome: Outcome, final: FinalStatus): FinalStatus => {
    onImage(outcome, parcel.length, (performance.now() - started) / 1000);
    return final;
  };
  const { association, sopInstanceUid } = request;
  const fail = (status: number, comment: string): FinalStatus => {
    const { id, callingAet, address } = association;
    log.warn('image.refused', { association: id, callingAet, address, why: comment, bytes: parcel.length });
    return done('failed', { status, comment });
  };
  if (parcel.refused) return fail(OUT_OF_RESOURCES, 'The receiver has no room left');
  const lost = await parcel.whole().catch((error: unknown) => error ?? true);
  if (lost !== undefined) return fail(OUT_OF_RESOURCES, 'The receiver cannot write to its disk');
  const head = fileHead(
    { ...request, ...association },
    await parcel.beginning(BEGINNING),
    parcel.length <= BEGINNING,
  );
  const file = uploadOf(head, parcel);
  const verdict = await handOver(settings, file);
  if (verdict.kind === 'failed') return fail(verdict.status, verdict.comment);
  if (!(await settings.remember(verdict, request)))
    return fail(OUT_OF_RESOURCES, 'Orthanc does not take who sent the image');
  const match = matching(head, request);
  if (verdict.kind === 'stored') return done('stored', match);
  const { transferSyntax } = request;
  const version = { transferSyntax, dataSet: () => parcel.read(), file };
  const kept = await turns.take(verdict.instance, () =>
    keepVersion(settings.orthanc, verdict.instance, version),
  );
  if (kept.kind === 'failed') return fail(kept.status, kept.comment);
  if (kept.kind === 'same') return done('repeated', match);
  log.warn(kept.damaged ? 'image.mended' : 'image.other-version', {
    sopInstanceUid: head.named?.sopInstanceUid ?? sopInstanceUid,
    instance: verdict.instance,
    attachment: kept.attachment,
    callingAet: association.callingAet,
  });
  return done('version', match);
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

/** Asks an Orthanc that does not answer again for a while: it may be starting. A repeat changes nothing there. */
async function handOver(
  { orthanc, patienceMs = PATIENCE_MS }: StoreSettings,
  file: Upload,
): Promise<Verdict> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const verdict = verdictOf(await orthanc.ask('POST', '/instances', file));
    if (verdict.kind !== 'failed' || !verdict.again || performance.now() > until) return verdict;
    await pause(ASK_AGAIN_MS);
  }
}

/** Success, with a warning where the request names another instance than its data set is: what counts is the data set. */
function matching({ named }: FileHead, { sopClassUid, sopInstanceUid }: StoreRequest): FinalStatus {
  if (named === undefined) return SUCCESS;
  // a request that names no instance contradicts nothing
  const same =
    named.sopClassUid === sopClassUid && (sopInstanceUid === '' || named.sopInstanceUid === sopInstanceUid);
  return same ? SUCCESS : { status: DOES_NOT_MATCH, comment: 'Stored by the UIDs of its data set' };
}
