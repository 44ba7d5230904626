/** Normalized services of the acceptor: N-CREATE, N-SET (PS3.7 10.1.5.2, 10.1.3.2), N-ACTION (10.1.4) and N-EVENT-REPORT (10.1.1). */
import { defined, given } from '@scanflow/failure/defined';
import {
  decodeDataSet,
  DicomDecodeError,
  encodeDataSet,
  isWritableCharacterSet,
  newUid,
  text,
  type DataSet,
  type DecodeOptions,
} from '@scanflow/dicom';
import {
  safe,
  type ActionHandler,
  type CreateHandler,
  type EncodedDataSet,
  type EventHandler,
  type NormalizedRequest,
  type NormalizedResult,
  type SetHandler,
} from './types.ts';
import { COMMAND, DATA_SET, NO_DATA_SET, RESPONSE, type Command } from '../message.ts';
import { comment, LATE, STATUS, type Call, type Service } from './call.ts';

/** What a UID is (PS3.5 9.1): at most 64 characters, numbers without leading zeros, separated by dots. */
const UID = /^(?=.{1,64}$)(?:0|[1-9]\d*)(?:\.(?:0|[1-9]\d*))*$/;
const UTF8 = 'ISO_IR 192';
/** A performed procedure step names each of its images, with three elements and items. */
const MAX_ELEMENTS = 262_144;
/** What is longer is decoded when the handler reads it: it may do so elsewhere. */
const LARGE_BYTES = 131_072;

/** How data sets of normalized requests are decoded. */
export const NORMALIZED_DECODING: DecodeOptions = {
  // a name in a character set that was not declared must not keep a finished exam from being reported
  undecodable: 'replace',
  zeroPadding: true,
  maxElements: MAX_ELEMENTS,
  maxValues: MAX_ELEMENTS,
};

export function createService(handler: CreateHandler): Service {
  return async (call) => {
    const sopInstanceUid = call.message.command.affectedSopInstanceUid ?? newUid();
    return serve(call, 'n-create', sopInstanceUid, async (request, given) =>
      handler({
        ...request,
        encoded: given.encoded,
        get attributes() {
          return given.dataSet;
        },
      }),
    );
  };
}

export function setService(handler: SetHandler): Service {
  return async (call) => {
    const sopInstanceUid = call.message.command.requestedSopInstanceUid;
    if (sopInstanceUid === undefined || call.message.dataSet === undefined) {
      // both are mandatory (PS3.7 table 10.1-3)
      const missing = sopInstanceUid === undefined ? 'Requested SOP Instance UID' : 'the Modification List';
      return finish(call, sopInstanceUid, {
        status: STATUS.mistypedArgument,
        comment: `N-SET without ${missing}`,
      });
    }
    return serve(call, 'n-set', sopInstanceUid, async (request, given) =>
      handler({
        ...request,
        encoded: given.encoded,
        get modifications() {
          return given.dataSet;
        },
      }),
    );
  };
}

export function actionService(handler: ActionHandler): Service {
  return async (call) => {
    const { requestedSopInstanceUid: sopInstanceUid, actionTypeId: actionType } = call.message.command;
    if (sopInstanceUid === undefined || actionType === undefined)
      return finish(call, sopInstanceUid, incomplete('N-ACTION', sopInstanceUid, 'Action Type ID'));
    return serve(call, 'n-action', sopInstanceUid, async (request, { dataSet: information }) =>
      handler({
        ...request,
        actionType,
        information,
        report: (type, given) => report(call, sopInstanceUid, type, given),
      }),
    );
  };
}

export function eventService(handler: EventHandler): Service {
  return async (call) => {
    const { affectedSopInstanceUid: sopInstanceUid, eventTypeId: eventType } = call.message.command;
    if (sopInstanceUid === undefined || eventType === undefined)
      return finish(call, sopInstanceUid, incomplete('N-EVENT-REPORT', sopInstanceUid, 'Event Type ID'));
    return serve(call, 'n-event-report', sopInstanceUid, async (request, { dataSet: information }) =>
      handler({ ...request, eventType, information }),
    );
  };
}

/** Of PS3.7 tables 10.1-1 and 10.1-4 something mandatory is not there. */
const incomplete = (operation: string, uid: string | undefined, other: string): NormalizedResult => ({
  status: STATUS.mistypedArgument,
  comment: `${operation} without ${uid === undefined ? 'a SOP Instance UID' : other}`,
});

/** N-EVENT-REPORT on the association of the requested action (PS3.4 J.3.3.1.2). */
async function report(
  { context, ask, nextId }: Call,
  sopInstanceUid: string,
  eventTypeId: number,
  information: DataSet,
): Promise<number | undefined> {
  const command = {
    affectedSopClassUid: context.abstractSyntax,
    commandField: COMMAND.eventReportRq,
    messageId: nextId(),
    dataSetType: DATA_SET,
    affectedSopInstanceUid: sopInstanceUid,
    eventTypeId,
  };
  return (await ask(command, encodeDataSet(information, context.transferSyntax)))?.command.status;
}

async function serve(
  call: Call,
  operation: 'n-create' | 'n-set' | 'n-action' | 'n-event-report',
  sopInstanceUid: string,
  handle: (request: NormalizedRequest, given: Given) => Promise<NormalizedResult>,
): ReturnType<Service> {
  const { options, info, context, signal } = call;
  if (!UID.test(sopInstanceUid)) {
    return finish(call, undefined, { status: STATUS.invalidSopInstance, comment: 'The UID is none' });
  }
  const request = { association: info, sopClass: context.abstractSyntax, sopInstanceUid, signal };
  const given = new Given(call);
  try {
    if (given.encoded.bytes.length <= LARGE_BYTES) given.decode();
    const result = await inTime(call, handle(request, given));
    return await finish(call, sopInstanceUid, result, given.characterSet);
  } catch (error) {
    if (error instanceof DicomDecodeError) {
      const { id: association, address } = info;
      options.log.warn(`${operation}.data-set-undecodable`, { association, address, ...safe(error) });
      const undecodable = { status: STATUS.processingFailure, comment: 'The data set cannot be decoded' };
      return finish(call, sopInstanceUid, undecodable);
    }
    options.log.error(`${operation}.handler-failed`, {
      association: info.id,
      sopInstanceUid,
      ...safe(error),
    });
    const failed = { status: STATUS.processingFailure, comment: 'Internal error, see the log' };
    return finish(call, sopInstanceUid, failed);
  }
}

/** The data set of a request, decoded once at most. */
class Given {
  readonly encoded: EncodedDataSet;
  #dataSet: DataSet | undefined;

  constructor({ message, context }: Call) {
    this.encoded = {
      bytes: message.dataSet ?? new Uint8Array(0),
      transferSyntax: context.transferSyntax,
    };
  }

  get dataSet(): DataSet {
    return this.#dataSet ?? this.decode();
  }

  /** Undefined where it declares none, or was not decoded here. */
  get characterSet(): string | undefined {
    return this.#dataSet && text(this.#dataSet, 'SpecificCharacterSet');
  }

  /** Throws DicomDecodeError. */
  decode(): DataSet {
    const { bytes, transferSyntax } = this.encoded;
    this.#dataSet = decodeDataSet(bytes, transferSyntax, NORMALIZED_DECODING);
    return this.#dataSet;
  }
}

/** The handler's result. Throws LATE where there is none in time: whether it takes effect later, nobody can tell. */
async function inTime(call: Call, work: Promise<NormalizedResult>): Promise<NormalizedResult> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => {
    reject(LATE);
    call.giveUp();
  }, call.handlerMs);
  // once it is late, nobody waits for what becomes of it
  work.catch(() => undefined);
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends the response: the instance's UID always, the rest as the result says. */
async function finish(
  call: Call,
  sopInstanceUid: string | undefined,
  result: NormalizedResult,
  characterSet = UTF8,
): ReturnType<Service> {
  const { association, message, context } = call;
  const { status, errorId, attributeIdentifiers = [], attributes } = result;
  const { eventTypeId, actionTypeId } = message.command;
  const writable = isWritableCharacterSet(characterSet) ? characterSet : UTF8;
  const list =
    attributes === undefined ? undefined : encodeDataSet(attributes, context.transferSyntax, writable);
  const response: Command = {
    affectedSopClassUid: context.abstractSyntax,
    commandField: message.command.commandField | RESPONSE,
    messageIdBeingRespondedTo: message.command.messageId ?? 0,
    dataSetType: list === undefined ? NO_DATA_SET : DATA_SET,
    status,
    ...defined({
      errorComment: given(result.comment, comment),
      errorId,
      affectedSopInstanceUid: sopInstanceUid,
      eventTypeId,
      actionTypeId,
    }),
    ...(attributeIdentifiers.length === 0 ? {} : { attributeIdentifierList: attributeIdentifiers }),
  };
  await association.send(message.contextId, response, list);
  return { status, responses: 0 };
}
