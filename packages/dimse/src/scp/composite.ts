/** The composite services (DIMSE-C) of the acceptor: C-FIND and C-STORE. The normalized ones are in normalized.ts. */
import { setImmediate } from 'node:timers/promises';
import {
  decodeDataSet,
  DicomDecodeError,
  encodeDataSet,
  type DataSet,
  transferSyntaxes,
} from '@scanflow/dicom';
import { safe, type FinalStatus, type FindHandler, type FindResponse, type StoreReceipt } from './types.ts';
import { LATE, respond, STATUS, type Call, type Service } from './call.ts';
import type { Receipt } from '../message.ts';
import type { ProposedContext } from '../ul/pdu.ts';

/** Elements and items of an identifier: a query of everything that a worklist item may have names some 200. */
const MAX_ELEMENTS = 4_096;

export function findService(handler: FindHandler): Service {
  return async (call) => {
    const identifier = decode(call);
    if ('status' in identifier) {
      await respond(call, identifier);
      return { status: identifier.status, responses: 0 };
    }
    const { final, responses } = await answer(call, identifier, handler);
    await respond(call, final);
    return { status: final.status, responses };
  };
}

/** PS3.4 C.4.1.1.4: A900 if the bytes are no identifier, Cxxx if the identifier is more than we can process. */
const UNDECODABLE: FinalStatus = {
  status: STATUS.dataSetDoesNotMatch,
  comment: 'The identifier cannot be decoded',
};
const TOO_LARGE: FinalStatus = { status: STATUS.unableToProcess, comment: 'The identifier is too large' };

/** The identifier, or the status of a query without one that we can read: never taken for a universal query. */
function decode(call: Call): DataSet | FinalStatus {
  const { message, context, options, info, identifierBytes } = call;
  const { address } = info;
  const { dataSet: bytes } = message;
  const { log, events, assumedCharacterSets } = options;
  const tell = (why: string): void => events?.unreadable?.(info, why);
  if (bytes === undefined) {
    tell('the query has no identifier');
    return UNDECODABLE;
  }
  if (bytes.length > identifierBytes) {
    log.warn('c-find.identifier-too-large', { association: info.id, address, bytes: bytes.length });
    tell(`the identifier has ${bytes.length} bytes; at most ${identifierBytes} are read`);
    return TOO_LARGE;
  }
  try {
    return decodeDataSet(bytes, context.transferSyntax, {
      maxElements: MAX_ELEMENTS,
      maxValues: 16 * MAX_ELEMENTS,
      assumed: assumedCharacterSets?.(info) ?? [],
      zeroPadding: true,
    });
  } catch (error) {
    log.warn('c-find.identifier-undecodable', { association: info.id, address, ...safe(error) });
    // the error names tags and lengths, and no values
    tell(error instanceof DicomDecodeError ? error.message : 'it cannot be decoded');
    const isTooMany = error instanceof DicomDecodeError && error.code === 'TOO_MANY';
    return isTooMany ? TOO_LARGE : UNDECODABLE;
  }
}

async function answer(
  call: Call,
  identifier: DataSet,
  handler: FindHandler,
): Promise<{ final: FinalStatus; responses: number }> {
  const { signal, info, context, options, turn } = call;
  let responses = 0;
  let unsent = 0;
  const late = setTimeout(call.giveUp, call.handlerMs);
  try {
    const isTurnOver = (): boolean => turn.isOver;
    const sopClass = context.abstractSyntax;
    const matches = handler({ association: info, sopClass, identifier, signal, isTurnOver });
    const nextMatch = unlessAborted(async () => matches.next(), signal);
    try {
      for (;;) {
        const next = await nextMatch();
        if (next === undefined || signal.aborted) return { final: stopped(call), responses };
        if (next.done === true) return { final: complete(next.value, unsent), responses };
        if (next.value !== undefined) {
          const bytes = encoded(call, next.value);
          if (bytes === undefined) unsent += 1;
          else if (await respond(call, { status: next.value.status }, bytes)) responses += 1;
          late.refresh();
          // the first match leaves at once; matches that are written together wait for the loop's turn
          if (responses === 1) await setImmediate();
        }
        if (turn.isOver) await turn.next();
      }
    } finally {
      // not awaited: a handler that never comes back must not hold the answer
      Promise.try(() => matches.return({ status: STATUS.cancelled })).catch(() => undefined);
    }
  } catch (error) {
    options.log.error('c-find.handler-failed', { association: info.id, ...safe(error) });
    return { final: { status: STATUS.unableToProcess, comment: 'Internal error, see the log' }, responses };
  } finally {
    clearTimeout(late);
  }
}

function stopped({ signal, options, info, handlerMs }: Call): FinalStatus {
  if (signal.reason !== LATE) return { status: STATUS.cancelled };
  options.log.error('c-find.handler-late', { association: info.id, ms: handlerMs });
  return { status: STATUS.unableToProcess, comment: 'No answer in time, see the log' };
}

/** A list that lacks a match must not pass for the whole one (PS3.4 C.4.1.1.4, Cxxx). */
const complete = (final: FinalStatus, unsent: number): FinalStatus =>
  final.status !== STATUS.success || unsent === 0
    ? final
    : { status: STATUS.unableToProcess, comment: `Matches that cannot be sent: ${unsent}, see the log` };

/** Undefined, and a line in the log, for a match that cannot be encoded: it costs none of the others. */
function encoded(
  { context, options, info }: Call,
  { identifier, characterSet }: FindResponse,
): Uint8Array | undefined {
  try {
    return encodeDataSet(identifier, context.transferSyntax, characterSet);
  } catch (error) {
    options.log.error('c-find.match-unencodable', { association: info.id, ...safe(error) });
    return undefined;
  }
}

/**
 * Makes one promise after the other; undefined instead as soon as the signal aborts. Promise.race() with a promise of
 * the abort would keep something of each with the signal, for as long as the query lasts.
 */
function unlessAborted<T>(make: () => Promise<T>, signal: AbortSignal): () => Promise<T | undefined> {
  let aborted = (): void => undefined;
  signal.addEventListener('abort', () => aborted(), { once: true });
  return () =>
    new Promise((resolve, reject) => {
      aborted = () => resolve(undefined);
      if (signal.aborted) aborted();
      else make().then(resolve, reject);
    });
}

// C-STORE as SCP (PS3.7 9.1.1, PS3.4 B): the service, and the presentation contexts that it accepts.

/** Stores, then answers: nothing is acknowledged that the handler has not stored. */
export const storeService: Service = async (call) => {
  const { receipt } = call.message;
  // without a data set there is nothing to store (PS3.7 9.1.1.1.8)
  const final = isStoreReceipt(receipt)
    ? await stored(receipt, call)
    : { status: STATUS.unableToProcess, comment: 'C-STORE without a data set' };
  await respond(call, final);
  return { status: final.status, responses: 0 };
};

const isStoreReceipt = (receipt: Receipt | undefined): receipt is StoreReceipt =>
  receipt !== undefined && 'store' in receipt;

async function stored(receipt: StoreReceipt, { options, info }: Call): Promise<FinalStatus> {
  try {
    return await receipt.store();
  } catch (error) {
    options.log.error('c-store.handler-failed', { ...info, ...safe(error) });
    return { status: STATUS.unableToProcess, comment: 'The receiver failed' };
  }
}

/**
 * Standard SOP classes that are no storage (PS3.6 annex A), by the start of their UID. Everything else that a sender
 * proposes is taken: classes of manufacturers, and those that the standard will have tomorrow.
 */
const NO_STORAGE: readonly RegExp[] = [
  // verification, directories, notification, commitment, procedure steps and other management
  /^1\.2\.840\.10008\.1\./,
  /^1\.2\.840\.10008\.3\.1\./,
  // print management, but for the stored print and the hardcopy images
  /^1\.2\.840\.10008\.5\.1\.1\.(?!(?:27|29|30)$)/,
  // query and retrieve
  /^1\.2\.840\.10008\.5\.1\.4\.1\.[23]\./,
  /^1\.2\.840\.10008\.5\.1\.4\.20\./,
  // worklist, general purpose worklist, availability, unified procedure step
  /^1\.2\.840\.10008\.5\.1\.4\.31$/,
  /^1\.2\.840\.10008\.5\.1\.4\.32(?:\.|$)/,
  /^1\.2\.840\.10008\.5\.1\.4\.33$/,
  /^1\.2\.840\.10008\.5\.1\.4\.34\.(?:[4-6](?:\.|$)|8$)/,
  // relevant patient information, and queries for templates, palettes, implants, protocols, inventories
  /^1\.2\.840\.10008\.5\.1\.4\.37\./,
  /^1\.2\.840\.10008\.5\.1\.4\.(?:38|39|43|44|45)\.[2-4]$/,
  /^1\.2\.840\.10008\.5\.1\.4\.41$/,
  /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.(?:200\.[4-6]|201\.[2-6])$/,
];

/** Whether a SOP class of a presentation context stores images (PS3.4 B.5). A class that nobody has heard of counts as one. */
export const isStorageClass = (sopClassUid: string): boolean =>
  sopClassUid !== '' && !NO_STORAGE.some((kind) => kind.test(sopClassUid));

/** Preferred where the peer offers a choice: its own bytes, uncompressed, with the VRs of private elements. */
export const PREFERRED: readonly string[] = [
  transferSyntaxes.explicitVRLittleEndian,
  transferSyntaxes.implicitVRLittleEndian,
  transferSyntaxes.explicitVRBigEndian,
];

/** The transfer syntax to accept; any is kept as it comes. Undefined: it is no storage, or none was offered. */
export function storageSyntax({
  abstractSyntax,
  transferSyntaxes: offered,
}: ProposedContext): string | undefined {
  if (!isStorageClass(abstractSyntax)) return undefined;
  return PREFERRED.find((uid) => offered.includes(uid)) ?? offered.find((uid) => uid !== '');
}
