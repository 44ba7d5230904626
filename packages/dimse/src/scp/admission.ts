/** What is accepted: associations, refused by the protocol or by the service; contexts; and commands, each by its service. */
import {
  APPLICATION_CONTEXT,
  IMPLEMENTATION_CLASS_UID,
  IMPLEMENTATION_VERSION_NAME,
  sopClasses,
  transferSyntaxes,
} from '@scanflow/dicom';
import { reject, type Rejection } from '../access.ts';
import type { DimseLog, AssociationInfo, ScpOptions, RequestReport } from './types.ts';
import { COMMAND } from '../message.ts';
import { fragmentSize } from '../ul/encode.ts';
import { answerContexts, answerRoles, type ServedContext, type ServedOperation } from '../ul/negotiation.ts';
import type { AssociateAc, AssociateRq } from '../ul/pdu.ts';
import { respond, STATUS, type Service } from './call.ts';
import { findService, storageSyntax } from './composite.ts';
import { actionService, createService, eventService, setService } from './normalized.ts';

/** What no service can accept (PS3.8 9.3.2, 9.3.4; AE-6 of table 9-6). */
export function protocolRejection(request: AssociateRq): Rejection | undefined {
  if (request.protocolVersion % 2 === 0) return reject(2, 2, 'protocol version not supported');
  if (request.applicationContext !== APPLICATION_CONTEXT) {
    return reject(1, 2, 'application context name not supported');
  }
  if (fragmentSize(request.user.maximumLength) === undefined) {
    // the standard has no reason for a peer that can receive nothing
    return reject(2, 1, `a maximum length of ${request.user.maximumLength} leaves no room for data`);
  }
  return undefined;
}

/** The service's own decision; its exception is a transient refusal, not the end of the process. */
export function serviceRejection(
  admit: ScpOptions['admit'],
  association: AssociationInfo,
  log: DimseLog,
): Rejection | undefined {
  try {
    const admission = admit(association);
    return admission.accept ? undefined : admission;
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown';
    log.error('association.admission-failed', { association: association.id, error: name });
    return { accept: false, result: 2, source: 1, reason: 1, why: 'the admission failed' };
  }
}

/** A-ASSOCIATE-AC: sub-items that it does not answer are not agreed upon (PS3.7 D.3.3). */
export function acceptance(
  request: AssociateRq,
  { contexts, onStore }: Pick<ScpOptions, 'contexts' | 'onStore'>,
  maximumLength: number,
): AssociateAc {
  const served = [VERIFICATION, ...contexts];
  const others = onStore === undefined ? undefined : storageSyntax;
  return {
    type: 'associate-ac',
    protocolVersion: 1,
    calledAet: request.calledAet,
    callingAet: request.callingAet,
    applicationContext: APPLICATION_CONTEXT,
    contexts: answerContexts(request.contexts, served, request.user.roles, others),
    user: {
      maximumLength,
      implementationClassUid: IMPLEMENTATION_CLASS_UID,
      implementationVersionName: IMPLEMENTATION_VERSION_NAME,
      roles: answerRoles(request.user.roles, served),
    },
  };
}

/** Every SCP of ours serves it (PS3.4 A). */
export const VERIFICATION: ServedContext = {
  abstractSyntax: sopClasses.verification,
  transferSyntaxes: [
    transferSyntaxes.implicitVRLittleEndian,
    transferSyntaxes.explicitVRLittleEndian,
    transferSyntaxes.explicitVRBigEndian,
  ],
};

/** C-ECHO (PS3.7 9.1.5.2). */
export const echoService: Service = async (call) => {
  await respond(call, { status: STATUS.success });
  return { status: STATUS.success, responses: 0 };
};

/** The operation that a command asks for, and who serves it where there is a handler. */
export function offered(
  commandField: number,
  { onFind, onCreate, onSet, onAction, onEvent }: ScpOptions,
): [ServedOperation, Service | undefined] | undefined {
  switch (commandField) {
    case COMMAND.findRq:
      return ['C-FIND', onFind && findService(onFind)];
    case COMMAND.createRq:
      return ['N-CREATE', onCreate && createService(onCreate)];
    case COMMAND.setRq:
      return ['N-SET', onSet && setService(onSet)];
    case COMMAND.actionRq:
      return ['N-ACTION', onAction && actionService(onAction)];
    case COMMAND.eventReportRq:
      return ['N-EVENT-REPORT', onEvent && eventService(onEvent)];
    default:
      return undefined;
  }
}

/** Answers with a status, and does nothing. */
export function refusal(status: number): [RequestReport['operation'], Service] {
  return [
    'other',
    async (call) => {
      await respond(call, { status });
      return { status, responses: 0 };
    },
  ];
}
