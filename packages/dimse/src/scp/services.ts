/** Which service a command asks for; C-ECHO (PS3.7 9.1.5.2) stands here itself. */
import { sopClasses, transferSyntaxes } from '@scanflow/dicom';
import { COMMAND } from '../message/command.ts';
import type { ServedContext, ServedOperation } from '../ul/negotiation.ts';
import { respond, STATUS, type Service } from './call.ts';
import { findService } from './find.ts';
import { actionService, createService, eventService, setService } from './normalized.ts';
import type { RequestReport, ScpOptions } from './types.ts';

/** Every SCP of ours serves it (PS3.4 A). */
export const VERIFICATION: ServedContext = {
  abstractSyntax: sopClasses.verification,
  transferSyntaxes: [
    transferSyntaxes.implicitVRLittleEndian,
    transferSyntaxes.explicitVRLittleEndian,
    transferSyntaxes.explicitVRBigEndian,
  ],
};

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
